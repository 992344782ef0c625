import { mkdir, rm, stat, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { HoldfastError } from "../base/errors.ts";
import type { JobContext, JobOutcome } from "./job-context.ts";
import { type JobFlags, usageError } from "./job-flags.ts";
import { onThisMachine, podPath } from "./pod-path.ts";
import { restoreProgressOf } from "./restore-progress.ts";
import { restoreSourceFlags, type SavedPath } from "./restore-source.ts";
import { type Restoring, runRestore } from "./run-restore.ts";
import { scratchFlags } from "./scratch.ts";
import { whenUnlocked } from "./wait-for-lock.ts";
import { whileItMoves } from "./while-it-moves.ts";

export const pvcRestoreFlags = [...restoreSourceFlags, ...scratchFlags] as const;
export const workloadRestoreFlags = [...pvcRestoreFlags, "exclude", "include"] as const;

/** Where the catalogue's pvc-addon mounts the claim. */
export const claimMount = "/kubestash-data";

/** Restores the paths of a component to where they were, in the volumes that are mounted there. */
export async function workloadRestore(context: JobContext, flags: JobFlags): Promise<JobOutcome> {
  const include = flags.list("include");
  const exclude = flags.list("exclude");
  if (include.length > 0 && exclude.length > 0) {
    throw usageError(
      "job workload-restore: restic restores with include or with exclude patterns, not with both",
      "Leave one of --include and --exclude empty.",
    );
  }
  return await runRestore(context, flags, (restoring) =>
    restorePaths(context, restoring, ({ hostPath }) => ({
      root: rootOf(context),
      path: hostPath,
      include,
      exclude,
    })),
  );
}

/**
 * Restores into one claim, mounted at `/kubestash-data`. A Snapshot of a workload saved its path elsewhere
 * (volume-clone): its one path goes into the claim's root.
 */
export async function pvcRestore(context: JobContext, flags: JobFlags): Promise<JobOutcome> {
  return await runRestore(context, flags, async (restoring) => {
    const { paths } = restoring.source;
    const [only, ...more] = paths;
    const elsewhere = only !== undefined && !isBelow(claimMount, only.hostPath);
    if (!elsewhere) return await restorePaths(context, restoring, ({ hostPath }) => plain(context, hostPath));
    if (more.length > 0) {
      throw new HoldfastError(
        "SeveralPaths",
        `${restoring.source.shown} holds ${paths.map(({ hostPath }) => hostPath).join(", ")}, which do not fit into one claim`,
        {
          disposition: "stall",
          next: "Restore with the workload-addon, which mounts every path where it was.",
        },
      );
    }
    const root = await redirect(context, restoring, only);
    return await restorePaths(context, restoring, ({ hostPath }) => ({ ...plain(context, hostPath), root }));
  });
}

type Target = {
  readonly root: string;
  readonly path: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
};

async function restorePaths(
  context: JobContext,
  { source, report, tally }: Restoring,
  targetOf: (path: SavedPath) => Target,
): Promise<void> {
  for (const saved of source.paths) {
    const target = targetOf({ ...saved, hostPath: podPath(saved.hostPath, `a path of ${source.shown}`) });
    await refuseUnmounted(target);
    const restored = await whenUnlocked(context, source.repository, () =>
      whileItMoves(context, ({ signal, onProgress }) =>
        context.restic.restore(
          source.repository,
          { snapshotId: saved.id, ...target },
          {
            signal,
            onProgress: (state) => {
              onProgress(state);
              report.progress(() => restoreProgressOf(state));
            },
          },
        ),
      ),
    );
    context.log(`restored ${restored.files} files to ${saved.hostPath}`);
    // restic does not tell new files from changed ones in every version, so only the totals are said.
    tally.data(restored);
  }
}

/**
 * A path of which not even the first folder is there is on no volume: restic would make it on the container's own
 * disk, report success, and the data would go with the pod.
 */
async function refuseUnmounted({ root, path }: Target): Promise<void> {
  const first = `/${path.split("/")[1] ?? ""}`;
  const found = await stat(onThisMachine(root, first)).then(
    () => true,
    () => false,
  );
  if (found) return;
  throw new HoldfastError(
    "TargetNotMounted",
    `nothing is mounted at ${path}, so there is nowhere to restore it to`,
    {
      disposition: "stall",
      next: `Mount the target's volume at ${path} (targetVolumes of the task).`,
    },
  );
}

/** A root of our own in which the saved path is a link to the claim. */
async function redirect(
  context: JobContext,
  { scratch }: Restoring,
  { hostPath }: SavedPath,
): Promise<string> {
  const root = join(scratch.restoredHere, "redirect");
  const link = onThisMachine(root, podPath(hostPath, "a saved path"));
  await rm(root, { recursive: true, force: true });
  await mkdir(dirname(link), { recursive: true, mode: 0o700 });
  await symlink(onThisMachine(context.root, claimMount), link);
  return root;
}

function plain(context: JobContext, path: string): Target {
  return { root: rootOf(context), path, include: [], exclude: [] };
}

function rootOf(context: JobContext): string {
  return context.root === "" ? "/" : context.root;
}

function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
