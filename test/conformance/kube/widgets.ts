import type { Resource } from "../../../src/api/meta.ts";
import { eventually } from "../../support/eventually.ts";
import { path } from "./fixtures.ts";
import type { Server } from "./servers.ts";

/** A kind of its own for a test: a group that belongs to the file that runs. */
export type Widgets = {
  readonly resource: Resource;
  readonly apiVersion: string;
  readonly crdName: string;
  /** `/apis/<group>/v1/namespaces/<namespace>/widgets[/name]` */
  place(name?: string): string;
  widget(name: string, fields?: Record<string, unknown>): Record<string, unknown>;
};

export const widgetSchema = {
  type: "object",
  required: ["spec"],
  properties: {
    spec: {
      type: "object",
      required: ["size"],
      properties: {
        size: { type: "integer", minimum: 1, maximum: 10 },
        color: { type: "string", enum: ["red", "green"], default: "red" },
        code: { type: "string", pattern: "^[a-z]+$", maxLength: 5 },
        when: { type: "string", format: "date-time" },
        parts: {
          type: "array",
          maxItems: 3,
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: { name: { type: "string" }, count: { type: "integer", default: 1 } },
          },
        },
        tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        map: { type: "object", additionalProperties: { type: "string" } },
        port: { "x-kubernetes-int-or-string": true },
        note: { type: "string", nullable: true },
      },
    },
    status: {
      type: "object",
      properties: {
        phase: { type: "string" },
        conditions: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["type"],
          items: {
            type: "object",
            required: ["type", "status"],
            properties: { type: { type: "string" }, status: { type: "string" } },
          },
        },
      },
    },
  },
};

export function crdOf(group: string, version: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: {
        plural: "widgets",
        singular: "widget",
        kind: "Widget",
        listKind: "WidgetList",
        shortNames: ["wd"],
      },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: widgetSchema },
          additionalPrinterColumns: [
            { name: "Size", type: "integer", jsonPath: ".spec.size" },
            { name: "Phase", type: "string", jsonPath: ".status.phase" },
            { name: "Color", type: "string", jsonPath: ".spec.color", priority: 1 },
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          ],
          ...version,
        },
      ],
    },
  };
}

/** Creates the kind and waits until the server serves it. */
export async function installWidgets(
  server: Pick<Server, "raw" | "namespace" | "tag">,
  prefix: string,
): Promise<Widgets> {
  const { raw, namespace, tag } = server;
  const group = `${prefix}.${tag}.example.com`;
  const { status, body } = await raw.request("POST", path.crds(), { body: crdOf(group) });
  if (status !== 201) throw new Error(`the CRD was not created: ${JSON.stringify(body)}`);
  const collection = `/apis/${group}/v1/namespaces/${namespace}/widgets`;
  await eventually(async () => {
    const list = await raw.request("GET", collection);
    if (list.status !== 200) throw new Error(`widgets are not served: ${list.status}`);
  });
  return {
    resource: { group, version: "v1", kind: "Widget", plural: "widgets", namespaced: true },
    apiVersion: `${group}/v1`,
    crdName: `widgets.${group}`,
    place: (name) => (name === undefined ? collection : `${collection}/${name}`),
    widget: (name, fields = { spec: { size: 1 } }) => ({
      apiVersion: `${group}/v1`,
      kind: "Widget",
      metadata: { name, namespace },
      ...fields,
    }),
  };
}
