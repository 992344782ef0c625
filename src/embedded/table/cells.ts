import type { Json, JsonObject } from "../../base/json.ts";
import { at, listAt, numberAt, objectAt, textAt, textsAt } from "../value.ts";
import { ageOf, type Cells, labelsText, name, none, or, selector } from "./cell-text.ts";
import { age, humanDuration } from "./duration.ts";
import { networkCells } from "./network-cells.ts";
import { podCells } from "./pod-cells.ts";
import { storageCells } from "./storage-cells.ts";

const count = (object: JsonObject, ...path: readonly string[]) => numberAt(object, ...path) ?? 0;

function containers(template: Json | undefined): readonly [string, string] {
  const list = listAt(template, "spec", "containers");
  return [
    list.map((container) => textAt(container, "name")).join(","),
    list.map((container) => textAt(container, "image")).join(","),
  ];
}

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

const amount = (value: Json | undefined): string => (value === undefined ? "N/A" : String(value));

function controllerText(object: JsonObject): string {
  const owner = listAt(object, "metadata", "ownerReferences").find((one) => at(one, "controller") === true);
  if (owner === undefined) return none;
  const [group = "", version] = textAt(owner, "apiVersion").split("/");
  const kind = textAt(owner, "kind").toLowerCase();
  return `${version === undefined ? kind : `${kind}.${group}`}/${textAt(owner, "name")}`;
}

/** What is used of each resource, requests and limits apart. */
function quota(object: JsonObject, now: number): readonly Json[] {
  const parts = Object.entries(objectAt(object, "status", "hard"))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([resource, hard]) => {
      const used = textAt(object, "status", "used", resource) || "0";
      return { limit: resource.startsWith("limits"), text: `${resource}: ${used}/${String(hard)}` };
    });
  const of = (limit: boolean) => parts.filter((part) => part.limit === limit).map((part) => part.text);
  return [name(object), of(false).join(", "), of(true).join(", "), ageOf(object, now)];
}

const size = (object: JsonObject, ...fields: readonly string[]) =>
  fields.reduce((sum, field) => sum + Object.keys(objectAt(object, field)).length, 0);

const created: Cells = (object) => [name(object), textAt(object, "metadata", "creationTimestamp")];

/** Kinds that are not here show their name, their age and nothing else. */
export const cells: Readonly<Record<string, Cells>> = {
  ...networkCells,
  ...storageCells,
  "/pods": podCells,
  "/limitranges": created,
  "/podtemplates": (object) => [
    name(object),
    ...containers(at(object, "template")),
    labelsText(objectAt(object, "template", "metadata", "labels")),
  ],
  "/replicationcontrollers": (object, now) => [
    ...replicaSet(object, now).slice(0, -1),
    labelsText(objectAt(object, "spec", "selector")),
  ],
  "/resourcequotas": quota,
  "apps/controllerrevisions": (object, now) => [
    name(object),
    controllerText(object),
    count(object, "revision"),
    ageOf(object, now),
  ],
  "policy/poddisruptionbudgets": (object, now) => [
    name(object),
    amount(at(object, "spec", "minAvailable")),
    amount(at(object, "spec", "maxUnavailable")),
    count(object, "status", "disruptionsAllowed"),
    ageOf(object, now),
  ],
  "scheduling.k8s.io/priorityclasses": (object, now) => [
    name(object),
    count(object, "value"),
    object["globalDefault"] === true,
    ageOf(object, now),
    textAt(object, "preemptionPolicy"),
  ],
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
  "rbac.authorization.k8s.io/roles": created,
  "rbac.authorization.k8s.io/clusterroles": created,
  "rbac.authorization.k8s.io/rolebindings": binding,
  "rbac.authorization.k8s.io/clusterrolebindings": binding,
  "apiextensions.k8s.io/customresourcedefinitions": created,
};
