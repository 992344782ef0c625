import type { Clock } from "../../base/clock.ts";

/** Others write the same object at the same time; each try leaves them twice the time, from 50 ms to 3.2 s. */
export async function pauseAfterConflict(clock: Clock, attempt: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(50 * 2 ** Math.min(attempt - 1, 6) * (0.5 + Math.random()), signal);
  signal.throwIfAborted();
}
