import { resourceOf } from "../api/kinds.ts";
import { type KubeObject, nameOf, refOf } from "../api/meta.ts";
import { HoldfastError } from "../base/errors.ts";
import { ExitCode } from "../base/exit-code.ts";
import type { ResticRepository } from "../ports/restic/restic.ts";
import { savedPath } from "./backup-session.ts";
import { errorOf } from "./interruption.ts";
import type { JobContext, JobOutcome } from "./job-context.ts";
import { type JobFlags, usageError } from "./job-flags.ts";
import { openRepository, type RepositoryAccess, resticRepositoryOf } from "./repository-access.ts";
import { snapshotTag } from "./snapshot-tag.ts";
import { fieldsAt, listAt, textAt } from "./storage/fields.ts";
import { removeSnapshotFile } from "./storage/snapshot-file.ts";
import { whenUnlocked } from "./wait-for-lock.ts";

export const forgetFlags = ["namespace", "repository", "snapshots"] as const;

/** What one restic repository has to forget. */
type Forgetting = {
  readonly path: string;
  readonly ids: Set<string>;
  readonly tags: Set<string>;
  /** Snapshots that have something here. */
  readonly of: Set<string>;
};

/**
 * Forgets and prunes the restic snapshots of some Snapshot objects, and removes their files in the backend. An
 * object or a restic snapshot that is gone already is fine; a file goes only when all of its restic snapshots
 * have gone. One that fails does not stop the others; the message names it and the exit code is 1.
 */
export async function forget(context: JobContext, flags: JobFlags): Promise<JobOutcome> {
  const namespace = flags.required("namespace");
  const name = flags.required("repository");
  const names = flags.list("snapshots");
  if (names.length === 0)
    throw usageError("job forget needs --snapshots", "Name the Snapshots, separated by commas.");
  const access = await openRepository(context, { namespace, name }, "this job");
  const failures = new Map<string, string>();
  const snapshots = await readSnapshots(context, access, names, failures);
  for (const one of groupByRepository(snapshots)) {
    try {
      await forgetIn(context, access, one);
    } catch (thrown) {
      const error = errorOf(thrown, context.signal);
      if (context.signal.aborted) throw error;
      for (const snapshot of one.of) failures.set(snapshot, `${one.path}: ${error.message}`);
    }
  }
  await removeFiles(context, access, names, failures);
  return outcomeOf(names, failures);
}

async function readSnapshots(
  context: JobContext,
  access: RepositoryAccess,
  names: readonly string[],
  failures: Map<string, string>,
): Promise<readonly KubeObject[]> {
  const { namespace = "", name: repository } = access.repository.metadata;
  const found: KubeObject[] = [];
  for (const name of names) {
    const snapshot = await context.kube.get(resourceOf("Snapshot"), { namespace, name }, context.signal);
    if (snapshot === undefined) {
      context.log(`Snapshot ${namespace}/${name} is gone already`);
    } else if (textAt(snapshot, "spec", "repository") === repository) {
      found.push(snapshot);
    } else {
      failures.set(name, `${nameOf(refOf(snapshot))} is not of Repository ${repository}`);
    }
  }
  return found;
}

/** By component repository, so that each is pruned once. */
function groupByRepository(snapshots: readonly KubeObject[]): readonly Forgetting[] {
  const byPath = new Map<string, Forgetting>();
  for (const snapshot of snapshots) {
    for (const component of Object.values(fieldsAt(snapshot, "status", "components"))) {
      const path = textAt(component, "path");
      if (path === undefined || (textAt(component, "driver") ?? "Restic") !== "Restic") continue;
      const one = byPath.get(path) ?? { path, ids: new Set(), tags: new Set(), of: new Set() };
      byPath.set(path, one);
      one.of.add(snapshot.metadata.name);
      one.tags.add(snapshotTag(snapshot));
      for (const stats of listAt(component, "resticStats")) {
        const saved = savedPath(stats);
        if (saved !== undefined) one.ids.add(saved.id);
      }
    }
  }
  return [...byPath.values()];
}

async function forgetIn(context: JobContext, access: RepositoryAccess, one: Forgetting): Promise<void> {
  const repository = resticRepositoryOf(access, one.path);
  const ids = await presentIds(context, repository, one);
  if (ids.length === 0) return;
  await whenUnlocked(context, repository, () => context.restic.forget(repository, ids, context.signal));
  context.log(`forgot ${ids.length} restic snapshots of ${one.path}`);
}

/** Those of the Snapshots' reports, and those that a killed attempt saved without a report. */
async function presentIds(
  context: JobContext,
  repository: ResticRepository,
  { ids, tags }: Forgetting,
): Promise<readonly string[]> {
  try {
    const listed = await context.restic.snapshots(repository, undefined, context.signal);
    const known = [...ids];
    return listed
      .filter((one) => known.some((id) => one.id.startsWith(id)) || one.tags.some((tag) => tags.has(tag)))
      .map((one) => one.id);
  } catch (thrown) {
    // A component that failed before its repository was made has nothing to forget.
    if (thrown instanceof HoldfastError && thrown.reason === "NoRepository") return [];
    throw thrown;
  }
}

async function removeFiles(
  context: JobContext,
  access: RepositoryAccess,
  names: readonly string[],
  failures: Map<string, string>,
): Promise<void> {
  const objects = await context.openObjects(access.backend.location);
  for (const name of names) {
    if (failures.has(name)) continue;
    try {
      await removeSnapshotFile(objects, access.repository, name);
    } catch (thrown) {
      const error = errorOf(thrown, context.signal);
      if (context.signal.aborted) throw error;
      failures.set(name, error.message);
    }
  }
}

function outcomeOf(names: readonly string[], failures: ReadonlyMap<string, string>): JobOutcome {
  const forgotten = names.filter((name) => !failures.has(name));
  const done = `forgot ${forgotten.length} of ${names.length} snapshots`;
  if (failures.size === 0) return { exitCode: ExitCode.ok, message: done };
  const named = [...failures].map(([name, why]) => `${name}: ${why}`).join("; ");
  return { exitCode: ExitCode.failed, message: `${done}; ${named}` };
}
