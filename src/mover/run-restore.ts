import { formatDuration } from "../api/duration.ts";
import type { KubeObject } from "../api/meta.ts";
import { nameOf, refOf } from "../api/meta.ts";
import type { RestoreComponent, RestoreResults } from "../api/restore-session.ts";
import { formatSize } from "../api/size.ts";
import { messageOf } from "../base/errors.ts";
import { ExitCode } from "../base/exit-code.ts";
import { componentName } from "./component-name.ts";
import { errorOf, wordsOf } from "./interruption.ts";
import type { JobContext, JobOutcome } from "./job-context.ts";
import type { JobFlags } from "./job-flags.ts";
import { failuresIn } from "./manifests/outcome-groups.ts";
import type { Reporter } from "./report.ts";
import {
  isRestored,
  openRestoreSource,
  type RestoreSource,
  readRestoreSession,
  restoreReporter,
} from "./restore-source.ts";
import { createRestoreTally, type RestoreTally } from "./restore-tally.ts";
import { type Scratch, scratchOf } from "./scratch.ts";

export type Restoring = {
  readonly restore: KubeObject;
  readonly source: RestoreSource;
  readonly scratch: Scratch;
  readonly report: Reporter<RestoreComponent>;
  readonly tally: RestoreTally;
};

/**
 * The frame of every restore: reports Running, does `run`, reports what it came to. Succeeded only when nothing
 * failed; failures leave the rest restored, are named in `results` and make exit code 1. What is in the tally is
 * reported at every end, also after an error or a signal.
 */
export async function runRestore(
  context: JobContext,
  flags: JobFlags,
  run: (restoring: Restoring) => Promise<void>,
): Promise<JobOutcome> {
  const component = componentName(context);
  const snapshot = flags.required("snapshot");
  const scratch = scratchOf(context, flags);
  const restore = await readRestoreSession(context, flags);
  const shown = nameOf(refOf(restore));
  if (isRestored(restore, component)) {
    return { exitCode: ExitCode.ok, message: `${shown} has its component ${component} already` };
  }
  const reporter = restoreReporter(context, restore, component);
  const startedAt = context.clock.now();
  const tally = createRestoreTally(context);
  const outcome = () => {
    const results = tally.results();
    const duration = formatDuration(context.clock.now() - startedAt);
    return { duration, ...(results === undefined ? {} : { results }) };
  };
  await reporter.write({ phase: "Running" });
  try {
    await scratch.clean();
    const source = await openRestoreSource(context, restore, {
      snapshot,
      component,
      cacheDirectory: scratch.cacheHere,
    });
    await run({ restore, source, scratch, report: reporter, tally });
    const error = failuresIn(tally.results() ?? tally.counts());
    await reporter.write({
      phase: error === undefined ? "Succeeded" : "Failed",
      ...outcome(),
      ...(error === undefined ? {} : { error }),
    });
    const message = `${shown}: component ${component} of ${source.shown}: ${summaryOf(tally.counts())}`;
    return error === undefined
      ? { exitCode: ExitCode.ok, message }
      : { exitCode: ExitCode.failed, message: `${message}; ${error}` };
  } catch (thrown) {
    const error = errorOf(thrown, context.signal);
    await reporter
      .write({ phase: "Failed", ...outcome(), error: wordsOf(error) })
      .catch((second: unknown) => context.log(`${shown}: ${messageOf(second)}`));
    throw error;
  } finally {
    await scratch.clean();
  }
}

function summaryOf(counts: RestoreResults): string {
  const { created, updated, unchanged, conflicts = 0, skipped, failed, files, bytes } = counts;
  if (created + updated + unchanged + conflicts + skipped + failed === 0)
    return `${files} files, ${formatSize(bytes)}`;
  return `${created} created, ${updated} updated, ${unchanged} unchanged, ${conflicts} in conflict, ${skipped} skipped`;
}
