import type { Json, JsonObject } from "../../base/json.ts";
import { at, listAt, numberAt, objectAt, textAt, textsAt } from "../value.ts";
import { age, humanDuration } from "./duration.ts";
import { podCells } from "./pod-cells.ts";

/** The cells of one object, in the order of its kind's columns. `now` in ms. */
type Cells = (object: JsonObject, now: number) => readonly Json[];

const none = "<none>";
const unset = "<unset>";

const name = (object: JsonObject) => textAt(object, "metadata", "name");
const ageOf = (object: JsonObject, now: number) => age(textAt(object, "metadata", "creationTimestamp"), now);
const count = (object: JsonObject, ...path: readonly string[]) => numberAt(object, ...path) ?? 0;
const or = (text: string, otherwise: string) => (text === "" ? otherwise : text);

function containers(template: Json | undefined): readonly [string, string] {
  const list = listAt(template, "spec", "containers");
  return [
    list.map((container) => textAt(container, "name")).join(","),
    list.map((container) => textAt(container, "image")).join(","),
  ];
}

function selector(value: JsonObject, otherwise = none): string {
  const labels = Object.entries(objectAt(value, "matchLabels")).map(
    ([key, text]) => `${key}=${String(text)}`,
  );
  for (const expression of listAt(value, "matchExpressions")) {
    const key = textAt(expression, "key");
    const operator = textAt(expression, "operator");
    const values = textsAt(expression, "values").join(",");
    if (operator === "Exists") labels.push(key);
    else if (operator === "DoesNotExist") labels.push(`!${key}`);
    else labels.push(`${key} ${operator.toLowerCase()} (${values})`);
  }
  return labels.length === 0 ? otherwise : labels.join(",");
}

function labelsText(labels: JsonObject): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
  return pairs.length === 0 ? none : pairs.join(",");
}

const modes: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

const accessModes = (list: readonly string[]) => list.map((mode) => modes[mode] ?? mode).join(",");

function job(object: JsonObject, now: number): readonly Json[] {
  const template = at(object, "spec", "template");
  const completions = numberAt(object, "spec", "completions");
  const parallelism = count(object, "spec", "parallelism");
  const done = count(object, "status", "succeeded");
  const of = completions ?? (parallelism > 1 ? `1 of ${parallelism}` : 1);
  const start = Date.parse(textAt(object, "status", "startTime"));
  const end = Date.parse(textAt(object, "status", "completionTime"));
  const took = Number.isNaN(start) ? "" : humanDuration((Number.isNaN(end) ? now : end) - start);
  const selected = selector(objectAt(object, "spec", "selector"));
  return [
    name(object),
    jobStatus(object),
    `${done}/${of}`,
    took,
    ageOf(object, now),
    ...containers(template),
    selected,
  ];
}

