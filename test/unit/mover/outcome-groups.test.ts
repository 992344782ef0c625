import { expect, it } from "vitest";
import type { ObjectOutcome } from "../../../src/mover/manifests/object-outcome.ts";
import { createOutcomeGroups, failuresIn } from "../../../src/mover/manifests/outcome-groups.ts";
import { createRestoreTally } from "../../../src/mover/restore-tally.ts";
import { createSecretKeeper } from "../../../src/mover/secret-keeper.ts";

const outcome = (
  did: ObjectOutcome["did"],
  name = "a",
  more: Partial<ObjectOutcome> = { reason: "why" },
): ObjectOutcome => ({ type: "widgets.example.com", namespace: "shop", name, did, ...more });

function resultsOf(outcomes: readonly ObjectOutcome[]) {
  const groups = createOutcomeGroups();
  for (const one of outcomes) groups.add(one);
  return groups.results();
}

it("puts objects with one fate and reason together, and what needs a look first", () => {
  const all = (["created", "same", "skipped", "updated", "conflict", "failed"] as const).map((did) =>
    outcome(did),
  );
  const { objects = [], ...counts } = resultsOf([
    ...all,
    outcome("failed", "c"),
    outcome("failed", "b"),
    outcome("created", "d", { notes: ["new cluster IP", "new node port"] }),
  ]);
  expect(counts).toEqual({ created: 2, updated: 1, unchanged: 1, conflicts: 1, skipped: 1, failed: 3 });
  expect(objects.map(({ did }) => did)).toEqual([
    "failed",
    "conflict",
    "updated",
    "skipped",
    "created",
    "created",
    "same",
  ]);
  const type = "widgets.example.com";
  expect(objects[0]).toEqual({
    type,
    did: "failed",
    reason: "why",
    count: 3,
    names: ["shop/a", "shop/b", "shop/c"],
  });
  expect(objects[4]).toMatchObject({ reason: "new cluster IP; new node port", names: ["shop/d"] });
});

it("keeps within 256 KiB whatever is restored, cuts what went well first, and counts what it does not name", () => {
  const many = [...Array(20_000).keys()].map((index) => outcome("created", `good-${index}`.padEnd(40, "x")));
  const failing = (count: number) =>
    [...Array(count).keys()].map((index) =>
      outcome("failed", `bad-${index}`, { reason: `${index} ${"y".repeat(300)}` }),
    );
  const bad = failing(500);
  for (const outcomes of [[...many, ...bad], many, failing(2000)]) {
    const results = resultsOf(outcomes);
    const { objects = [], unlisted = 0 } = results;
    expect(Buffer.byteLength(JSON.stringify(objects))).toBeLessThanOrEqual(256 * 1024);
    expect(Buffer.byteLength(JSON.stringify(objects))).toBeGreaterThan(250 * 1024);
    const named = objects.reduce((sum, { names }) => sum + names.length, 0);
    expect(named + unlisted).toBe(outcomes.length);
  }
  const { objects = [] } = resultsOf([...many, ...bad]);
  expect(objects.filter(({ did }) => did === "failed")).toHaveLength(500);
  expect(objects.at(-1)).toMatchObject({ did: "created", count: 20_000 });
});

it("says in a message which the first failures were", () => {
  const failed = ["a", "b", "c", "d"].map((name) => outcome("failed", name));
  const results = { ...resultsOf([...failed, outcome("created", "e")]), files: 0, bytes: 0 };
  expect(failuresIn(results)).toBe(
    "4 not restored: widgets.example.com shop/a: why; widgets.example.com shop/b: why; widgets.example.com shop/c: why; …",
  );
  expect(failuresIn({ ...results, failed: 0 })).toBeUndefined();
});

it("logs every object as a line of JSON, without a secret of the Job or a value of a field", () => {
  const secrets = createSecretKeeper();
  secrets.add(["correct horse"]);
  const lines: string[] = [];
  const tally = createRestoreTally({ secrets, log: (line) => lines.push(line) });
  expect(tally.results()).toBeUndefined();
  tally.object(
    outcome("updated", "a", {
      reason: "as correct horse said",
      notes: ["correct horse"],
      changes: [{ path: ".data.password", from: "old", to: "new" }],
    }),
  );
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      type: "widgets.example.com",
      namespace: "shop",
      name: "a",
      did: "updated",
      reason: expect.not.stringContaining("horse"),
      notes: [expect.not.stringContaining("horse")],
      changes: [{ path: ".data.password" }],
    },
  ]);
  expect(JSON.stringify(tally.results())).not.toContain("horse");
});
