import type { KindDefinition } from "../../src/api/kind.ts";
import { nodeOf, type SchemaNode } from "../../src/api/schema-node.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The CustomResourceDefinition of a kind, apiextensions.k8s.io/v1. */
export function crdOf(kind: KindDefinition): Fields {
  const { group, plural, namespaced, version } = kind.resource;
  const name = kind.resource.kind;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}`, labels: { "app.kubernetes.io/name": "kubestash" } },
    spec: {
      group,
      names: {
        kind: name,
        listKind: `${name}List`,
        plural,
        singular: name.toLowerCase(),
        ...(kind.shortNames.length === 0 ? {} : { shortNames: [...kind.shortNames] }),
        categories: [...kind.categories],
      },
      scope: namespaced ? "Namespaced" : "Cluster",
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          ...(kind.status === undefined ? {} : { subresources: { status: {} } }),
          additionalPrinterColumns: kind.columns.map((column) => ({ ...column })),
          schema: { openAPIV3Schema: rootSchema(kind) },
        },
      ],
    },
  };
}

function rootSchema(kind: KindDefinition): Fields {
  const spec = nodeOf(kind.spec);
  return {
    type: "object",
    description: kind.intro.join(" "),
    ...((spec.required ?? []).length === 0 ? {} : { required: ["spec"] }),
    properties: {
      apiVersion: { type: "string", description: "Version of this representation." },
      kind: { type: "string", description: "Kind of the object." },
      metadata: { type: "object" },
      spec: structural(spec),
      ...(kind.status === undefined ? {} : { status: structural(nodeOf(kind.status)) }),
    },
  };
}

/** A structural schema prunes what it does not know; there `additionalProperties: false` may not be said. */
function structural(node: SchemaNode): Fields {
  const { properties, required, additionalProperties, items, default: otherwise, ...rest } = node;
  return {
    ...rest,
    ...(otherwise === undefined ? {} : { default: otherwise }),
    ...((required ?? []).length === 0 ? {} : { required }),
    ...(properties === undefined ? {} : { properties: mapped(properties, structural) }),
    ...(additionalProperties === undefined || additionalProperties === false
      ? {}
      : { additionalProperties: structural(additionalProperties) }),
    ...(items === undefined ? {} : { items: structural(items) }),
  };
}

export function mapped(
  nodes: Readonly<Record<string, SchemaNode>>,
  change: (node: SchemaNode) => Fields,
): Fields {
  return Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, change(node)]));
}
