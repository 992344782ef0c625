import { expect, test } from "vitest";
import { killPoints, killSample } from "./kill-points.ts";

test("the points are at least forty, and no two have one label", () => {
  expect(new Set(killPoints.map(({ label }) => label)).size).toBe(killPoints.length);
  expect(killPoints.length).toBeGreaterThanOrEqual(40);
});

test("every victim dies at a point of the sample", () => {
  const sampled = killPoints.filter(({ label }) => killSample.includes(label));
  expect(sampled).toHaveLength(killSample.length);
  expect(new Set(sampled.map(({ dies }) => dies))).toEqual(new Set(["run", "mover", "restic"]));
});
