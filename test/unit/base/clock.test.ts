import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";

test.each([2 ** 31, 10 * 365 * 86_400_000, Infinity])(
  "a sleep of %d ms, longer than any timer, does not end at once, and ends by its signal",
  async (ms) => {
    const wake = new AbortController();
    let awake = false;
    const sleep = systemClock.sleep(ms, wake.signal).then(() => {
      awake = true;
    });
    await pause(20);
    expect(awake).toBe(false);
    wake.abort();
    await sleep;
  },
);
