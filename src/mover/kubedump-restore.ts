import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { restoreParams } from "../api/manifest-params.ts";
import type { KubeObject } from "../api/meta.ts";
import { HoldfastError } from "../base/errors.ts";
import { fileNotWritten } from "../base/file-error.ts";
import type { JobContext, JobOutcome } from "./job-context.ts";
import type { JobFlags } from "./job-flags.ts";
import type { WorkloadTarget } from "./manifests/dump-workload.ts";
import { filterWarnings } from "./manifests/filter-warnings.ts";
import { keepWorkload } from "./manifests/keep-workload.ts";
import { filterFlags, filterOf, type ManifestFilter } from "./manifests/manifest-filter.ts";
import { manifestTargetOf, narrowed } from "./manifests/manifest-target.ts";
import type { PrepareOptions } from "./manifests/prepare-object.ts";
import { type RestoreManifests, restoreManifests } from "./manifests/restore-manifests.ts";
import { surroundingsOfRestore } from "./manifests/surroundings.ts";
import { restoreProgressOf } from "./restore-progress.ts";
import { restoreSourceFlags } from "./restore-source.ts";
import { type Restoring, runRestore } from "./run-restore.ts";
import { scratchFlags } from "./scratch.ts";
import { whenUnlocked } from "./wait-for-lock.ts";
import { whileItMoves } from "./while-it-moves.ts";

export const kubedumpRestoreFlags = [
  ...restoreSourceFlags,
  ...scratchFlags,
  ...filterFlags,
  ...Object.values(restoreParams).map(({ flag }) => flag),
];

/** Restores the manifests of a Snapshot that the filter takes into the cluster. */
export async function kubedumpRestore(context: JobContext, flags: JobFlags): Promise<JobOutcome> {
  const chosen = chosenBy(flags);
  return await runRestore(context, flags, (restoring) =>
    restoreTree(context, restoring, kubedumpOptions(restoring.restore, chosen)),
  );
}

/** What the flags of the Job choose. */
export function chosenBy(flags: JobFlags): TreeOptions {
  return {
    filter: filterOf(flags),
    override: flags.read(restoreParams.override),
    prepare: {
      restorePVs: flags.read(restoreParams.restorePVs),
      storageClasses: flags.read(restoreParams.storageClasses),
    },
  };
}

/** Of what is chosen, what the target of a RestoreSession leaves. */
export function kubedumpOptions(restore: KubeObject, chosen: TreeOptions): TreeOptions {
  const target = manifestTargetOf(restore);
  const application = target.scope === "application" ? { application: target } : {};
  return { ...chosen, ...application, filter: narrowed(chosen.filter, target) };
}

export type TreeOptions = {
  /** Only this workload, and what its pods refer to. */
  readonly application?: WorkloadTarget;
  readonly filter: ManifestFilter;
  readonly override: boolean;
  readonly prepare: Omit<PrepareOptions, "move">;
  readonly intoNamespace?: string;
};

/** Fetches the component's tree into the scratch folder and creates what it holds. */
export async function restoreTree(
  context: JobContext,
  { source, scratch, report, tally }: Restoring,
  options: TreeOptions,
): Promise<void> {
  for (const { id, hostPath } of source.paths) {
    const root = join(scratch.restoredHere, id);
    await mkdir(root, { recursive: true, mode: 0o700 }).catch((thrown: unknown) => {
      throw fileNotWritten(root, thrown);
    });
    const request = { snapshotId: id, root, path: hostPath, include: [], exclude: [] };
    const restored = await whenUnlocked(context, source.repository, () =>
      whileItMoves(context, ({ signal, onProgress }) =>
        context.restic.restore(source.repository, request, {
          signal,
          onProgress: (state) => {
            onProgress(state);
            report.progress(() => restoreProgressOf(state));
          },
        }),
      ),
    );
    tally.data(restored);
    context.log(`restored ${restored.files} files of ${hostPath} to the scratch folder`);
    const tree = join(root, hostPath);
    await restoreFolder(context, tree, {
      ...options,
      onWarning: tally.warning,
      onOutcome: (outcome) => {
        tally.object(outcome);
        report.progress(() => ({ phase: "Running", results: tally.counts() }));
      },
    });
  }
  const { created, updated, unchanged, conflicts = 0, failed, skipped } = tally.counts();
  if (created + updated + unchanged + conflicts + failed === 0)
    throw nothingRestored(skipped, tally.warnings());
}

type Told = Pick<RestoreManifests, "dryRun" | "showSecret" | "onOutcome"> & {
  readonly onWarning: (text: string) => void;
};

/** Restores what lies in a folder, or with `dryRun` tells what that would do. */
export async function restoreFolder(
  { kube, clock, log, signal }: Pick<JobContext, "kube" | "clock" | "log" | "signal">,
  tree: string,
  { onWarning, ...options }: TreeOptions & Told,
): Promise<void> {
  const { near, around } = await surroundingsOfRestore(kube, options.filter, { tree, signal });
  filterWarnings(options.filter, near, around).forEach(onWarning);
  if (options.application !== undefined) await keepWorkload(tree, options.application);
  await restoreManifests({ ...options, kube, clock, tree, log, signal });
}

function nothingRestored(skipped: number, warnings: readonly string[]): HoldfastError {
  const what =
    skipped === 0
      ? "there is no manifest in the snapshot"
      : `none of the ${skipped} objects of the snapshot is to be restored`;
  const why = warnings.slice(0, 3).map((one) => `; ${one}`);
  return new HoldfastError("NothingRestored", `${what}${why.join("")}`, {
    disposition: "stall",
    next: "Correct the parameters (the Job's log says why each object was left out), or choose another Snapshot.",
  });
}