function jobStatus(object: JsonObject): string {
  const holds = (type: string) =>
    listAt(object, "status", "conditions").some(
      (condition) => textAt(condition, "type") === type && textAt(condition, "status") === "True",
    );
  if (holds("Complete")) return "Complete";
  if (holds("Failed")) return "Failed";
  if (textAt(object, "metadata", "deletionTimestamp") !== "") return "Terminating";
  if (holds("Suspended")) return "Suspended";
  if (holds("FailureTarget")) return "FailureTarget";
  return holds("SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
}

function cronJob(object: JsonObject, now: number): readonly Json[] {
  const last = textAt(object, "status", "lastScheduleTime");
  return [
    name(object),
    textAt(object, "spec", "schedule"),
    or(textAt(object, "spec", "timeZone"), none),
    at(object, "spec", "suspend") === true ? "True" : "False",
    listAt(object, "status", "active").length,
    last === "" ? none : age(last, now),
    ageOf(object, now),
    ...containers(at(object, "spec", "jobTemplate", "spec", "template")),
    selector(objectAt(object, "spec", "jobTemplate", "spec", "selector")),
  ];
}

function service(object: JsonObject, now: number): readonly Json[] {
  const ports = listAt(object, "spec", "ports").map((port) => {
    const node = numberAt(port, "nodePort") ?? 0;
    return `${numberAt(port, "port") ?? 0}${node === 0 ? "" : `:${node}`}/${textAt(port, "protocol")}`;
  });
  const external = textAt(object, "spec", "externalName") || textsAt(object, "spec", "externalIPs").join(",");
  return [
    name(object),
    textAt(object, "spec", "type"),
    or(textAt(object, "spec", "clusterIP"), none),
    or(external, none),
    or(ports.join(","), none),
    ageOf(object, now),
    labelsText(objectAt(object, "spec", "selector")),
  ];
}

function claim(object: JsonObject, now: number): readonly Json[] {
  const deleting = textAt(object, "metadata", "deletionTimestamp") !== "";
  const bound = textAt(object, "spec", "volumeName") !== "";
  return [
    name(object),
    deleting ? "Terminating" : textAt(object, "status", "phase"),
    textAt(object, "spec", "volumeName"),
    bound ? textAt(object, "status", "capacity", "storage") : "",
    bound ? accessModes(textsAt(object, "status", "accessModes")) : "",
    textAt(object, "spec", "storageClassName"),
    or(textAt(object, "spec", "volumeAttributesClassName"), unset),
    ageOf(object, now),
    textAt(object, "spec", "volumeMode"),
  ];
}

function volume(object: JsonObject, now: number): readonly Json[] {
  const ref = objectAt(object, "spec", "claimRef");
  const deleting = textAt(object, "metadata", "deletionTimestamp") !== "";
  return [
    name(object),
    textAt(object, "spec", "capacity", "storage"),
    accessModes(textsAt(object, "spec", "accessModes")),
    textAt(object, "spec", "persistentVolumeReclaimPolicy"),
    deleting ? "Terminating" : textAt(object, "status", "phase"),
    textAt(ref, "name") === "" ? "" : `${textAt(ref, "namespace")}/${textAt(ref, "name")}`,
    textAt(object, "spec", "storageClassName"),
    or(textAt(object, "spec", "volumeAttributesClassName"), unset),
    textAt(object, "status", "reason"),
    ageOf(object, now),
    textAt(object, "spec", "volumeMode"),
  ];
}

function node(object: JsonObject, now: number): readonly Json[] {
  const ready = listAt(object, "status", "conditions").find(
    (condition) => textAt(condition, "type") === "Ready",
  );
  const prefix = "node-role.kubernetes.io/";
  const roles = Object.keys(objectAt(object, "metadata", "labels"))
    .filter((label) => label.startsWith(prefix))
    .map((label) => label.slice(prefix.length));
  const states = [
    ready === undefined ? "Unknown" : textAt(ready, "status") === "True" ? "Ready" : "NotReady",
  ];
  if (at(object, "spec", "unschedulable") === true) states.push("SchedulingDisabled");
  const info = objectAt(object, "status", "nodeInfo");
  const address = (type: string) =>
    or(
      textAt(
        listAt(object, "status", "addresses").find((item) => textAt(item, "type") === type),
        "address",
      ),
      none,
    );
  return [
    name(object),
    states.join(","),
    or(roles.sort().join(","), none),
    ageOf(object, now),
    textAt(info, "kubeletVersion"),
    address("InternalIP"),
    address("ExternalIP"),
    or(textAt(info, "osImage"), "<unknown>"),
    or(textAt(info, "kernelVersion"), "<unknown>"),
    or(textAt(info, "containerRuntimeVersion"), "<unknown>"),
  ];
}

function event(object: JsonObject, now: number): readonly Json[] {
  const target = objectAt(object, "involvedObject");
  const first = textAt(object, "firstTimestamp") || textAt(object, "eventTime");
  const last = textAt(object, "series", "lastObservedTime") || textAt(object, "lastTimestamp") || first;
  const source = [textAt(object, "source", "component"), textAt(object, "source", "host")].filter(
    (part) => part !== "",
  );
  return [
    age(last, now),
    textAt(object, "type"),
    textAt(object, "reason"),
    `${textAt(target, "kind").toLowerCase()}/${textAt(target, "name")}`,
    textAt(target, "fieldPath"),
    source.join(", ") || textAt(object, "reportingComponent"),
    textAt(object, "message").trim(),
    age(first, now),
    numberAt(object, "series", "count") ?? numberAt(object, "count") ?? 1,
    name(object),
  ];
}

function deployment(object: JsonObject, now: number): readonly Json[] {
  return [
    name(object),
    `${count(object, "status", "readyReplicas")}/${count(object, "spec", "replicas")}`,
    count(object, "status", "updatedReplicas"),
    count(object, "status", "availableReplicas"),
    ageOf(object, now),
    ...containers(at(object, "spec", "template")),
    selector(objectAt(object, "spec", "selector")),
  ];
}

function replicaSet(object: JsonObject, now: number): readonly Json[] {
  return [
    name(object),
    count(object, "spec", "replicas"),
    count(object, "status", "replicas"),
    count(object, "status", "readyReplicas"),
    ageOf(object, now),
    ...containers(at(object, "spec", "template")),
    selector(objectAt(object, "spec", "selector")),
  ];
}

function daemonSet(object: JsonObject, now: number): readonly Json[] {
  const fields = [
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "numberReady",
    "updatedNumberScheduled",
    "numberAvailable",
  ];
  return [
    name(object),
    ...fields.map((field) => count(object, "status", field)),
    labelsText(objectAt(object, "spec", "template", "spec", "nodeSelector")),
    ageOf(object, now),
    ...containers(at(object, "spec", "template")),
    selector(objectAt(object, "spec", "selector")),
  ];
}

function binding(object: JsonObject, now: number): readonly Json[] {
  const subjects = listAt(object, "subjects");
  const of = (kind: string) => subjects.filter((subject) => textAt(subject, "kind") === kind);
  const accounts = of("ServiceAccount").map((item) => `${textAt(item, "namespace")}/${textAt(item, "name")}`);
  const names = (kind: string) =>
    of(kind)
      .map((item) => textAt(item, "name"))
      .join(", ");
  return [
    name(object),
    `${textAt(object, "roleRef", "kind")}/${textAt(object, "roleRef", "name")}`,
    ageOf(object, now),
    names("User"),
    names("Group"),
    accounts.join(", "),
  ];
}

const size = (object: JsonObject, ...fields: readonly string[]) =>
  fields.reduce((sum, field) => sum + Object.keys(objectAt(object, field)).length, 0);

const created: Cells = (object) => [name(object), textAt(object, "metadata", "creationTimestamp")];

/** Kinds that are not here show their name, their age and nothing else. */
export const cells: Readonly<Record<string, Cells>> = {
  "/pods": podCells,
  "/configmaps": (object, now) => [name(object), size(object, "data", "binaryData"), ageOf(object, now)],
  "/secrets": (object, now) => [
    name(object),
    textAt(object, "type"),
    size(object, "data"),
    ageOf(object, now),
  ],
  "/namespaces": (object, now) => [name(object), textAt(object, "status", "phase"), ageOf(object, now)],
  "/serviceaccounts": (object, now) => [name(object), listAt(object, "secrets").length, ageOf(object, now)],
  "/services": service,
  "/persistentvolumeclaims": claim,
  "/persistentvolumes": volume,
  "/nodes": node,
  "/events": event,
  "apps/deployments": deployment,
  "apps/replicasets": replicaSet,
  "apps/daemonsets": daemonSet,
  "apps/statefulsets": (object, now) => [
    name(object),
    `${count(object, "status", "readyReplicas")}/${count(object, "spec", "replicas")}`,
    ageOf(object, now),
    ...containers(at(object, "spec", "template")),
  ],
  "batch/jobs": job,
  "batch/cronjobs": cronJob,
  "coordination.k8s.io/leases": (object, now) => [
    name(object),
    textAt(object, "spec", "holderIdentity"),
    ageOf(object, now),
  ],
  "storage.k8s.io/storageclasses": (object, now) => [
    name(object) + (isDefaultClass(object) ? " (default)" : ""),
    textAt(object, "provisioner"),
    textAt(object, "reclaimPolicy"),
    textAt(object, "volumeBindingMode"),
    at(object, "allowVolumeExpansion") === true,
    ageOf(object, now),
  ],
  "rbac.authorization.k8s.io/roles": created,
  "rbac.authorization.k8s.io/clusterroles": created,
  "rbac.authorization.k8s.io/rolebindings": binding,
  "rbac.authorization.k8s.io/clusterrolebindings": binding,
  "apiextensions.k8s.io/customresourcedefinitions": created,
};

function isDefaultClass(object: JsonObject): boolean {
  return textAt(object, "metadata", "annotations", "storageclass.kubernetes.io/is-default-class") === "true";
}
