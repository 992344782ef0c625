import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dueTimes } from "../../../src/api/due-times.ts";
import { earliestMs } from "../../../src/embedded/controllers/cron-job-controller.ts";
import { zonedTimestamp } from "../../../src/embedded/controllers/zoned-timestamp.ts";

const ms = (text: string) => Date.parse(text);
const text = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());
const berlin = "Europe/Berlin";

function series(schedule: string, timeZone: string, from: string, count: number): readonly string[] {
  const due = dueTimes(schedule, timeZone);
  const out: string[] = [];
  for (let time = due.next(ms(from)); time !== undefined && out.length < count; time = due.next(time)) {
    out.push(new Date(time).toISOString());
  }
  return out;
}

describe("due times", () => {
  test("a run at 02:30 is due right after the gap on the day that has no 02:30", () => {
    expect(series("30 2 * * *", berlin, "2026-03-27T12:00:00Z", 3)).toEqual([
      "2026-03-28T01:30:00.000Z",
      "2026-03-29T01:00:00.000Z",
      "2026-03-30T00:30:00.000Z",
    ]);
  });

  test("a run at 02:30 is due once on the day that has two of them", () => {
    expect(series("30 2 * * *", berlin, "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T00:30:00.000Z",
      "2026-10-26T01:30:00.000Z",
    ]);
  });

  test("an hourly run is due every hour over both changes", () => {
    for (const day of ["2026-03-29", "2026-10-25"]) {
      const times = series("0 * * * *", berlin, `${day}T00:00:00Z`, 4).map(ms);
      expect(times.map((time, index) => time - (times[0] ?? 0) - index * 3_600_000)).toEqual([0, 0, 0, 0]);
    }
  });

  test("without a time zone UTC counts", () => {
    expect(text(dueTimes("0 4 * * *", undefined).next(ms("2026-07-01T00:00:00Z")))).toBe(
      "2026-07-01T04:00:00.000Z",
    );
  });

  test("? and a step from one value mean what they mean to Kubernetes", () => {
    const due = series("5/20 ? * * ?", "UTC", "2026-01-01T00:00:00Z", 4);
    expect(due.map((one) => one.slice(11, 16))).toEqual(["00:05", "00:25", "00:45", "01:05"]);
  });

  test.each(["61 * * * *", "* * * *", "@every 1h", "CRON_TZ=UTC * * * * *", "0 0 L * *"])(
    "%s is refused by name",
    (schedule) => {
      expect(() => dueTimes(schedule, undefined)).toThrow(/unparseable schedule/);
    },
  );

  test("an unknown time zone is refused by name", () => {
    expect(() => dueTimes("* * * * *", "Europe/Nowhere")).toThrow("unknown time zone Europe/Nowhere");
  });
});

describe("catching up", () => {
  test("after a long stop only the most recent missed run is due", () => {
    const due = dueTimes("*/5 * * * *", "UTC");
    expect(text(due.mostRecent(ms("2020-01-01T00:00:00Z"), ms("2026-01-01T12:34:56Z")))).toBe(
      "2026-01-01T12:30:00.000Z",
    );
  });

  test("a run that has been done is not due again", () => {
    const due = dueTimes("0 0 1 1 *", "UTC");
    expect(due.mostRecent(ms("2026-01-01T00:00:00Z"), ms("2026-11-01T00:00:00Z"))).toBeUndefined();
  });

  test("whatever was asked before, the next run is the first one after the given time", () => {
    for (const schedule of ["*/20 * * * *", "30 2 * * *", "0 0 1 1 *"]) {
      const due = dueTimes(schedule, berlin);
      const change = ms("2026-10-25T00:00:00Z");
      for (const minutes of [0, 10, 20, 19, 30, 60, 59, 120, 61, 1_440, 0, -1])
        expect(due.next(change + minutes * 60_000)).toBe(
          dueTimes(schedule, berlin).next(change + minutes * 60_000),
        );
    }
  });

  test("the most recent run is the last of all runs in the range", () => {
    const schedules = fc.constantFrom(
      "*/7 * * * *",
      "30 2 * * *",
      "0 9 * * 1-5",
      "15 3 1 * *",
      "0 */6 * * *",
    );
    const range = fc.tuple(fc.integer({ min: 0, max: 80 * 1_440 }), fc.integer({ min: 0, max: 6 * 1_440 }));
    fc.assert(
      fc.property(schedules, range, (schedule, [start, length]) => {
        const from = ms("2026-03-01T00:00:00Z") + start * 60_000;
        const until = from + length * 60_000;
        const due = dueTimes(schedule, berlin);
        let last: number | undefined;
        for (let time = due.next(from); time !== undefined && time <= until; time = due.next(time))
          last = time;
        expect(due.mostRecent(from, until)).toBe(last);
      }),
      { numRuns: 40 },
    );
  });

  test("startingDeadlineSeconds bounds how far back a run is caught up", () => {
    const cronJob = {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "nightly", creationTimestamp: "2026-01-01T00:00:00Z" },
      spec: { startingDeadlineSeconds: 100 },
    };
    const now = ms("2026-01-02T00:00:00Z");
    expect(earliestMs(cronJob, now)).toBe(now - 100_000);
    expect(earliestMs({ ...cronJob, spec: {} }, now)).toBe(ms("2026-01-01T00:00:00Z"));
    const status = { lastScheduleTime: "2026-01-01T23:59:00Z" };
    expect(earliestMs({ ...cronJob, status }, now)).toBe(ms("2026-01-01T23:59:00Z"));
  });
});

test("the scheduled time carries the zone's offset", () => {
  const time = ms("2026-07-01T01:30:00Z");
  expect(zonedTimestamp(time, undefined)).toBe("2026-07-01T01:30:00Z");
  expect(zonedTimestamp(time, berlin)).toBe("2026-07-01T03:30:00+02:00");
  expect(zonedTimestamp(time, "America/St_Johns")).toBe("2026-06-30T23:00:00-02:30");
});
