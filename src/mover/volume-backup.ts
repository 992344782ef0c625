import { readSession, readSnapshotTasks } from "./backup-session.ts";
import { componentName } from "./component-name.ts";
import type { JobContext, JobOutcome } from "./job-context.ts";
import { type JobFlags, usageError } from "./job-flags.ts";
import { nothingToDo } from "./nothing-to-do.ts";
import { podPath } from "./pod-path.ts";
import { reportRunning, saveAll } from "./save-paths.ts";
import { scratchFlags, scratchOf } from "./scratch.ts";

export const volumeBackupFlags = ["namespace", "backupsession", ...scratchFlags, "paths", "exclude"] as const;

/** Saves paths of the target's volumes; each becomes one restic snapshot in every repository of the session. */
export async function volumeBackup(
  context: JobContext,
  flags: JobFlags,
  defaultPaths: readonly string[],
): Promise<JobOutcome> {
  const component = componentName(context);
  const given = flags.list("paths");
  const paths = [
    ...new Set((given.length > 0 ? given : defaultPaths).map((path) => podPath(path, "--paths"))),
  ];
  if (paths.length === 0) throw usageError("a backup of volumes needs --paths", "Add --paths=/data.");
  const exclude = flags.list("exclude");
  const scratch = scratchOf(context, flags);
  const session = await readSession(context, flags.required("namespace"), flags.required("backupsession"));
  const tasks = await readSnapshotTasks(context, session, component);
  if (tasks.length === 0) return nothingToDo(component);
  await reportRunning(tasks);
  const source = { paths, exclude, expect: { kind: "volume" }, missing: [] } as const;
  return await saveAll(context, tasks, source, { component, cacheDirectory: scratch.cacheHere });
}
