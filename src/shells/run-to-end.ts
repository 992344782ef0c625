import { nameOf } from "../api/meta.ts";
import { ExitCode } from "../base/exit-code.ts";
import type { Problem } from "../base/problem.ts";
import {
  type PassMemory,
  type PassPorts,
  type PassRequest,
  type PassResult,
  reconcile,
} from "../pass/reconcile.ts";
import { textOf } from "./cli/field-of.ts";
import { complaintsOf } from "./complaints.ts";

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

export type Failure = {
  readonly object: string;
  readonly phase: string;
  /** A part of the source is missing in what was saved. */
  readonly partial: boolean;
  /** What it and its Snapshots say is wrong. */
  readonly why: readonly string[];
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
  const ends: Ends = { phases: new Map(), partial: new Set(), why: new Map() };
  for (let passes = 1; ; passes += 1) {
    ports.signal.throwIfAborted();
    const last = await reconcile(ports, { ...request, flush, ...(previous && { previous }) });
    options.onPass?.(last);
    previous = last.memory;
    noteEnds(last, ends);
    noteWhy(last, ends);
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

/** What the passes of a run told of sessions; phases and causes by `Kind namespace/name`, Snapshots by name. */
type Ends = {
  readonly phases: Map<string, string>;
  readonly partial: Set<string>;
  readonly why: Map<string, readonly string[]>;
};

/** Final phases that this pass has written, and Snapshots that it found partial. */
function noteEnds({ outcome }: PassResult, { phases, partial, why }: Ends): void {
  for (const { step, result } of outcome.results) {
    if (step.kind !== "status" || result !== "configured") continue;
    const { phase, conditions } = step.status;
    const session = step.ref.kind === "BackupSession" || step.ref.kind === "RestoreSession";
    if (session && typeof phase === "string") {
      phases.set(nameOf(step.ref), phase);
      addTo(why, nameOf(step.ref), complaintsOf(step.status));
    }
    const missing =
      Array.isArray(conditions) && conditions.some((one) => one.type === "Partial" && one.status === "True");
    if (step.ref.kind === "Snapshot" && missing) partial.add(step.ref.name);
  }
}

/** Why is told by what is to be recorded: a session says only that it failed, and its Snapshots say the rest. */
function noteWhy({ plan }: PassResult, { why }: Ends): void {
  for (const { content } of plan.entries) {
    if (content === undefined) continue;
    const [kind, namespace] = [textOf(content, "kind"), textOf(content, "metadata", "namespace")];
    const session =
      kind === "Snapshot"
        ? `BackupSession ${namespace}/${textOf(content, "spec", "backupSession")}`
        : `${kind} ${namespace}/${textOf(content, "metadata", "name")}`;
    addTo(why, session, complaintsOf(content["status"]));
  }
}

function addTo(why: Ends["why"], object: string, complaints: readonly string[]): void {
  why.set(object, [...new Set([...(why.get(object) ?? []), ...complaints])]);
}

function failuresOf({ phases, partial, why }: Ends): readonly Failure[] {
  const bad = [...phases].filter(([, phase]) => ["Failed", "Unknown", "Invalid"].includes(phase));
  return bad.map(([object, phase]) => {
    const session = object.slice(object.lastIndexOf("/") + 1);
    const inPart = [...partial].some((snapshot) => snapshot.endsWith(session));
    return { object, phase, partial: inPart, why: why.get(object) ?? [] };
  });
}

/** Whether this pass changed anything that the next one must look at. */
function hasMoved({ outcome, recorded }: PassResult): boolean {
  const changed = outcome.results.some(({ result }) => !["unchanged", "failed"].includes(result));
  return changed || recorded.kind === "written" || recorded.kind === "replan";
}
