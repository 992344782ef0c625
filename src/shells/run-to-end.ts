import { ExitCode } from "../base/exit-code.ts";
import type { Problem } from "../base/problem.ts";
import {
  type PassMemory,
  type PassPorts,
  type PassRequest,
  type PassResult,
  reconcile,
} from "../pass/reconcile.ts";
import { type Failure, failuresOf, noEnds, noteEnds } from "./run-failures.ts";

export type RunOptions = {
  /** Gives up waiting after this long; what is under way goes on in the cluster. */
  readonly timeoutMs: number;
  readonly onPass?: (result: PassResult) => void;
  /** Asked when nothing is left: true keeps the run going (a person waits for something of their own). */
  readonly goOn?: (result: PassResult) => boolean;
};

export type RunEnd = {
  readonly end: "done" | "timeout";
  readonly passes: number;
  readonly last: PassResult;
  readonly problems: readonly Problem[];
  /** Sessions and restores that ended badly during this run. */
  readonly failures: readonly Failure[];
};

const shortestPauseMs = 200;
const longestPauseMs = 5_000;

/** What a run waits before it looks again: a quarter of what it has waited already, so that long work is asked about seldom. */
export function pauseAfter(waitedMs: number): number {
  return Math.min(longestPauseMs, Math.max(shortestPauseMs, waitedMs / 4));
}

/** Passes until nothing is left that this process can wait for. */
export async function runToEnd(
  ports: PassPorts,
  request: Omit<PassRequest, "flush" | "previous">,
  options: RunOptions,
): Promise<RunEnd> {
  const startedMs = ports.clock.now();
  let previous: PassMemory | undefined;
  let flush = false;
  let movedMs = startedMs;
  const ends = noEnds();
  for (let passes = 1; ; passes += 1) {
    ports.signal.throwIfAborted();
    const last = await reconcile(ports, { ...request, flush, ...(previous && { previous }) });
    options.onPass?.(last);
    previous = last.memory;
    noteEnds(last, ends);
    const moved = hasMoved(last);
    const finished = !moved && last.plan.waiting.length === 0 && options.goOn?.(last) !== true;
    if (finished && last.recorded.kind !== "deferred")
      return { end: "done", passes, last, problems: last.problems, failures: failuresOf(ends) };
    if (ports.clock.now() - startedMs > options.timeoutMs)
      return { end: "timeout", passes, last, problems: last.problems, failures: failuresOf(ends) };
    // What may wait for the next final entry is written when nothing final is to come.
    flush = finished;
    const nowMs = ports.clock.now();
    if (moved) movedMs = nowMs;
    else if (!finished) await ports.clock.sleep(pauseAfter(nowMs - movedMs), ports.signal);
  }
}

/** 0, 3 when all that failed is in part there, otherwise 1. */
export function runExitCode({ end, problems, failures }: RunEnd): number {
  const wrong = problems.some((problem) => problem.severity === "error");
  if (wrong || end === "timeout" || failures.some(({ partial }) => !partial)) return ExitCode.failed;
  return failures.length > 0 ? ExitCode.partial : ExitCode.ok;
}

/** Whether this pass changed anything that the next one must look at. */
function hasMoved({ outcome, recorded }: PassResult): boolean {
  const changed = outcome.results.some(({ result }) => !["unchanged", "failed"].includes(result));
  return changed || recorded.kind === "written" || recorded.kind === "replan";
}
