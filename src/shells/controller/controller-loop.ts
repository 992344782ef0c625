import { builtIn } from "../../api/built-in.ts";
import { kinds } from "../../api/kinds.ts";
import type { Resource } from "../../api/meta.ts";
import { type HoldfastError, toHoldfastError } from "../../base/errors.ts";
import { askAgainMs } from "../../pass/read-git.ts";
import {
  type PassMemory,
  type PassPorts,
  type PassRequest,
  type PassResult,
  reconcile,
} from "../../pass/reconcile.ts";

export type LoopEvents = {
  readonly onPass: (result: PassResult) => void;
  readonly onError: (error: HoldfastError, retryMs: number) => void;
  /** Gets what to call when Git has moved, for those who know before the next poll. */
  readonly onReady?: (ring: () => void) => void;
};

const coalesceMs = 100;
const fullEveryMs = 600_000;
/** Entries that are not final wait for the next final one, at most this long. */
const deferMs = 60_000;
const maxBackoffMs = 60_000;

/**
 * Passes for ever: after a watch event (coalesced), when Git may have moved (poll), when the plan said so, and
 * every ten minutes whatever happened. An error backs off and does not end the loop, with two exceptions: a bug, and
 * a very first pass that stalls, because what was just typed is wrong and its author is still there.
 */
export async function controllerLoop(
  ports: PassPorts,
  request: Omit<PassRequest, "flush" | "previous">,
  events: LoopEvents,
): Promise<void> {
  const ending = new AbortController();
  const signal = AbortSignal.any([ports.signal, ending.signal]);
  const bell = new Bell();
  events.onReady?.(() => bell.ring());
  const followers = watched.map((resource) => follow({ ...ports, signal }, resource, bell));
  try {
    await passes(ports, request, { ...events, bell });
  } finally {
    ending.abort();
    await Promise.all(followers);
  }
}

async function passes(
  ports: PassPorts,
  request: Omit<PassRequest, "flush" | "previous">,
  { bell, ...events }: LoopEvents & { readonly bell: Bell },
): Promise<void> {
  const { clock, signal } = ports;
  let previous: PassMemory | undefined;
  let deferredSinceMs: number | undefined;
  let failures = 0;
  while (!signal.aborted) {
    bell.answer();
    let sleepMs: number;
    try {
      const flush = deferredSinceMs !== undefined && clock.now() - deferredSinceMs >= deferMs;
      const result = await reconcile(ports, { ...request, flush, ...(previous && { previous }) });
      previous = result.memory;
      deferredSinceMs = result.recorded.kind === "deferred" ? (deferredSinceMs ?? clock.now()) : undefined;
      failures = 0;
      events.onPass(result);
      sleepMs = untilNext(result, clock.now(), deferredSinceMs);
    } catch (thrown) {
      if (signal.aborted) break;
      const error = toHoldfastError(thrown);
      failures += 1;
      sleepMs = Math.min(maxBackoffMs, error.retryAfterMs ?? 500 * 2 ** Math.min(failures, 10));
      events.onError(error, sleepMs);
      const startsWrong = previous === undefined && failures === 1 && error.disposition === "stall";
      if (error.disposition === "bug" || startsWrong) throw error;
    }
    await bell.ringsWithin(sleepMs, ports);
    if (!signal.aborted) await clock.sleep(coalesceMs, signal);
  }
}

function untilNext(result: PassResult, nowMs: number, deferredSinceMs: number | undefined): number {
  if (result.recorded.kind === "written" || result.recorded.kind === "replan") return 0;
  const due = [result.pollMs, fullEveryMs];
  const { askedMs } = result.memory;
  if (askedMs !== undefined) due.push(Math.max(0, askedMs + askAgainMs - nowMs));
  if (result.plan.wakeAtMs !== undefined) due.push(Math.max(0, result.plan.wakeAtMs - nowMs));
  if (deferredSinceMs !== undefined) due.push(Math.max(0, deferredSinceMs + deferMs - nowMs));
  return Math.min(...due);
}

const watched: readonly { readonly resource: Resource; readonly labelSelector?: string }[] = [
  ...kinds.map(({ resource }) => ({ resource })),
  { resource: builtIn.Job, labelSelector: "app.kubernetes.io/managed-by=holdfast" },
];

async function follow(
  ports: PassPorts,
  { resource, labelSelector }: (typeof watched)[number],
  bell: Bell,
): Promise<void> {
  const options = { signal: ports.signal, ...(labelSelector === undefined ? {} : { labelSelector }) };
  for await (const _change of ports.kube.follow(resource, options)) bell.ring();
}

/** Remembers a ring until it is answered, so that an event during a pass is not lost. */
class Bell {
  private rung = false;
  private wake: (() => void) | undefined;

  ring(): void {
    this.rung = true;
    this.wake?.();
  }

  answer(): void {
    this.rung = false;
  }

  async ringsWithin(ms: number, { clock, signal }: PassPorts): Promise<void> {
    if (this.rung || ms <= 0) return;
    const stop = new AbortController();
    const stopped = () => stop.abort();
    signal.addEventListener("abort", stopped);
    this.wake = stopped;
    await clock.sleep(ms, stop.signal);
    this.wake = undefined;
    signal.removeEventListener("abort", stopped);
  }
}
