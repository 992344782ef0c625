import { groupOf, type KubeObject, type Resource } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { isFields } from "../../base/json.ts";
import type { Kube, ObjectName } from "../../ports/kube/kube.ts";
import { isKubeError } from "../../ports/kube/kube-error.ts";
import { moverManager } from "../job-context.ts";
import { fieldAt, fieldsAt, listAt, textAt, withField, withoutField } from "../storage/fields.ts";

export type WriteResult = {
  readonly did: "created" | "updated" | "same" | "conflict";
  readonly live: KubeObject;
};

export type CreateRequest = {
  readonly kube: Kube;
  readonly override: boolean;
  readonly signal: AbortSignal;
};

const conflictAttempts = 4;

/**
 * Creates an object. One that exists stays as it is, or with `override` gets the dump's labels, annotations and
 * everything beside metadata and status. One that is being deleted is an error: it can come back later.
 */
export async function createObject(
  request: CreateRequest,
  resource: Resource,
  object: KubeObject,
): Promise<WriteResult> {
  try {
    return { did: "created", live: await createOnce(request, resource, object) };
  } catch (thrown) {
    if (!isKubeError(thrown, 409)) throw thrown;
    const live = await getLive(request, resource, object);
    if (live === undefined) throw thrown;
    return request.override ? await replaceLive(request, resource, object, live) : { did: "conflict", live };
  }
}

async function createOnce(
  request: CreateRequest,
  resource: Resource,
  object: KubeObject,
): Promise<KubeObject> {
  const options = { manager: moverManager, signal: request.signal };
  try {
    return await request.kube.create(resource, object, options);
  } catch (thrown) {
    const freed = isKubeError(thrown, 422) ? withoutAddresses(object) : undefined;
    if (freed === undefined) throw thrown;
    return await request.kube.create(resource, freed, options);
  }
}

/**
 * A Service whose cluster IP or node port is taken, or not of this cluster, gets new ones. A headless one keeps
 * its `None`. Undefined when there is nothing to let go.
 */
export function withoutAddresses(object: KubeObject): KubeObject | undefined {
  if (object.kind !== "Service" || groupOf(object.apiVersion) !== "") return undefined;
  let spec = fieldsAt(object, "spec");
  const before = spec;
  if (textAt(spec, "clusterIP") !== "None") {
    spec = withoutField(withoutField(spec, "clusterIP"), "clusterIPs");
  }
  spec = withoutField(spec, "healthCheckNodePort");
  const ports = listAt(spec, "ports");
  if (ports.some((port) => fieldAt(port, "nodePort") !== undefined)) {
    const free = ports.map((port) => (isFields(port) ? withoutField(port, "nodePort") : port));
    spec = withField(spec, ["ports"], free);
  }
  return spec === before ? undefined : { ...object, spec };
}

async function getLive(
  request: CreateRequest,
  resource: Resource,
  object: KubeObject,
): Promise<KubeObject | undefined> {
  const live = await request.kube.get(resource, nameIn(object), request.signal);
  if (live?.metadata.deletionTimestamp === undefined) return live;
  throw new HoldfastError("BeingDeleted", "the object of this name is being deleted", {
    disposition: "retry",
    next: "Wait until it is gone, or remove the finalizer that holds it.",
  });
}

export function nameIn(object: KubeObject): ObjectName {
  const { name, namespace } = object.metadata;
  return namespace === undefined ? { name } : { namespace, name };
}

async function replaceLive(
  request: CreateRequest,
  resource: Resource,
  object: KubeObject,
  first: KubeObject,
): Promise<WriteResult> {
  let live = first;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const replaced = await request.kube.replace(resource, overlay(live, object), {
        manager: moverManager,
        signal: request.signal,
      });
      const same = replaced.metadata.resourceVersion === live.metadata.resourceVersion;
      return { did: same ? "same" : "updated", live: replaced };
    } catch (thrown) {
      if (!isKubeError(thrown, 409) || attempt === conflictAttempts) throw thrown;
      const again = await getLive(request, resource, object);
      if (again === undefined) return { did: "created", live: await createOnce(request, resource, object) };
      live = again;
    }
  }
}

/** The live object with the dump's content; what only the live one can know (uid, version, owners) stays. */
export function overlay(live: KubeObject, dumped: KubeObject): KubeObject {
  const { labels: _labels, annotations: _annotations, managedFields: _managed, ...metadata } = live.metadata;
  const { labels, annotations } = dumped.metadata;
  const status = live["status"];
  const merged: KubeObject = {
    ...keepAssigned(live, dumped),
    metadata: {
      ...metadata,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
  return status === undefined ? merged : { ...merged, status };
}

/** Fields that the cluster assigned and that cannot change; the dump gave them up or has the old cluster's. */
function keepAssigned(live: KubeObject, dumped: KubeObject): KubeObject {
  switch (`${groupOf(dumped.apiVersion)}/${dumped.kind}`) {
    case "/Service":
      return withLive(live, dumped, ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]);
    case "/PersistentVolumeClaim":
      return withLive(live, dumped, ["volumeName"]);
    case "/Pod":
      return withLive(live, dumped, [
        "nodeName",
        "serviceAccountName",
        "serviceAccount",
        "volumes",
        "tolerations",
      ]);
    case "batch/Job":
      return withLive(live, dumped, ["selector", "template"]);
    default:
      return dumped;
  }
}

function withLive(live: KubeObject, dumped: KubeObject, fields: readonly string[]): KubeObject {
  const assigned = fields
    .map((field) => [field, fieldAt(live, "spec", field)] as const)
    .filter(([, value]) => value !== undefined);
  return { ...dumped, spec: { ...fieldsAt(dumped, "spec"), ...Object.fromEntries(assigned) } };
}
