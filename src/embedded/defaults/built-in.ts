import { Buffer } from "node:buffer";
import type { Json, JsonObject } from "../../base/json.ts";
import { isObject, listAt, objectAt, textAt, textsAt, withAt, without } from "../value.ts";
import { mapped, over, podSpecWithDefaults, qosClass } from "./pod.ts";
import {
  claimDefaults,
  cronJobDefaults,
  daemonSetDefaults,
  deploymentDefaults,
  jobDefaults,
  jobSelector,
  replicaSetDefaults,
  statefulSetDefaults,
} from "./workloads.ts";

/** What a new object may look up among the others. */
type Surroundings = {
  /** Stored objects of a resource, e.g. `storage.k8s.io/storageclasses`. */
  list(resource: string): readonly JsonObject[];
};

type Defaults = {
  /** At every write. */
  readonly always?: (object: JsonObject) => JsonObject;
  /** Once, at creation: what the real server's admission and strategies fill in. */
  readonly atCreation?: (object: JsonObject, surroundings: Surroundings) => JsonObject;
  /** The status of a new object; absent: none. `keep`: the one that was sent. */
  readonly status?: JsonObject | "keep";
};

const table: Readonly<Record<string, Defaults>> = {
  "/pods": { always: (pod) => mapped(pod, "spec", podDefaults), atCreation: newPod },
  "/podtemplates": { always: (object) => mapped(object, "template", templateDefaults) },
  "/replicationcontrollers": { always: replicaSetDefaults },
  "/namespaces": { always: namespaceDefaults, status: { phase: "Active" } },
  "/nodes": { status: "keep" },
  "/secrets": { always: secretDefaults },
  "/services": { always: serviceDefaults, atCreation: withAddress, status: { loadBalancer: {} } },
  "/persistentvolumeclaims": {
    always: claimDefaults,
    atCreation: withDefaultClass,
    status: { phase: "Pending" },
  },
  "/persistentvolumes": { always: volumeDefaults, status: { phase: "Pending" } },
  "apps/deployments": { always: deploymentDefaults },
  "apps/replicasets": { always: replicaSetDefaults },
  "apps/daemonsets": { always: daemonSetDefaults },
  "apps/statefulsets": { always: statefulSetDefaults },
  "batch/jobs": { always: jobDefaults, atCreation: jobSelector },
  "batch/cronjobs": { always: cronJobDefaults },
  "storage.k8s.io/storageclasses": {
    always: (object) => over({ reclaimPolicy: "Delete", volumeBindingMode: "Immediate" }, object),
  },
  "storage.k8s.io/csidrivers": { always: driverDefaults },
  "networking.k8s.io/networkpolicies": { always: policyDefaults },
  "scheduling.k8s.io/priorityclasses": {
    always: (object) => over({ preemptionPolicy: "PreemptLowerPriority" }, object),
  },
  "rbac.authorization.k8s.io/rolebindings": { always: bindingDefaults },
  "rbac.authorization.k8s.io/clusterrolebindings": { always: bindingDefaults },
  "apiextensions.k8s.io/customresourcedefinitions": { always: definitionDefaults },
};

export function withDefaults(resource: string, object: JsonObject): JsonObject {
  return table[resource]?.always?.(object) ?? object;
}

export function atCreation(resource: string, object: JsonObject, surroundings: Surroundings): JsonObject {
  return table[resource]?.atCreation?.(object, surroundings) ?? object;
}

/** The object as it is when it is new: what its kind reports of itself is not taken from a request. */
export function withNewStatus(resource: string, object: JsonObject): JsonObject {
  const status = table[resource]?.status;
  return status === "keep" ? object : withAt(object, ["status"], status);
}

function podDefaults(spec: JsonObject): JsonObject {
  return over({ enableServiceLinks: true }, podSpecWithDefaults(spec));
}

function templateDefaults(template: JsonObject): JsonObject {
  return mapped(template, "spec", podSpecWithDefaults);
}

