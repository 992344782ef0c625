import { type Clock, systemClock } from "../../src/base/clock.ts";

/**
 * Short waits (of retries and back-off) are over with the next turn of the event loop, are noted, and have passed by
 * the clock; long ones (deadlines) take their time. A wait that were over at once would starve everything else in a
 * loop that waits.
 */
export function hurriedClock(waits: number[] = []): Clock {
  let skippedMs = 0;
  return {
    now: () => Date.now() + skippedMs,
    sleep: (ms, signal) => {
      if (ms >= 29_000) return systemClock.sleep(ms, signal);
      waits.push(ms);
      skippedMs += ms;
      return systemClock.sleep(0, signal);
    },
  };
}
