import type { Json, JsonObject } from "../base/json.ts";
import { type Answer, type Call, json } from "./call.ts";
import type { Cluster } from "./cluster.ts";
import { badRequest, methodNotAllowed, notDone } from "./failure.ts";
import { requireFitting } from "./fitting.ts";
import type { Kind } from "./kinds.ts";
import { jsonPatched } from "./patch/json-patch.ts";
import { mergePatched } from "./patch/merge-patch.ts";
import { presentedScale } from "./present.ts";
import type { ResourcePath } from "./resource-path.ts";
import { at, isObject, numberAt, objectAt, textAt, withAt } from "./value.ts";
import { change, read } from "./write.ts";
import { writeOptions } from "./write-options.ts";

/** `Scale` of an object: how many replicas it shall have and has. */
export function handleScale(cluster: Cluster, call: Call, path: ResourcePath): Answer {
  const { kind } = path;
  const place = { namespace: path.namespace ?? "", name: path.name };
  const live = read(cluster, kind, place);
  const current = scaleOf(kind, live);
  if (call.method === "GET") return presentedScale(call, current);
  const fitting = { group: "autoscaling", version: "v1", kind: "Scale" };
  const scale = requireFitting(fitting, place, wanted(call, current));
  const replicas = numberAt(scale, "spec", "replicas") ?? 0;
  if (replicas < 0) throw badRequest("spec.replicas: Invalid value: must be greater than or equal to 0");
  const version = textAt(scale, "metadata", "resourceVersion");
  const make = (object: JsonObject): JsonObject => {
    const next = withAt(object, pathsOf(kind).spec, replicas);
    return version === "" ? next : withAt(next, ["metadata", "resourceVersion"], version);
  };
  const options = writeOptions(call, "scale");
  const what = { kind: "replace", make, needsVersion: false } as const;
  const { object } = change(cluster, kind, { ...place, what }, options);
  return json(200, scaleOf(kind, object), options.warnings);
}

function wanted(call: Call, current: JsonObject): unknown {
  if (call.method === "PUT") return call.body;
  if (call.method !== "PATCH") throw methodNotAllowed();
  switch (call.contentType) {
    case "application/json-patch+json":
      return jsonPatched(current, call.body);
    // A Scale has no lists that a strategic merge patch would merge otherwise.
    case "application/merge-patch+json":
    case "application/strategic-merge-patch+json":
      if (!isObject(call.body)) throw badRequest("a merge patch is a JSON object");
      return mergePatched(current, call.body);
    default:
      throw notDone(
        "server-side apply of a scale",
        "use a merge patch, or apply spec.replicas to the object",
      );
  }
}

type Paths = {
  readonly spec: readonly string[];
  readonly status: readonly string[];
  readonly selector: readonly string[];
};

function pathsOf(kind: Kind): Paths {
  const scale = objectAt(kind.custom?.version, "subresources", "scale");
  const steps = (field: string, otherwise: string) => (textAt(scale, field) || otherwise).split(".").slice(1);
  return {
    spec: steps("specReplicasPath", ".spec.replicas"),
    status: steps("statusReplicasPath", ".status.replicas"),
    selector: textAt(scale, "labelSelectorPath").split(".").slice(1),
  };
}

function scaleOf(kind: Kind, object: JsonObject): JsonObject {
  const paths = pathsOf(kind);
  const metadata: Record<string, Json> = {};
  for (const field of ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"]) {
    const value = at(object, "metadata", field);
    if (value !== undefined) metadata[field] = value;
  }
  const labels = Object.entries(objectAt(object, "spec", "selector", "matchLabels"));
  const selector =
    kind.custom === undefined
      ? labels.map(([name, value]) => `${name}=${String(value)}`).join(",")
      : textAt(object, ...paths.selector);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata,
    spec: { replicas: numberAt(object, ...paths.spec) ?? 0 },
    status: { replicas: numberAt(object, ...paths.status) ?? 0, ...(selector === "" ? {} : { selector }) },
  };
}
