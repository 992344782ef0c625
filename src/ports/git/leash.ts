import type { HoldfastError } from "../../base/errors.ts";
import { aborted, unreachable } from "./git-errors.ts";
import type { Deadlines } from "./transport.ts";

/** What ends one exchange early: silence, its whole time, or the caller. */
export type Leash = {
  readonly signal: AbortSignal;
  /** Rejects with the reason as soon as the exchange is to end. */
  readonly broken: Promise<never>;
  /** Something was heard. */
  heard(): void;
  /** Why it is to end, once it is. */
  reason(): HoldfastError | undefined;
  release(): void;
};

export function holdOnLeash(where: string, deadlines: Deadlines, signal: AbortSignal | undefined): Leash {
  const controller = new AbortController();
  let reason: HoldfastError | undefined;
  let reject: (error: HoldfastError) => void = () => undefined;
  const broken = new Promise<never>((_, rejected) => {
    reject = rejected;
  });
  // Nobody may be waiting for it when it breaks.
  broken.catch(() => undefined);
  const end = (error: HoldfastError) => {
    reason ??= error;
    controller.abort();
    reject(reason);
  };
  const { idleMs, totalMs } = deadlines;
  // The first of two that fall together is the reason: that its whole time is over says more than its silence.
  const total = setTimeout(() => end(unreachable(where, `took over ${totalMs} ms`)), totalMs);
  const idle = setTimeout(() => end(unreachable(where, `was silent for ${idleMs} ms`)), idleMs);
  const onAbort = () => end(aborted(where));
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort);
  return {
    signal: controller.signal,
    broken,
    heard: () => void idle.refresh(),
    reason: () => reason,
    release() {
      clearTimeout(idle);
      clearTimeout(total);
      signal?.removeEventListener("abort", onAbort);
    },
  };
}
