import type { KubeObject } from "../../api/meta.ts";
import type { Objects } from "../../ports/objects/objects.ts";
import {
  directoryOf,
  listRepository,
  snapshotKey,
  unlistRepositories,
  writeObject,
} from "./backend-layout.ts";
import { folderOf } from "./folder.ts";
import { listedAs } from "./initialise-repository.ts";

/** Writes `snapshots/<name>.yaml` of a finished Snapshot and keeps the repository's line in metadata.yaml current. */
export async function writeSnapshotFile(
  objects: Objects,
  repository: KubeObject,
  snapshot: KubeObject,
): Promise<void> {
  await writeObject(objects, snapshotKey(directoryOf(repository), snapshot.metadata.name), snapshot);
  await listRepository(objects, listedAs(repository));
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
 * objects went.
 */
export async function wipe(objects: Objects, directory: string): Promise<number> {
  const folder = folderOf(directory, "directory to wipe");
  await unlistRepositories(objects, folder);
  if (folder !== "") await objects.delete(`${folder}/repository.yaml`);
  return await objects.deleteAll(folder);
}
