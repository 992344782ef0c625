import { resourceOf } from "../../api/kinds.ts";
import { apiVersionOf, groupOf, type KubeObject, nameOf, type Resource, refOf } from "../../api/meta.ts";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import type { Kube } from "../../ports/kube/kube.ts";
import { isKubeError } from "../../ports/kube/kube-error.ts";
import type { Objects } from "../../ports/objects/objects.ts";
import { forBackend, readObject } from "./backend-layout.ts";
import { fieldsAt, textAt } from "./fields.ts";
import { inParallel } from "./in-parallel.ts";

const writing = { manager: "holdfast" };
const atOnce = 8;
/** Names of files that could not be brought back, in one message. */
const namedAtMost = 5;
const finalizer = "kubestash.com/cleanup";

export type Place = { readonly kube: Kube; readonly objects: Objects; readonly signal?: AbortSignal };

/**
 * Creates the Repository that `<directory>/repository.yaml` describes when it is not there, bound to
 * `storage`, with its status. An existing one is left as it is; one that means another place is refused.
 */
export async function bringBackRepository(
  place: Place,
  stored: KubeObject,
  storage: KubeObject,
): Promise<KubeObject> {
  const { name, namespace } = stored.metadata;
  if (namespace === undefined) throw unusable(stored, "has no namespace");
  const present = await place.kube.get(resourceOf("Repository"), { namespace, name }, place.signal);
  if (present !== undefined) return samePlace(present, stored, storage);
  const spec = {
    ...fieldsAt(stored, "spec"),
    storageRef: { name: storage.metadata.name, namespace: storage.metadata.namespace },
  };
  return await createWithStatus(place, resourceOf("Repository"), { ...stored, spec });
}

/**
 * Creates the Snapshot objects whose files lie in `<directory>/snapshots/` and that are not there, owned by
 * `repository`. Answers how many were made, and one sentence about those that could not be.
 */
export async function bringBackSnapshots(
  place: Place,
  directory: string,
  repository: KubeObject,
): Promise<{ readonly created: number; readonly error?: string }> {
  const present = await presentSnapshots(place, repository);
  let created = 0;
  const failures: string[] = [];
  const keys = await snapshotKeys(place.objects, directory);
  await inParallel(keys, atOnce, async (key) => {
    try {
      if (await bringBackSnapshot(place, key, repository, present)) created += 1;
    } catch (thrown) {
      if (place.signal?.aborted) throw thrown;
      failures.push(`${key}: ${messageOf(thrown)}`);
    }
  });
  if (failures.length === 0) return { created };
  const named = failures.toSorted().slice(0, namedAtMost).join("; ");
  return { created, error: `${failures.length} of ${keys.length} snapshots did not come back: ${named}` };
}

