import type { Json, JsonObject } from "../../base/json.ts";
import { isList, isObject, listAt, objectAt, textAt } from "../value.ts";

/** Defaults as https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ gives them. */

/** `defaults` below `object`: fields that are there stay. */
export function over(defaults: JsonObject, object: JsonObject): JsonObject {
  return { ...defaults, ...object };
}

export function mapped(object: JsonObject, field: string, change: (item: JsonObject) => Json): JsonObject {
  const value = object[field];
  if (isList(value))
    return { ...object, [field]: value.map((item) => (isObject(item) ? change(item) : item)) };
  return isObject(value) ? { ...object, [field]: change(value) } : object;
}

export function podSpecWithDefaults(spec: JsonObject): JsonObject {
  let out = over(
    {
      restartPolicy: "Always",
      dnsPolicy: "ClusterFirst",
      schedulerName: "default-scheduler",
      terminationGracePeriodSeconds: 30,
      securityContext: {},
    },
    spec,
  );
  out = mapped(out, "containers", container);
  out = mapped(out, "initContainers", container);
  out = mapped(out, "volumes", volume);
  const account = textAt(out, "serviceAccountName") || textAt(out, "serviceAccount");
  return account === "" ? out : { ...out, serviceAccountName: account, serviceAccount: account };
}

function container(spec: JsonObject): JsonObject {
  let out = over(
    {
      resources: {},
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      imagePullPolicy: pullPolicy(textAt(spec, "image")),
    },
    spec,
  );
  out = mapped(out, "ports", (port) => over({ protocol: "TCP" }, port));
  for (const probe of ["livenessProbe", "readinessProbe", "startupProbe"]) out = mapped(out, probe, probed);
  out = mapped(out, "env", (variable) =>
    mapped(variable, "valueFrom", (from) =>
      mapped(from, "fieldRef", (ref) => over({ apiVersion: "v1" }, ref)),
    ),
  );
  return mapped(out, "resources", withRequests);
}

/** `latest` and untagged images are pulled every time. */
function pullPolicy(image: string): string {
  const name = image.slice(image.lastIndexOf("/") + 1);
  if (name.includes("@")) return "IfNotPresent";
  const tag = name.includes(":") ? name.slice(name.indexOf(":") + 1) : "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}

function probed(probe: JsonObject): JsonObject {
  const out = over({ timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }, probe);
  return mapped(out, "httpGet", (get) => over({ path: "/", scheme: "HTTP" }, get));
}

/** A limit without a request is the request too. */
function withRequests(resources: JsonObject): JsonObject {
  const limits = objectAt(resources, "limits");
  if (Object.keys(limits).length === 0) return resources;
  return { ...resources, requests: { ...limits, ...objectAt(resources, "requests") } };
}

const modes: Readonly<Record<string, JsonObject>> = {
  secret: { defaultMode: 420 },
  configMap: { defaultMode: 420 },
  downwardAPI: { defaultMode: 420 },
  projected: { defaultMode: 420 },
  hostPath: { type: "" },
};

function volume(spec: JsonObject): JsonObject {
  const kinds = Object.keys(spec).filter((field) => field !== "name");
  let out: JsonObject = kinds.length === 0 ? { ...spec, emptyDir: {} } : spec;
  for (const [kind, defaults] of Object.entries(modes))
    out = mapped(out, kind, (source) => over(defaults, source));
  return mapped(out, "projected", (projected) =>
    mapped(projected, "sources", (source) =>
      mapped(source, "serviceAccountToken", (token) => over({ expirationSeconds: 3600 }, token)),
    ),
  );
}

/** `Guaranteed`, `Burstable` or `BestEffort`, by the containers' requests and limits. */
export function qosClass(spec: JsonObject): string {
  const containers = [...listAt(spec, "containers"), ...listAt(spec, "initContainers")];
  let guaranteed = containers.length > 0;
  let any = false;
  for (const item of containers) {
    const requests = objectAt(item, "resources", "requests");
    const limits = objectAt(item, "resources", "limits");
    for (const resource of ["cpu", "memory"]) {
      if (requests[resource] !== undefined || limits[resource] !== undefined) any = true;
      if (limits[resource] === undefined || (requests[resource] ?? limits[resource]) !== limits[resource]) {
        guaranteed = false;
      }
    }
  }
  return guaranteed ? "Guaranteed" : any ? "Burstable" : "BestEffort";
}
