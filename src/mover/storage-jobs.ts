import { resourceOf } from "../api/kinds.ts";
import { type KubeObject, nameOf, refOf } from "../api/meta.ts";
import { HoldfastError } from "../base/errors.ts";
import { ExitCode } from "../base/exit-code.ts";
import type { Objects } from "../ports/objects/objects.ts";
import type { JobContext, JobOutcome } from "./job-context.ts";
import { type JobFlags, usageError } from "./job-flags.ts";
import { readNeeded } from "./read-object.ts";
import { openStorageObjects } from "./repository-access.ts";
import { textAt } from "./storage/fields.ts";
import { initialiseRepository } from "./storage/initialise-repository.ts";
import { initialiseStorage } from "./storage/initialise-storage.ts";
import { wipe, writeSnapshotFile } from "./storage/snapshot-file.ts";

/**
 * The jobs for backends whose volume only a pod can mount: what the operator does itself for object stores.
 */
export const storageFlags = ["namespace", "name"] as const;
export const storageUploadFlags = [...storageFlags, "repository", "snapshot"] as const;
export const storageCleanFlags = [...storageFlags, "directory"] as const;

/** metadata.yaml if absent; otherwise the Repository and Snapshot objects that are missing come back. */
export async function storageInitialize(context: JobContext, flags: JobFlags): Promise<JobOutcome> {
  const { storage, objects } = await openStorage(context, flags);
  const { created, repositories, snapshotsCreated } = await initialiseStorage({
    kube: context.kube,
    objects,
    storage,
    clock: context.clock,
    operatorVersion: context.version,
    signal: context.signal,
  });
  const who = nameOf(refOf(storage));
  const failed = repositories.filter(({ synced }) => !synced);
  for (const { namespace, name, error } of failed) context.log(`Repository ${namespace}/${name}: ${error}`);
  // The storage is usable all the same: what could not come back is told, and is no reason to refuse backups.
  const back = `${repositories.length - failed.length} repositories and ${snapshotsCreated} snapshots`;
  const message = created
    ? `${who} is initialised`
    : `${who} was initialised already; ${back} came back${failed.length === 0 ? "" : `, ${failed.length} repositories did not`}`;
  return { exitCode: ExitCode.ok, message };
}

/** repository.yaml of `--repository=ns/name`, or snapshots/<name>.yaml of `--snapshot=ns/name`. */
export async function storageUpload(context: JobContext, flags: JobFlags): Promise<JobOutcome> {
  const repositoryName = flags.text("repository");
  const snapshotName = flags.text("snapshot");
  if ((repositoryName === undefined) === (snapshotName === undefined)) {
    throw usageError(
      "job storage-upload needs exactly one of --repository and --snapshot",
      "Add --repository=NAMESPACE/NAME or --snapshot=NAMESPACE/NAME.",
    );
  }
  const { storage, objects } = await openStorage(context, flags);
  if (repositoryName !== undefined) {
    const name = namespacedName("repository", repositoryName);
    const repository = await readNeeded(context, resourceOf("Repository"), name, "this job");
    refuseOtherStorage(repository, storage);
    await initialiseRepository(context.kube, objects, repository, context.signal);
    return { exitCode: ExitCode.ok, message: `${nameOf(refOf(repository))} is in ${objects.where}` };
  }
  const name = namespacedName("snapshot", snapshotName ?? "");
  const snapshot = await readNeeded(context, resourceOf("Snapshot"), name, "this job");
  const repository = await readNeeded(
    context,
    resourceOf("Repository"),
    { namespace: name.namespace, name: textAt(snapshot, "spec", "repository") ?? "" },
    nameOf(refOf(snapshot)),
  );
  refuseOtherStorage(repository, storage);
  await writeSnapshotFile(objects, repository, snapshot, context.clock.now());
  return { exitCode: ExitCode.ok, message: `${nameOf(refOf(snapshot))} is in ${objects.where}` };
}

/** Deletes everything under `--directory`; without it, everything that the storage holds. */
export async function storageClean(context: JobContext, flags: JobFlags): Promise<JobOutcome> {
  const { objects } = await openStorage(context, flags);
  const directory = flags.text("directory") ?? "";
  const deleted = await wipe(objects, directory);
  return {
    exitCode: ExitCode.ok,
    message: `deleted ${deleted} objects under ${directory || "/"} of ${objects.where}`,
  };
}

async function openStorage(
  context: JobContext,
  flags: JobFlags,
): Promise<{ readonly storage: KubeObject; readonly objects: Objects }> {
  const name = { namespace: flags.required("namespace"), name: flags.required("name") };
  const storage = await readNeeded(context, resourceOf("BackupStorage"), name, "this job");
  return { storage, objects: await openStorageObjects(context, storage) };
}

function namespacedName(flag: string, text: string): { readonly namespace: string; readonly name: string } {
  const [namespace, name, ...more] = text.split("/");
  if (namespace && name && more.length === 0) return { namespace, name };
  throw usageError(
    `job storage-upload: --${flag}=${text} is not of the form NAMESPACE/NAME`,
    "Write both parts.",
  );
}

function refuseOtherStorage(repository: KubeObject, storage: KubeObject): void {
  const namespace = textAt(repository, "spec", "storageRef", "namespace") ?? repository.metadata.namespace;
  const name = textAt(repository, "spec", "storageRef", "name");
  if (name === storage.metadata.name && namespace === storage.metadata.namespace) return;
  throw new HoldfastError(
    "OtherStorage",
    `${nameOf(refOf(repository))} is in BackupStorage ${namespace}/${name}, not in ${nameOf(refOf(storage))}`,
    { disposition: "stall", next: "Name the BackupStorage of the repository." },
  );
}
