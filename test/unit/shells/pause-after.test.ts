import { expect, test } from "vitest";
import { pauseAfter } from "../../../src/shells/run-to-end.ts";

/** How often a run looks while nothing moves for so long. */
function looksIn(ms: number): number {
  let looks = 0;
  for (let waited = 0; waited < ms; waited += pauseAfter(waited)) looks += 1;
  return looks;
}

test("a run that waits looks soon at first, less and less often, and at least every five seconds", () => {
  expect(looksIn(1_000)).toBe(5);
  expect(looksIn(10_000)).toBeLessThan(20);
  expect(looksIn(30 * 60_000)).toBeLessThan(400);
  expect(looksIn(30 * 60_000)).toBeGreaterThan(350);
});
