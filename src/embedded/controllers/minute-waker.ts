import { schedule } from "node-cron";

/** Calls `wake` every minute until the answered function is called. */
export type Waker = (wake: () => void) => () => void;

/**
 * A wake-up only: what is due is computed from the objects. It catches what a timer misses, a machine that
 * was suspended or a clock that was set.
 */
export const everyMinute: Waker = (wake) => {
  const task = schedule("* * * * *", wake, {
    name: "cron-job-wake-up",
    unref: true,
    suppressMissedWarning: true,
  });
  return () => void task.destroy();
};
