import type { Clock } from "../../base/clock.ts";

export type TokenBucket = {
  /** Resolves when the caller may go, in the order of the calls; at once when the signal is aborted. */
  take(signal?: AbortSignal): Promise<void>;
};

/**
 * Limits requests to `qps` per second after a burst of `burst`, as client-go does, so that one busy pass
 * cannot crowd others out of the API server.
 */
export function createTokenBucket(qps: number, burst: number, clock: Clock): TokenBucket {
  let tokens = burst;
  let filledAt = clock.now();
  return {
    take: async (signal) => {
      const now = clock.now();
      // A clock that was set back must not drain the bucket.
      tokens = Math.min(burst, tokens + (Math.max(0, now - filledAt) / 1000) * qps);
      filledAt = now;
      // Below zero are tokens that earlier callers wait for.
      tokens -= 1;
      if (tokens >= 0) return;
      await clock.sleep(Math.ceil((-tokens / qps) * 1000), signal);
      if (signal?.aborted) tokens += 1;
    },
  };
}
