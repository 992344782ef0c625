import { expect, it } from "vitest";
import type { ObjectOutcome } from "../../../src/mover/manifests/object-outcome.ts";
import { createOutcomeCounts } from "../../../src/mover/manifests/outcome-counts.ts";

const outcome = (did: ObjectOutcome["did"], name = "a", reason = "why"): ObjectOutcome => ({
  type: "widgets.example.com",
  namespace: "shop",
  name,
  did,
  reason,
});

it("counts what stays as it is together, and names what failed", () => {
  const counts = createOutcomeCounts();
  for (const did of ["created", "updated", "same", "conflict", "skipped", "failed"] as const) {
    counts.add(outcome(did));
  }
  expect(counts.results()).toEqual({
    created: 1,
    updated: 1,
    unchanged: 2,
    skipped: 1,
    failed: 1,
    failures: ["widgets.example.com shop/a: why"],
  });
});

it("names the first failures only and says how many more there are", () => {
  const counts = createOutcomeCounts();
  for (let index = 0; index < 60; index += 1) counts.add(outcome("failed", `w-${100 + index}`));
  const { failed, failures } = counts.results();
  expect(failed).toBe(60);
  expect(failures).toHaveLength(50);
  expect(failures.at(-1)).toBe("and 11 more");
});
