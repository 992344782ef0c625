import { groupOf, type KubeObject, nameOf, refOf } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { Kube } from "../../ports/kube/kube.ts";
import type { Objects } from "../../ports/objects/objects.ts";
import { directoryOf, listRepository, readObject, repositoryKey, writeObject } from "./backend-layout.ts";
import { bringBackSnapshots } from "./bring-back.ts";
import { textAt } from "./fields.ts";

export type RepositoryInitialised = {
  /** True when the directory held no repository.yaml. */
  readonly created: boolean;
  /** Snapshot objects that came back from the directory. */
  readonly snapshotsCreated: number;
};

/**
 * Writes repository.yaml when the directory has none. Otherwise the directory must be of this very
 * Repository, and its missing Snapshot objects come back. `RepositoryDirectoryTaken` stalls.
 */
export async function initialiseRepository(
  kube: Kube,
  objects: Objects,
  repository: KubeObject,
  signal?: AbortSignal,
): Promise<RepositoryInitialised> {
  const directory = directoryOf(repository);
  const key = repositoryKey(directory);
  const stored = await readObject(objects, key);
  if (stored === undefined) await writeObject(objects, key, repository);
  else refuseOther(stored, repository, `${key} in ${objects.where}`);
  await listRepository(objects, listedAs(repository));
  if (stored === undefined) return { created: true, snapshotsCreated: 0 };
  const place = signal === undefined ? { kube, objects } : { kube, objects, signal };
  const { created, error } = await bringBackSnapshots(place, directory, repository);
  if (error === undefined) return { created: false, snapshotsCreated: created };
  throw new HoldfastError("SnapshotsNotBroughtBack", `${nameOf(refOf(repository))}: ${error}`, {
    disposition: "retry",
    next: "Correct or remove the files named above in the backend.",
  });
}

/** The repository's entry in metadata.yaml. */
export function listedAs(repository: KubeObject) {
  const size = textAt(repository, "status", "size");
  return {
    name: repository.metadata.name,
    namespace: repository.metadata.namespace ?? "",
    path: textAt(repository, "spec", "path") ?? "",
    ...(size === undefined ? {} : { size }),
  };
}

function refuseOther(stored: KubeObject, repository: KubeObject, where: string): void {
  const same =
    stored.kind === "Repository" &&
    groupOf(stored.apiVersion) === groupOf(repository.apiVersion) &&
    stored.metadata.name === repository.metadata.name &&
    stored.metadata.namespace === repository.metadata.namespace;
  if (same) return;
  throw new HoldfastError(
    "RepositoryDirectoryTaken",
    `${where} belongs to ${nameOf(refOf(stored))}, not to ${nameOf(refOf(repository))}`,
    {
      disposition: "stall",
      next: "Give the repository another directory, or the name and namespace that it had.",
    },
  );
}
