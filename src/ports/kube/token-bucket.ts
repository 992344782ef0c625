import type { Clock } from "../../base/clock.ts";

export type TokenBucket = {
  /** Resolves when the caller may go, in the order of the calls; at once when the signal is aborted. */
  take(signal?: AbortSignal): Promise<void>;
  /** Nobody goes before so many milliseconds have passed. */
  hold(ms: number): void;
};

/**
 * Limits requests to `qps` per second after a burst of `burst`, as client-go does, so that one busy pass
 * cannot crowd others out of the API server.
 */
export function createTokenBucket(qps: number, burst: number, clock: Clock): TokenBucket {
  let tokens = burst;
  let filledAt = clock.now();
  let held = { atMs: 0, forMs: 0 };
  const holdLeftMs = () => {
    const passedMs = clock.now() - held.atMs;
    // A clock that was set back must not hold for longer than was asked.
    return passedMs < 0 ? 0 : held.forMs - passedMs;
  };
  return {
    take: async (signal) => {
      const now = clock.now();
      // A clock that was set back must not drain the bucket.
      tokens = Math.min(burst, tokens + (Math.max(0, now - filledAt) / 1000) * qps);
      filledAt = now;
      // Below zero are tokens that earlier callers wait for.
      tokens -= 1;
      if (tokens < 0) await clock.sleep(Math.ceil((-tokens / qps) * 1000), signal);
      for (let leftMs = holdLeftMs(); leftMs > 0 && !signal?.aborted; leftMs = holdLeftMs()) {
        await clock.sleep(leftMs, signal);
      }
      if (signal?.aborted) tokens += 1;
    },
    hold: (ms) => {
      if (ms > holdLeftMs()) held = { atMs: clock.now(), forMs: ms };
    },
  };
}
