import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dueTimes } from "../../../src/api/due-times.ts";
import { type CronBench, openCronBench } from "./cron-bench.ts";
import { jumpedOver, names, wallClock } from "./wall-clock.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const long = { timeout: 120_000 };
const runs = Math.max(30, Number(process.env["HOLDFAST_FUZZ_RUNS"] ?? 0) / 10);

/** A whole hour at night, another on the other half of the earth, half an hour, and one at midnight. */
const changes = [
  { zone: "Europe/Berlin", spring: "2026-03-29T01:00:00Z", autumn: "2026-10-25T01:00:00Z" },
  { zone: "America/New_York", spring: "2026-03-08T07:00:00Z", autumn: "2026-11-01T06:00:00Z" },
  { zone: "Australia/Lord_Howe", spring: "2026-10-03T15:30:00Z", autumn: "2026-04-04T15:00:00Z" },
  { zone: "America/Santiago", spring: "2026-09-06T04:00:00Z", autumn: "2026-04-05T03:00:00Z" },
] as const;

const fixed = fc
  .tuple(fc.nat(59), fc.nat(23))
  .map(([minutes, hours]) => ({ schedule: `${minutes} ${hours} * * *`, daily: true }));
const repeated = fc
  .constantFrom(
    "*/20 * * * *",
    "0 * * * *",
    "17 */2 * * *",
    "*/30 0-4 * * *",
    "5 1,2,3 * * 0",
    "45 23 * * 6,0",
  )
  .map((schedule) => ({ schedule, daily: false }));
const schedules = fc.oneof({ weight: 2, arbitrary: fixed }, { weight: 1, arbitrary: repeated });

describe.each(changes)("in $zone", ({ zone, spring, autumn }) => {
  const wall = wallClock(zone);

  /** Due times of the days around a change. */
  function around(change: string, schedule: string): readonly number[] {
    const due = dueTimes(schedule, zone);
    const until = Date.parse(change) + 60 * hour;
    const out: number[] = [];
    let time = due.next(Date.parse(change) - 60 * hour);
    for (; time !== undefined && time < until; time = due.next(time)) out.push(time);
    return out;
  }

  test("the clock changes where this test says", () => {
    expect(jumpedOver(wall, Date.parse(spring)).length).toBe(zone === "Australia/Lord_Howe" ? 30 : 60);
    const [before, after] = [-minute, 0].map((by) => wall.at(Date.parse(autumn) + by));
    expect((after?.hour ?? 0) * 60 + (after?.minute ?? 0)).not.toBe(
      ((before?.hour ?? 0) * 60 + (before?.minute ?? 0) + 1) % 1_440,
    );
  });

  test.each([spring, autumn])(
    "nothing is due at a time that the schedule does not name, around %s",
    long,
    (change) => {
      fc.assert(
        fc.property(schedules, ({ schedule }) => {
          for (const time of around(change, schedule)) {
            const left = jumpedOver(wall, time);
            const named = names(schedule, wall.at(time)) || left.some((shown) => names(schedule, shown));
            expect(named, `${schedule} at ${new Date(time).toISOString()}`).toBe(true);
          }
        }),
        { numRuns: runs },
      );
    },
  );

  test.each([spring, autumn])("a daily run is due once on each day, around %s", long, (change) => {
    fc.assert(
      fc.property(fixed, ({ schedule }) => {
        const days = around(change, schedule).map((time) => wall.at(time).day);
        for (const by of [-day, 0, day]) {
          const { day: date } = wall.at(Date.parse(change) + by);
          expect(
            days.filter((one) => one === date).length,
            `${schedule} on day ${date} of ${days.join()}`,
          ).toBe(1);
        }
      }),
      { numRuns: runs },
    );
  });
});

type Move =
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "set"; readonly ms: number }
  | { readonly do: "restart" };

const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 90 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("set" as const),
      ms: fc.constantFrom(day, -day, 49 * hour, -hour),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
);

const scenes = fc.record({
  change: fc.constantFrom(
    ...changes.flatMap(({ zone, spring, autumn }) => [
      { zone, at: spring },
      { zone, at: autumn },
    ]),
  ),
  schedule: schedules,
  moves: fc.array(moves, { minLength: 3, maxLength: 10 }),
});

describe("the CronJobs of the embedded cluster", () => {
  let bench: CronBench;

  beforeAll(async () => {
    bench = await openCronBench("2026-01-01T00:00:00Z");
  });

  afterAll(async () => {
    await bench?.close();
  });

  test("run at most once for a due time and never for another, however the clock moves", long, async () => {
    await fc.assert(
      fc.asyncProperty(scenes, async ({ change, schedule: { schedule }, moves: steps }) => {
        const { clock } = bench;
        clock.advance(Date.parse(change.at) - 2 * hour - clock.now());
        const created = clock.now();
        let controller = bench.newController();
        const name = await bench.declare(schedule, change.zone);
        const due = dueTimes(schedule, change.zone);
        const seen = new Set<number>();
        for (const step of steps) {
          if (step.do === "restart") controller = bench.newController();
          else clock.advance(step.do === "wait" ? step.ms * minute : step.ms);
          await controller.reconcile(`default/${name}`);
          await controller.reconcile(`default/${name}`);
          const fresh = await bench.takeRuns(name);
          expect(fresh.length, "one look starts one run").toBeLessThanOrEqual(1);
          for (const time of fresh) {
            expect(seen.has(time), `${new Date(time).toISOString()} ran twice`).toBe(false);
            seen.add(time);
            expect(due.next(time - 1), `${new Date(time).toISOString()} was not due`).toBe(time);
            expect(time).toBeGreaterThan(created);
            expect(time).toBeLessThanOrEqual(clock.now());
          }
          await controller.reconcile(`default/${name}`);
        }
        await bench.forget(name);
      }),
      { numRuns: runs },
    );
  });

  test("after 49 hours of sleep one run is caught up, and the next one comes at its time", async () => {
    const { clock } = bench;
    clock.advance(Date.parse("2026-06-01T10:30:30Z") - clock.now());
    const controller = bench.newController();
    const name = await bench.declare("0 * * * *", "Etc/UTC");
    await controller.reconcile(`default/${name}`);
    clock.advance(49 * hour);
    const wait = await controller.reconcile(`default/${name}`);
    expect(await bench.takeRuns(name)).toEqual([Date.parse("2026-06-03T11:00:00Z")]);
    expect(clock.now() + (wait ?? 0)).toBe(Date.parse("2026-06-03T12:00:00Z"));
    clock.advance(wait ?? 0);
    await controller.reconcile(`default/${name}`);
    expect(await bench.takeRuns(name)).toEqual([Date.parse("2026-06-03T12:00:00Z")]);
  });
});
