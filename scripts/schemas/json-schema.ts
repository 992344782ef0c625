import type { KindDefinition } from "../../src/api/kind.ts";
import { apiVersionOf } from "../../src/api/meta.ts";
import { nodeOf, type SchemaNode } from "../../src/api/schema-node.ts";
import { mapped } from "./crd.ts";

type Fields = Readonly<Record<string, unknown>>;

const texts = { type: "object", additionalProperties: { type: "string" } };

/** The JSON Schema of a kind for editors: strict, so that a misspelt field is seen while it is typed. */
export function jsonSchemaOf(kind: KindDefinition): Fields {
  const spec = nodeOf(kind.spec);
  const needsSpec = (spec.required ?? []).length > 0;
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: kind.resource.kind,
    description: kind.intro.join(" "),
    type: "object",
    required: ["apiVersion", "kind", "metadata", ...(needsSpec ? ["spec"] : [])],
    properties: {
      apiVersion: { const: apiVersionOf(kind.resource) },
      kind: { const: kind.resource.kind },
      metadata: metadataSchema(kind.resource.namespaced),
      spec: plain(spec),
      ...(kind.status === undefined ? {} : { status: plain(nodeOf(kind.status)) }),
    },
    additionalProperties: false,
  };
}

function metadataSchema(namespaced: boolean): Fields {
  return {
    type: "object",
    required: ["name"],
    properties: {
      name: { type: "string", minLength: 1, maxLength: 253 },
      ...(namespaced ? { namespace: { type: "string", minLength: 1, maxLength: 63 } } : {}),
      labels: texts,
      annotations: texts,
    },
  };
}

/** Without the words that only Kubernetes knows; a list-map's keys are checked by the API server. */
function plain(node: SchemaNode): Fields {
  const {
    "x-kubernetes-preserve-unknown-fields": _open,
    "x-kubernetes-int-or-string": numberOrText,
    "x-kubernetes-list-type": _listType,
    "x-kubernetes-list-map-keys": _keys,
    properties,
    required,
    additionalProperties,
    items,
    format,
    ...rest
  } = node;
  return {
    ...rest,
    ...(numberOrText === true ? { anyOf: [{ type: "integer" }, { type: "string" }] } : {}),
    ...(format === "date-time" ? { format } : {}),
    ...((required ?? []).length === 0 ? {} : { required }),
    ...(properties === undefined ? {} : { properties: mapped(properties, plain) }),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: additionalProperties === false ? false : plain(additionalProperties) }),
    ...(items === undefined ? {} : { items: plain(items) }),
  };
}
