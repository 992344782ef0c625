import { builtIn } from "../../api/built-in.ts";
import type { KubeObject } from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Kube } from "../../ports/kube/kube.ts";
import { isKubeError } from "../../ports/kube/kube-error.ts";
import type { Objects } from "../../ports/objects/objects.ts";
import {
  type ListedRepository,
  listRepository,
  readMetadata,
  readObject,
  repositoryKey,
  writeMetadata,
} from "./backend-layout.ts";
import { bringBackRepository, bringBackSnapshots, type Place } from "./bring-back.ts";
import { textAt } from "./fields.ts";

export type InitialiseRequest = {
  readonly kube: Kube;
  readonly objects: Objects;
  readonly storage: KubeObject;
  readonly clock: Clock;
  /** Written into a new metadata.yaml. */
  readonly operatorVersion: string;
  readonly signal?: AbortSignal;
};

/** An entry of BackupStorage.status.repositories[]. */
export type SyncedRepository = ListedRepository & {
  readonly synced: boolean;
  readonly error?: string;
};

export type Initialised = {
  /** True when there was no metadata.yaml. */
  readonly created: boolean;
  readonly repositories: readonly SyncedRepository[];
  /** Snapshot objects that were made. */
  readonly snapshotsCreated: number;
};

/**
 * Writes metadata.yaml when the backend has none. Otherwise attaches to what is there: Repository and
 * Snapshot objects that are missing are created from their files, existing ones are never overwritten, and
 * what cannot come back is told per repository. Bears being run again at any time.
 */
export async function initialiseStorage(request: InitialiseRequest): Promise<Initialised> {
  const { objects, clock, operatorVersion } = request;
  const meta = await readMetadata(objects);
  if (meta === undefined) {
    const creationTimestamp = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    await writeMetadata(objects, { creationTimestamp, operatorVersion, repositories: [] });
  }
  const found = await findDirectories(objects, meta?.repositories ?? []);
  const repositories: SyncedRepository[] = [];
  let snapshotsCreated = 0;
  for (const [directory, listed] of found) {
    request.signal?.throwIfAborted();
    const { entry, created } = await attach(request, directory, listed);
    snapshotsCreated += created;
    if (entry !== undefined) repositories.push(entry);
  }
  return { created: meta === undefined, repositories, snapshotsCreated };
}

/** Directories of repositories: those of the list, and those that hold a repository.yaml without being in it. */
async function findDirectories(
  objects: Objects,
  listed: readonly ListedRepository[],
): Promise<ReadonlyMap<string, ListedRepository | undefined>> {
  const found = new Map<string, ListedRepository | undefined>();
  for (const entry of listed) found.set(entry.path.replace(/^\/+|\/+$/g, ""), entry);
  const name = "/repository.yaml";
  for await (const { key } of objects.list("")) {
    const directory = key.slice(0, -name.length);
    if (key.endsWith(name) && !found.has(directory)) found.set(directory, undefined);
  }
  return found;
}

async function attach(
  request: InitialiseRequest,
  directory: string,
  listed: ListedRepository | undefined,
): Promise<{ readonly entry: SyncedRepository | undefined; readonly created: number }> {
  const place: Place = request;
  let entry: ListedRepository | undefined = listed;
  try {
    const stored = await readObject(request.objects, repositoryKey(directory));
    if (stored === undefined)
      return { entry: failed(entry, `${directory} holds no repository.yaml`), created: 0 };
    entry = { ...listed, ...entryOf(stored, directory) };
    const why = await namespaceProblem(request, entry.namespace);
    if (why !== undefined) return { entry: failed(entry, why), created: 0 };
    const repository = await bringBackRepository(place, stored, request.storage);
    await listRepository(request.objects, entry);
    const { created, error } = await bringBackSnapshots(place, directory, repository);
    return { entry: error === undefined ? { ...entry, synced: true } : failed(entry, error), created };
  } catch (thrown) {
    if (request.signal?.aborted) throw thrown;
    entry ??= { name: directory, namespace: "", path: `/${directory}` };
    return { entry: failed(entry, messageOf(thrown)), created: 0 };
  }
}

function entryOf(stored: KubeObject, directory: string): ListedRepository {
  const size = textAt(stored, "status", "size");
  return {
    name: stored.metadata.name,
    namespace: stored.metadata.namespace ?? "",
    path: textAt(stored, "spec", "path") ?? `/${directory}`,
    ...(size === undefined ? {} : { size }),
  };
}

async function namespaceProblem(request: InitialiseRequest, namespace: string): Promise<string | undefined> {
  try {
    const found = await request.kube.get(builtIn.Namespace, { name: namespace }, request.signal);
    if (found !== undefined) return undefined;
    return `namespace ${namespace} does not exist; create it, and the repository comes back`;
  } catch (thrown) {
    // Whoever may create a Repository there need not be allowed to read the Namespace itself.
    if (isKubeError(thrown, 403)) return undefined;
    throw thrown;
  }
}

function failed(entry: ListedRepository | undefined, error: string): SyncedRepository | undefined {
  return entry === undefined ? undefined : { ...entry, synced: false, error };
}
