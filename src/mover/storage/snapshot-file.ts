import { snapshotConditions } from "../../api/condition-types.ts";
import { setCondition } from "../../api/conditions.ts";
import type { KubeObject } from "../../api/meta.ts";
import { snapshotPhase } from "../../api/phases/snapshot-phase.ts";
import type { SnapshotStatus } from "../../api/snapshot.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { Objects } from "../../ports/objects/objects.ts";
import {
  directoryOf,
  listRepository,
  repositoryKey,
  snapshotKey,
  unlistRepositories,
  writeObject,
} from "./backend-layout.ts";
import { folderOf } from "./folder.ts";
import { listedAs } from "./initialise-repository.ts";

/**
 * Writes `snapshots/<name>.yaml` of a finished Snapshot and keeps the repository's line in metadata.yaml current.
 * The file holds the Snapshot as it is once this very write has succeeded, so that what comes back from it is whole.
 */
export async function writeSnapshotFile(
  objects: Objects,
  repository: KubeObject,
  snapshot: KubeObject,
  nowMs: number,
): Promise<void> {
  const key = snapshotKey(directoryOf(repository), snapshot.metadata.name);
  await writeObject(objects, key, { ...snapshot, status: publishedStatus(snapshot, nowMs) });
  await listRepository(objects, listedAs(repository));
}

function publishedStatus(snapshot: KubeObject, nowMs: number): SnapshotStatus {
  const status = (snapshot["status"] ?? {}) as SnapshotStatus;
  const { type, whenTrue } = snapshotConditions.metadataUploaded;
  const conditions = setCondition(status.conditions, { type, status: "True", reason: whenTrue }, nowMs);
  const published = { ...status, conditions };
  return { ...published, phase: snapshotPhase(published) };
}

/** Content when the file is gone already. */
export async function removeSnapshotFile(
  objects: Objects,
  repository: KubeObject,
  snapshot: string,
): Promise<void> {
  await objects.delete(snapshotKey(directoryOf(repository), snapshot));
}

/**
 * Deletes everything under a directory of the backend; "" is the whole prefix. The list in metadata.yaml
 * goes first, so that a re-attach after a kill does not bring back what is being deleted. Answers how many
 * objects went. `RepositoryInside` stalls: consent for one repository is none for those that lie below it.
 */
export async function wipe(objects: Objects, directory: string): Promise<number> {
  const folder = folderOf(directory, "directory to wipe");
  if (folder !== "") await refuseOthersInside(objects, folder);
  await unlistRepositories(objects, folder);
  if (folder !== "") await objects.delete(`${folder}/repository.yaml`);
  return await objects.deleteAll(folder);
}

async function refuseOthersInside(objects: Objects, folder: string): Promise<void> {
  const own = repositoryKey(folder);
  for await (const { key } of objects.list(`${folder}/`)) {
    if (key === own || !key.endsWith("/repository.yaml")) continue;
    throw new HoldfastError(
      "RepositoryInside",
      `${folder} in ${objects.where} is not wiped: another repository lies in it (${key})`,
      { disposition: "stall", next: "Move or remove that repository first, or take the consent back." },
    );
  }
}