const tolerated: readonly JsonObject[] = ["not-ready", "unreachable"].map((condition) => ({
  key: `node.kubernetes.io/${condition}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 300,
}));

function newPod(pod: JsonObject): JsonObject {
  const spec = objectAt(pod, "spec");
  const tolerations = listAt(spec, "tolerations");
  const missing = tolerated.filter(
    (wanted) =>
      !tolerations.some((known) => textAt(known, "key") === wanted["key"] || textAt(known, "key") === ""),
  );
  const account = textAt(spec, "serviceAccountName") || "default";
  return {
    ...pod,
    spec: {
      ...over({ priority: 0, preemptionPolicy: "PreemptLowerPriority" }, spec),
      serviceAccountName: account,
      serviceAccount: account,
      tolerations: [...tolerations, ...missing],
    },
    status: { phase: "Pending", qosClass: qosClass(spec) },
  };
}

function namespaceDefaults(object: JsonObject): JsonObject {
  const labels = objectAt(object, "metadata", "labels");
  const name = textAt(object, "metadata", "name");
  const labelled =
    name === ""
      ? object
      : withAt(object, ["metadata", "labels"], { ...labels, "kubernetes.io/metadata.name": name });
  const terminating = textAt(object, "metadata", "deletionTimestamp") !== "";
  if (terminating || textsAt(object, "spec", "finalizers").length > 0) return labelled;
  return withAt(labelled, ["spec", "finalizers"], ["kubernetes"]);
}

/** `stringData` is a way to write, never stored. */
function secretDefaults(object: JsonObject): JsonObject {
  const texts = Object.entries(objectAt(object, "stringData"));
  const typed = over({ type: "Opaque" }, without(object, "stringData"));
  if (texts.length === 0) return typed;
  const data: Record<string, Json> = { ...objectAt(object, "data") };
  for (const [key, value] of texts) data[key] = Buffer.from(String(value)).toString("base64");
  return { ...typed, data };
}

function serviceDefaults(object: JsonObject): JsonObject {
  return mapped(object, "spec", (raw) => {
    const spec = over({ type: "ClusterIP", sessionAffinity: "None" }, raw);
    const ports = mapped(spec, "ports", (port) =>
      over({ protocol: "TCP", targetPort: port["port"] ?? 0 }, port),
    );
    if (spec["type"] === "ExternalName") return ports;
    const outside = spec["type"] === "ClusterIP" ? {} : { externalTrafficPolicy: "Cluster" };
    return over({ internalTrafficPolicy: "Cluster", ...outside }, ports);
  });
}

/** Addresses of 10.96.0.0/16, as most clusters have them; nothing listens there. */
function withAddress(object: JsonObject, surroundings: Surroundings): JsonObject {
  const spec = objectAt(object, "spec");
  if (spec["type"] === "ExternalName") return object;
  const families = { ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" };
  const wanted = textAt(spec, "clusterIP");
  if (wanted !== "") return { ...object, spec: { clusterIPs: [wanted], ...families, ...spec } };
  const taken = new Set(surroundings.list("/services").map((other) => textAt(other, "spec", "clusterIP")));
  let next = 10;
  while (next < 65_534 && taken.has(address(next))) next++;
  return {
    ...object,
    spec: { ...families, ...spec, clusterIP: address(next), clusterIPs: [address(next)] },
  };
}

function address(number: number): string {
  return `10.96.${number >> 8}.${number & 255}`;
}

const defaultClass = "storageclass.kubernetes.io/is-default-class";

function withDefaultClass(claim: JsonObject, surroundings: Surroundings): JsonObject {
  if (objectAt(claim, "spec")["storageClassName"] !== undefined) return claim;
  const named = surroundings
    .list("storage.k8s.io/storageclasses")
    .find((candidate) => textAt(candidate, "metadata", "annotations", defaultClass) === "true");
  if (named === undefined) return claim;
  return withAt(claim, ["spec", "storageClassName"], textAt(named, "metadata", "name"));
}

function volumeDefaults(object: JsonObject): JsonObject {
  return mapped(object, "spec", (spec) =>
    mapped(
      over({ volumeMode: "Filesystem", persistentVolumeReclaimPolicy: "Retain" }, spec),
      "hostPath",
      (path) => over({ type: "" }, path),
    ),
  );
}

function driverDefaults(object: JsonObject): JsonObject {
  const defaults = {
    attachRequired: true,
    fsGroupPolicy: "ReadWriteOnceWithFSType",
    podInfoOnMount: false,
    requiresRepublish: false,
    seLinuxMount: false,
    storageCapacity: false,
    volumeLifecycleModes: ["Persistent"],
  };
  return mapped(object, "spec", (spec) => over(defaults, spec));
}

function policyDefaults(object: JsonObject): JsonObject {
  return mapped(object, "spec", (spec) => {
    const types = spec["egress"] === undefined ? ["Ingress"] : ["Ingress", "Egress"];
    return over({ policyTypes: types }, spec);
  });
}

const rbac = "rbac.authorization.k8s.io";

function bindingDefaults(object: JsonObject): JsonObject {
  const subjects = mapped(object, "subjects", (subject) =>
    subject["kind"] === "ServiceAccount" ? subject : over({ apiGroup: rbac }, subject),
  );
  return mapped(subjects, "roleRef", (ref) => over({ apiGroup: rbac }, ref));
}

function definitionDefaults(object: JsonObject): JsonObject {
  return mapped(object, "spec", (spec) => {
    const kind = textAt(spec, "names", "kind");
    const names = over(
      { singular: kind.toLowerCase(), listKind: kind === "" ? "" : `${kind}List` },
      objectAt(spec, "names"),
    );
    const conversion = isObject(spec["conversion"]) ? spec["conversion"] : { strategy: "None" };
    return { ...spec, names, conversion };
  });
}
