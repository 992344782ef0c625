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
import type { Reporter } from "./report.ts";
import {
  isRestored,
  openRestoreSource,
  type RestoreSource,
  readRestoreSession,
  restoreReporter,
} from "./restore-source.ts";
import { type Scratch, scratchOf } from "./scratch.ts";

export type Restoring = {
  readonly restore: KubeObject;
  readonly source: RestoreSource;
  readonly scratch: Scratch;
  readonly report: Reporter<RestoreComponent>;
};

/**
 * The frame of every restore: reports Running, does `run`, reports what it came to. Succeeded only when nothing
 * failed; failures leave the rest restored, are named in `results` and make exit code 1.
 */
export async function runRestore(
  context: JobContext,
  flags: JobFlags,
  run: (restoring: Restoring) => Promise<RestoreResults>,
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
  await reporter.write({ phase: "Running" });
  try {
    await scratch.clean();
    const source = await openRestoreSource(context, restore, {
      snapshot,
      component,
      cacheDirectory: scratch.cacheHere,
    });
    const results = redacted(context, await run({ restore, source, scratch, report: reporter }));
    const error = errorIn(results);
    await reporter.write({
      phase: error === undefined ? "Succeeded" : "Failed",
      duration: formatDuration(context.clock.now() - startedAt),
      results,
      ...(error === undefined ? {} : { error }),
    });
    const message = `${shown}: component ${component} of ${source.shown}: ${summaryOf(results)}`;
    return error === undefined
      ? { exitCode: ExitCode.ok, message }
      : { exitCode: ExitCode.failed, message: `${message}; ${error}` };
  } catch (thrown) {
    const error = errorOf(thrown, context.signal);
    const duration = formatDuration(context.clock.now() - startedAt);
    await reporter.write({ phase: "Failed", duration, error: wordsOf(error) }).catch((second: unknown) => {
      context.log(`${shown}: ${messageOf(second)}`);
    });
    throw error;
  } finally {
    await scratch.clean();
  }
}

function redacted(context: JobContext, results: RestoreResults): RestoreResults {
  const { failures, ...counts } = results;
  if (failures === undefined || failures.length === 0) return counts;
  return { ...counts, failures: failures.map((failure) => context.secrets.redact(failure)) };
}

function errorIn({ failed, failures = [] }: RestoreResults): string | undefined {
  if (failed === 0) return undefined;
  return `${failed} not restored: ${failures.slice(0, 3).join("; ")}${failed > 3 ? "; …" : ""}`;
}

function summaryOf(results: RestoreResults): string {
  const { created, updated, unchanged, skipped, files, bytes } = results;
  if (created + updated + unchanged + skipped === 0) return `${files} files, ${formatSize(bytes)}`;
  return `${created} created, ${updated} updated, ${unchanged} unchanged, ${skipped} skipped`;
}
