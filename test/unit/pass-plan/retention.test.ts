import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type RetentionRule,
  type RetentionSnapshot,
  staleSnapshots,
} from "../../../src/pass/plan/retention.ts";

const hourMs = 3_600_000;
const now = Date.parse("2026-11-20T12:00:00Z");

function snapshot(
  name: string,
  hoursAgo: number,
  changes: Partial<RetentionSnapshot> = {},
): RetentionSnapshot {
  return {
    name,
    phase: "Succeeded",
    time: now - hoursAgo * hourMs,
    groups: ["hourly/dump"],
    good: true,
    ...changes,
  };
}

function rule(changes: Partial<RetentionRule>): RetentionRule {
  return { maxPeriodMs: undefined, successful: undefined, failedLast: 1, ...changes };
}

describe("staleSnapshots", () => {
  test("keeps the newest ones by `last`, and names the others oldest first", () => {
    const all = [snapshot("a", 1), snapshot("b", 2), snapshot("c", 3), snapshot("d", 4)];
    expect(staleSnapshots(all, rule({ successful: { last: 2 } }), now)).toEqual(["d", "c"]);
  });

  test("keeps the newest of each day, week, month and year in UTC", () => {
    const all = [
      snapshot("today", 1),
      snapshot("today-early", 11),
      snapshot("yesterday", 14),
      snapshot("last-month", 24 * 30),
    ];
    expect(staleSnapshots(all, rule({ successful: { daily: 2 } }), now)).toEqual([
      "last-month",
      "today-early",
    ]);
    expect(staleSnapshots(all, rule({ successful: { monthly: 2 } }), now)).toEqual([
      "yesterday",
      "today-early",
    ]);
    expect(staleSnapshots(all, rule({ successful: { yearly: 5 } }), now)).toEqual([
      "last-month",
      "yesterday",
      "today-early",
    ]);
  });

  test("counts a week from Monday to Sunday", () => {
    // 2026-11-15 was a Sunday, 2026-11-16 a Monday.
    const sunday = snapshot("sunday", (now - Date.parse("2026-11-15T23:00:00Z")) / hourMs);
    const monday = snapshot("monday", (now - Date.parse("2026-11-16T01:00:00Z")) / hourMs);
    expect(staleSnapshots([sunday, monday], rule({ successful: { weekly: 1 } }), now)).toEqual(["sunday"]);
    expect(staleSnapshots([sunday, monday], rule({ successful: { weekly: 2 } }), now)).toEqual([]);
  });

  test("removes what is older than the period whatever class it is in, but never the last good one", () => {
    const all = [snapshot("old", 100), snapshot("older", 200)];
    expect(staleSnapshots(all, rule({ maxPeriodMs: 24 * hourMs, successful: { last: 5 } }), now)).toEqual([
      "older",
    ]);
  });

  test("keeps as many failed ones as asked, one without being asked", () => {
    const failed = { phase: "Failed", good: false } as const;
    const all = [
      snapshot("good", 5),
      snapshot("f1", 1, failed),
      snapshot("f2", 2, failed),
      snapshot("f3", 3, failed),
    ];
    expect(staleSnapshots(all, rule({ successful: { last: 1 } }), now)).toEqual(["f3", "f2"]);
    expect(staleSnapshots(all, rule({ successful: { last: 1 }, failedLast: 2 }), now)).toEqual(["f3"]);
  });

  test("does not take a snapshot of a shrunk source for the last good one", () => {
    const all = [snapshot("shrunk", 1, { good: false }), snapshot("before", 2)];
    expect(staleSnapshots(all, rule({ successful: { last: 1 } }), now)).toEqual([]);
  });
});

describe("laws of retention", () => {
  const snapshots = fc.uniqueArray(fc.integer({ min: 0, max: 5000 }), { maxLength: 40 }).chain((hours) =>
    fc.tuple(
      ...hours.map((ago) =>
        fc
          .record({
            good: fc.boolean(),
            phase: fc.constantFrom("Succeeded" as const, "Failed" as const),
            groups: fc.subarray(["hourly/dump", "hourly/manifest", "daily/dump"], { minLength: 1 }),
          })
          .map(
            (one): RetentionSnapshot => ({
              ...one,
              good: one.good && one.phase === "Succeeded",
              name: `s${ago}`,
              time: now - ago * hourMs,
            }),
          ),
      ),
    ),
  );
  const count = fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined });
  const rules = fc.record({
    maxPeriodMs: fc.option(fc.integer({ min: 1, max: 5000 * hourMs }), { nil: undefined }),
    failedLast: fc.integer({ min: 0, max: 3 }),
    successful: fc.option(
      fc
        .record({ last: count, hourly: count, daily: count, weekly: count, monthly: count, yearly: count })
        .map((counts) =>
          Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== undefined)),
        ),
      { nil: undefined },
    ),
  });

  test("it names a subset, each once, and never the last good one of a group", () => {
    fc.assert(
      fc.property(snapshots, rules, (all, one) => {
        const stale = staleSnapshots(all, one, now);
        expect(new Set(stale).size).toBe(stale.length);
        for (const group of new Set(all.flatMap((snapshot) => snapshot.groups))) {
          const newestFirst = [...all].sort((a, b) => b.time - a.time);
          const lastGood = newestFirst.find((snapshot) => snapshot.good && snapshot.groups.includes(group));
          expect(stale).not.toContain(lastGood?.name ?? "there is none");
        }
      }),
    );
  });

  test("what it keeps it keeps again: a second time names nothing", () => {
    fc.assert(
      fc.property(snapshots, rules, (all, one) => {
        const stale = new Set(staleSnapshots(all, one, now));
        const left = all.filter((snapshot) => !stale.has(snapshot.name));
        expect(staleSnapshots(left, one, now)).toEqual([]);
      }),
    );
  });

  test("it never keeps fewer good ones than `last` asks for while there are that many in the period", () => {
    fc.assert(
      fc.property(snapshots, fc.integer({ min: 0, max: 6 }), (all, last) => {
        const stale = new Set(
          staleSnapshots(all, { maxPeriodMs: undefined, failedLast: 1, successful: { last } }, now),
        );
        const succeeded = all.filter((snapshot) => snapshot.phase === "Succeeded");
        const kept = succeeded.filter((snapshot) => !stale.has(snapshot.name));
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(last, succeeded.length));
      }),
    );
  });
});
