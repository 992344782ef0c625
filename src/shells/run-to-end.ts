import type { Problem } from "../base/problem.ts";
import { type PassPorts, type PassRequest, type PassResult, reconcile } from "../pass/reconcile.ts";

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
};

const pauseMs = 200;

/** Passes until nothing is left that this process can wait for. */
export async function runToEnd(
  ports: PassPorts,
  request: Omit<PassRequest, "flush" | "record">,
  options: RunOptions,
): Promise<RunEnd> {
  const startedMs = ports.clock.now();
  let record: PassResult["record"] | undefined;
  let flush = false;
  for (let passes = 1; ; passes += 1) {
    ports.signal.throwIfAborted();
    const last = await reconcile(ports, { ...request, flush, ...(record ? { record } : {}) });
    options.onPass?.(last);
    record = last.record;
    const moved = hasMoved(last);
    const finished = !moved && last.plan.waiting.length === 0 && options.goOn?.(last) !== true;
    if (finished && last.recorded.kind !== "deferred")
      return { end: "done", passes, last, problems: last.problems };
    if (ports.clock.now() - startedMs > options.timeoutMs)
      return { end: "timeout", passes, last, problems: last.problems };
    // What may wait for the next final entry is written when nothing final is to come.
    flush = finished;
    if (!moved && !finished) await ports.clock.sleep(pauseMs, ports.signal);
  }
}

/** Whether this pass changed anything that the next one must look at. */
function hasMoved({ outcome, recorded }: PassResult): boolean {
  const changed = outcome.results.some(({ result }) => !["unchanged", "failed"].includes(result));
  return changed || recorded.kind === "written" || recorded.kind === "replan";
}
