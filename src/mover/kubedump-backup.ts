import type { KubeObject } from "../api/meta.ts";
import { HoldfastError } from "../base/errors.ts";
import { readInvoker, readSession, readSnapshotTasks, type SnapshotTask } from "./backup-session.ts";
import { componentName } from "./component-name.ts";
import { errorOf } from "./interruption.ts";
import type { JobContext, JobOutcome } from "./job-context.ts";
import type { JobFlags } from "./job-flags.ts";
import { type Dump, type DumpProgress, dumpManifests } from "./manifests/dump-manifests.ts";
import { dumpWorkload } from "./manifests/dump-workload.ts";
import { filterFlags, filterOf } from "./manifests/manifest-filter.ts";
import { manifestTargetOf, narrowed } from "./manifests/manifest-target.ts";
import { nothingToDo } from "./nothing-to-do.ts";
import { reportFailed, reportListing, reportRunning, type Source, saveAll } from "./save-paths.ts";
import { type Scratch, scratchFlags, scratchOf } from "./scratch.ts";

export const kubedumpBackupFlags = ["namespace", "backupsession", ...scratchFlags, ...filterFlags];

/** Saves the manifests of the target that the filter takes: one dump, put into every repository of the session. */
export async function kubedumpBackup(context: JobContext, flags: JobFlags): Promise<JobOutcome> {
  const wanted = filterOf(flags);
  return await saveDump(context, flags, async ({ scratch, session, onProgress }) => {
    const target = manifestTargetOf(await readInvoker(context, session));
    const filter = narrowed(wanted, target);
    const { kube, log, signal } = context;
    const request = { kube, filter, tree: scratch.manifestsHere, log, signal };
    return target.scope === "application"
      ? await dumpWorkload({ ...request, target, rbac: false })
      : await dumpManifests({ ...request, onProgress });
  });
}

type OnProgress = (progress: DumpProgress) => void;

type Dumping = {
  readonly scratch: Scratch;
  readonly session: KubeObject;
  readonly onProgress: OnProgress;
};

/** Makes a dump below the scratch folder with `dump`, saves it, and removes it: it may hold Secrets. */
export async function saveDump(
  context: JobContext,
  flags: JobFlags,
  dump: (given: Dumping) => Promise<Dump>,
): Promise<JobOutcome> {
  const component = componentName(context);
  const scratch = scratchOf(context, flags);
  const session = await readSession(context, flags.required("namespace"), flags.required("backupsession"));
  const tasks = await readSnapshotTasks(context, session, component);
  if (tasks.length === 0) return nothingToDo(component);
  await reportRunning(tasks);
  try {
    await scratch.clean();
    const dumped = await dump({ scratch, session, onProgress: progressTo(context, tasks) });
    context.log(wordsOfDump(dumped));
    const { files, missing, warnings } = dumped;
    if (files === 0) throw nothingTaken(dumped);
    const restless = wordsOfRestless(dumped);
    const source: Source = {
      paths: [scratch.manifests],
      exclude: [],
      expect: { kind: "tree", files },
      objects: files,
      missing,
      warnings,
      ...(restless === undefined ? {} : { restless }),
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

const lineEveryMs = 10_000;

/** Into the Snapshots, and now and then into the log: listing a large cluster takes minutes. */
function progressTo({ clock, log }: JobContext, tasks: readonly SnapshotTask[]): OnProgress {
  const startedAt = clock.now();
  let lineAt = startedAt + lineEveryMs;
  return ({ files, done, of, reading }) => {
    reportListing(tasks, { files, done, of, secondsElapsed: (clock.now() - startedAt) / 1000 });
    if (clock.now() < lineAt) return;
    lineAt = clock.now() + lineEveryMs;
    log(`dumped ${files} objects so far; ${done} of ${of} lists are done, now ${reading}`);
  };
}

function wordsOfDump({ files, missing, leaving }: Dump): string {
  return [
    `dumped ${files} objects`,
    ...(leaving === 0 ? [] : [`${leaving} more are being deleted and left out`]),
    ...(missing.length === 0 ? [] : [`${missing.length} parts are missing`]),
  ].join(", ");
}

function wordsOfRestless({ restless }: Dump): string | undefined {
  const types = Object.entries(restless).map(([type, count]) => `${count} ${type}`);
  return types.length === 0 ? undefined : `${types.join(", ")} change by themselves`;
}

/** A Snapshot of nothing would be good, and could not be restored. */
function nothingTaken({ missing, warnings }: Dump): HoldfastError {
  const why = [...warnings, ...missing].slice(0, 3).map((one) => `; ${one}`);
  return new HoldfastError("NothingTaken", `there is no object that the parameters take${why.join("")}`, {
    disposition: "stall",
    next: "Correct the target and the parameters, or what the Job's account may list.",
  });
}
