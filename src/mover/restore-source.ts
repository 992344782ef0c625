import { resourceOf } from "../api/kinds.ts";
import { type KubeObject, nameOf, refOf } from "../api/meta.ts";
import type { RestoreComponent } from "../api/restore-session.ts";
import { HoldfastError } from "../base/errors.ts";
import type { ResticRepository } from "../ports/restic/restic.ts";
import { savedPath } from "./backup-session.ts";
import type { JobContext } from "./job-context.ts";
import type { JobFlags } from "./job-flags.ts";
import { readNeeded } from "./read-object.ts";
import { createReporter, type Reporter } from "./report.ts";
import { openRepository, resticRepositoryOf, secretRefAt } from "./repository-access.ts";
import { fieldAt, fieldsAt, listAt, textAt } from "./storage/fields.ts";
import { folderOf } from "./storage/folder.ts";

export const restoreSourceFlags = ["namespace", "restoresession", "snapshot"] as const;

export type SavedPath = { readonly id: string; readonly hostPath: string };

/** A component of a Snapshot as it can be read back. */
export type RestoreSource = {
  readonly repository: ResticRepository;
  /** One restic snapshot per path. */
  readonly paths: readonly SavedPath[];
  /** `Snapshot ns/name`, for messages. */
  readonly shown: string;
};

export async function readRestoreSession(context: JobContext, flags: JobFlags): Promise<KubeObject> {
  const name = { namespace: flags.required("namespace"), name: flags.required("restoresession") };
  return await readNeeded(context, resourceOf("RestoreSession"), name, "this job");
}

export function restoreReporter(
  context: JobContext,
  restore: KubeObject,
  component: string,
): Reporter<RestoreComponent> {
  const { namespace = "", name } = restore.metadata;
  return createReporter(context, { resource: resourceOf("RestoreSession"), namespace, name, component });
}

/** True when the component was restored by an attempt that was killed after its report. */
export function isRestored(restore: KubeObject, component: string): boolean {
  return fieldAt(restore, "status", "components", component, "phase") === "Succeeded";
}

/**
 * What `--snapshot` holds of the component. Errors stall: `SnapshotNotFound`, `ComponentNotInSnapshot`,
 * `ComponentNotRestorable`, and those of opening the repository.
 */
export async function openRestoreSource(
  context: JobContext,
  restore: KubeObject,
  given: {
    readonly snapshot: string;
    readonly component: string;
    readonly cacheDirectory: string | undefined;
  },
): Promise<RestoreSource> {
  const own = restore.metadata.namespace ?? "";
  const dataSource = fieldsAt(restore, "spec", "dataSource");
  const namespace = textAt(dataSource, "namespace") ?? own;
  const snapshot = await readNeeded(
    context,
    resourceOf("Snapshot"),
    { namespace, name: given.snapshot },
    nameOf(refOf(restore)),
  );
  const shown = nameOf(refOf(snapshot));
  const saved = savedComponent(snapshot, given.component, shown);
  const access = await openRepository(
    context,
    { namespace, name: textAt(snapshot, "spec", "repository") ?? "" },
    shown,
    secretRefAt(dataSource["encryptionSecret"], own),
  );
  const repository = resticRepositoryOf(access, saved.path, given.cacheDirectory);
  return { repository, paths: saved.paths, shown };
}

/** One component of a Snapshot: its restic repository's path, and what is in it. Throws as `openRestoreSource`. */
export function savedComponent(
  snapshot: KubeObject,
  component: string,
  shown: string,
): { readonly path: string; readonly paths: readonly SavedPath[] } {
  const components = fieldsAt(snapshot, "status", "components");
  const found = fieldAt(components, component);
  if (found === undefined) {
    const names = Object.keys(components).join(", ") || "none";
    throw notRestorable("ComponentNotInSnapshot", `${shown} has no component ${component}; it has ${names}`);
  }
  const driver = textAt(found, "driver") ?? "Restic";
  const path = textAt(found, "path");
  const paths = listAt(found, "resticStats").flatMap((stats) => savedPath(stats) ?? []);
  if (driver !== "Restic") {
    throw notRestorable("ComponentNotRestorable", `component ${component} of ${shown} was made by ${driver}`);
  }
  if (path === undefined || paths.length === 0) {
    const why = textAt(found, "error") ?? "it names no restic snapshot";
    throw notRestorable(
      "ComponentNotRestorable",
      `component ${component} of ${shown} cannot be restored: ${why}`,
    );
  }
  return { path: folderOf(path, `the path of component ${component} of ${shown}`), paths };
}

function notRestorable(reason: string, message: string): HoldfastError {
  return new HoldfastError(reason, message, {
    disposition: "stall",
    next: "Choose another Snapshot or component (`holdfast snapshots` shows them).",
  });
}
