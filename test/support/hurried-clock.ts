import { type Clock, systemClock } from "../../src/base/clock.ts";

/**
 * Short waits (of retries and back-off) are over with the next turn of the event loop and are noted; long ones
 * (deadlines) take their time. A wait that were over at once would starve everything else in a loop that waits.
 */
export function hurriedClock(waits: number[] = []): Clock {
  return {
    now: () => Date.now(),
    sleep: (ms, signal) => {
      if (ms >= 29_000) return systemClock.sleep(ms, signal);
      waits.push(ms);
      return systemClock.sleep(0, signal);
    },
  };
}