async function bringBackSnapshot(
  place: Place,
  key: string,
  repository: KubeObject,
  present: ReadonlyMap<string, { readonly hasStatus: boolean }>,
): Promise<boolean> {
  const name = key.slice(key.lastIndexOf("/") + 1, -".yaml".length);
  const known = present.get(name);
  if (known?.hasStatus) return false;
  const stored = await readObject(place.objects, key);
  if (stored === undefined) return false;
  const { namespace } = repository.metadata;
  const fits =
    stored.kind === "Snapshot" &&
    groupOf(stored.apiVersion) === resourceOf("Snapshot").group &&
    stored.metadata.name === name &&
    textAt(stored, "spec", "repository") === repository.metadata.name;
  if (!fits) throw unusable(stored, `is not the Snapshot ${name} of ${nameOf(refOf(repository))}`);
  const owner = {
    apiVersion: apiVersionOf(resourceOf("Repository")),
    kind: resourceOf("Repository").kind,
    name: repository.metadata.name,
    uid: repository.metadata.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
  const metadata = {
    ...stored.metadata,
    ...(namespace === undefined ? {} : { namespace }),
    ownerReferences: [owner],
  };
  await createWithStatus(place, resourceOf("Snapshot"), { ...stored, metadata });
  return known === undefined;
}

/**
 * Two writes, because a create drops the status. Killed between the two, the next run finds an object
 * without status and fills it in; a status that is there is never touched.
 */
async function createWithStatus(place: Place, resource: Resource, object: KubeObject): Promise<KubeObject> {
  const { ownerReferences } = object.metadata;
  const { status, ...clean } = forBackend(object);
  const { creationTimestamp: _created, generation: _generation, ...metadata } = clean.metadata;
  const wanted = {
    ...clean,
    apiVersion: apiVersionOf(resource),
    metadata: {
      ...metadata,
      finalizers: [finalizer],
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
    },
  };
  const options = { ...writing, ...(place.signal === undefined ? {} : { signal: place.signal }) };
  const live = await createOrGet(place, resource, wanted, options);
  if (status === undefined || live["status"] !== undefined) return live;
  if (textAt(live, "spec", "snapshotID") !== textAt(object, "spec", "snapshotID")) {
    throw unusable(live, "exists already and is another run's");
  }
  const { name, namespace } = live.metadata;
  return await place.kube.mergePatch(
    resource,
    namespace === undefined ? { name } : { namespace, name },
    { metadata: { resourceVersion: live.metadata.resourceVersion }, status },
    { ...options, subresource: "status" },
  );
}

async function createOrGet(
  place: Place,
  resource: Resource,
  wanted: KubeObject,
  options: { readonly manager: string; readonly signal?: AbortSignal },
): Promise<KubeObject> {
  try {
    return await place.kube.create(resource, wanted, options);
  } catch (thrown) {
    if (!isKubeError(thrown, 409)) throw thrown;
    const { name, namespace } = wanted.metadata;
    const key = namespace === undefined ? { name } : { namespace, name };
    const live = await place.kube.get(resource, key, place.signal);
    if (live === undefined || live.metadata.deletionTimestamp !== undefined) throw thrown;
    return live;
  }
}

async function presentSnapshots(
  place: Place,
  repository: KubeObject,
): Promise<ReadonlyMap<string, { readonly hasStatus: boolean }>> {
  const present = new Map<string, { readonly hasStatus: boolean }>();
  const { namespace } = repository.metadata;
  const options = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(place.signal === undefined ? {} : { signal: place.signal }),
  };
  for await (const page of place.kube.list(resourceOf("Snapshot"), options)) {
    for (const item of page.items) {
      present.set(item.metadata.name, { hasStatus: item["status"] !== undefined });
    }
  }
  return present;
}

async function snapshotKeys(objects: Objects, directory: string): Promise<readonly string[]> {
  const folder = `${directory}/snapshots/`;
  const keys: string[] = [];
  for await (const { key } of objects.list(folder)) {
    if (key.endsWith(".yaml") && !key.slice(folder.length).includes("/")) keys.push(key);
  }
  return keys;
}

function samePlace(present: KubeObject, stored: KubeObject, storage: KubeObject): KubeObject {
  const storageNamespace =
    textAt(present, "spec", "storageRef", "namespace") ?? present.metadata.namespace ?? "";
  const bound =
    textAt(present, "spec", "storageRef", "name") === storage.metadata.name &&
    storageNamespace === storage.metadata.namespace;
  const directory = (object: KubeObject) => (textAt(object, "spec", "path") ?? "").replace(/^\/+|\/+$/g, "");
  if (bound && directory(present) === directory(stored)) return present;
  throw unusable(present, "exists already and means another directory or BackupStorage");
}

function unusable(object: KubeObject, why: string): HoldfastError {
  return new HoldfastError("CannotBringBack", `${nameOf(refOf(object))} ${why}`, {
    disposition: "stall",
    next: "Rename or remove the object that is in the way, or correct the file in the backend.",
  });
}
