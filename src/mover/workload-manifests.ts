import { type KubeObject, nameOf, refOf } from "../api/meta.ts";
import { HoldfastError } from "../base/errors.ts";
import { readInvoker } from "./backup-session.ts";
import type { JobContext, JobOutcome } from "./job-context.ts";
import type { JobFlags } from "./job-flags.ts";
import { saveDump } from "./kubedump-backup.ts";
import { restoreTree, type TreeOptions } from "./kubedump-restore.ts";
import { dumpWorkload } from "./manifests/dump-workload.ts";
import { everything } from "./manifests/manifest-filter.ts";
import { manifestTargetOf } from "./manifests/manifest-target.ts";
import { restoreSourceFlags } from "./restore-source.ts";
import { runRestore } from "./run-restore.ts";
import { scratchFlags } from "./scratch.ts";
import { textAt } from "./storage/fields.ts";

export const manifestBackupFlags = [
  "namespace",
  "backupsession",
  ...scratchFlags,
  "include-rbac-resources",
] as const;
export const manifestRestoreFlags = [
  ...restoreSourceFlags,
  ...scratchFlags,
  "include-rbac-resources",
  "override-resources",
] as const;

const rbacTypes = ["roles", "rolebindings", "clusterroles", "clusterrolebindings"].map(
  (plural) => `${plural}.rbac.authorization.k8s.io`,
);

/** Saves the manifests of the target workload and of what it refers to. */
export async function manifestBackup(context: JobContext, flags: JobFlags): Promise<JobOutcome> {
  const rbac = flags.truth("include-rbac-resources", false);
  return await saveDump(context, flags, async ({ scratch, session }) => {
    const configuration = await readInvoker(context, session);
    const target = manifestTargetOf(configuration);
    if (target.scope !== "application") throw noWorkload(configuration);
    const { kube, log, signal } = context;
    return await dumpWorkload({
      kube,
      target,
      filter: everything,
      rbac,
      tree: scratch.manifestsHere,
      log,
      signal,
    });
  });
}

/** Restores them, into `manifestOptions.workload.restoreNamespace` where that is given. */
export async function manifestRestore(context: JobContext, flags: JobFlags): Promise<JobOutcome> {
  return await runRestore(context, flags, (restoring) =>
    restoreTree(context, restoring, workloadOptions(restoring.restore, flags)),
  );
}

/** What the flags of the Job and a RestoreSession choose. */
export function workloadOptions(restore: KubeObject, flags: JobFlags): TreeOptions {
  const rbac = flags.truth("include-rbac-resources", false);
  const into = textAt(restore, "spec", "manifestOptions", "workload", "restoreNamespace");
  return {
    filter: rbac ? everything : { ...everything, excludeResources: new Set(rbacTypes) },
    override: flags.truth("override-resources", false),
    prepare: { restorePVs: false, storageClasses: new Map() },
    ...(into === undefined ? {} : { intoNamespace: into }),
  };
}

function noWorkload(configuration: KubeObject): HoldfastError {
  const message = `${nameOf(refOf(configuration))} has no workload in spec.target`;
  const next = "Name the workload in spec.target, or use the kubedump-addon for a whole cluster.";
  return new HoldfastError("TargetMissing", message, { disposition: "stall", next });
}
