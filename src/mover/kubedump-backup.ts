import type { KubeObject } from "../api/meta.ts";
import { readInvoker, readSession, readSnapshotTasks } from "./backup-session.ts";
import { componentName } from "./component-name.ts";
import { errorOf } from "./interruption.ts";
import type { JobContext, JobOutcome } from "./job-context.ts";
import type { JobFlags } from "./job-flags.ts";
import { dumpManifests } from "./manifests/dump-manifests.ts";
import { dumpWorkload } from "./manifests/dump-workload.ts";
import { filterFlags, filterOf } from "./manifests/manifest-filter.ts";
import { manifestTargetOf, narrowed } from "./manifests/manifest-target.ts";
import { nothingToDo } from "./nothing-to-do.ts";
import { reportFailed, reportRunning, type Source, saveAll } from "./save-paths.ts";
import { type Scratch, scratchFlags, scratchOf } from "./scratch.ts";

export const kubedumpBackupFlags = ["namespace", "backupsession", ...scratchFlags, ...filterFlags];

/** Saves the manifests of the target that the filter takes: one dump, put into every repository of the session. */
export async function kubedumpBackup(context: JobContext, flags: JobFlags): Promise<JobOutcome> {
  const wanted = filterOf(flags);
  return await saveDump(context, flags, async ({ scratch, session }) => {
    const target = manifestTargetOf(await readInvoker(context, session));
    const filter = narrowed(wanted, target);
    const { kube, log, signal } = context;
    const request = { kube, filter, tree: scratch.manifestsHere, log, signal };
    return target.scope === "application"
      ? await dumpWorkload({ ...request, target, rbac: false })
      : await dumpManifests(request);
  });
}

export type Dumped = { readonly objects: number; readonly missing: readonly string[] };

/** Makes a dump below the scratch folder with `dump`, saves it, and removes it: it may hold Secrets. */
export async function saveDump(
  context: JobContext,
  flags: JobFlags,
  dump: (given: { readonly scratch: Scratch; readonly session: KubeObject }) => Promise<Dumped>,
): Promise<JobOutcome> {
  const component = componentName(context);
  const scratch = scratchOf(context, flags);
  const session = await readSession(context, flags.required("namespace"), flags.required("backupsession"));
  const tasks = await readSnapshotTasks(context, session, component);
  if (tasks.length === 0) return nothingToDo(component);
  await reportRunning(tasks);
  try {
    await scratch.clean();
    const { objects, missing } = await dump({ scratch, session });
    context.log(
      `dumped ${objects} objects${missing.length === 0 ? "" : `, ${missing.length} parts are missing`}`,
    );
    const source: Source = {
      paths: [scratch.manifests],
      exclude: [],
      expect: { kind: "tree", files: objects },
      objects,
      missing,
    };
    return await saveAll(context, tasks, source, { component, cacheDirectory: scratch.cacheHere });
  } catch (thrown) {
    const error = errorOf(thrown, context.signal);
    await reportFailed(context, tasks, error);
    throw error;
  } finally {
    await scratch.clean();
  }
}
