import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isCronSchedule } from "../../../src/api/cron-schedule.ts";
import { formatDuration, parseGoDuration, parseRetentionPeriod } from "../../../src/api/duration.ts";
import { formatSize, parseSize } from "../../../src/api/size.ts";
import { substitute, unsetVariables } from "../../../src/api/substitute.ts";

describe("durations", () => {
  test.each([
    ["0", 0],
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["250ms", 250],
    ["1m0.25s", 60_250],
    ["1000us", 1],
    ["1000µs", 1],
  ])("%s is read as Go reads it", (text, ms) => {
    expect(parseGoDuration(text)).toBeCloseTo(ms, 9);
  });

  test.each(["", "5", "1 h", "1d", "-1h", "1h ", "h", "1hour", "１h"])("%j is no Go duration", (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  });

  test.each([
    [0, "0s"],
    [0.4, "0s"],
    [350, "350ms"],
    [2400, "2.4s"],
    [63_000, "1m3s"],
    [60_000, "1m0s"],
    [3_600_000, "1h0m0s"],
    [90_061_001, "25h1m1.001s"],
  ])("%d ms are written %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test("what is written is read back", () => {
    fc.assert(
      fc.property(fc.nat(10 ** 10), (ms) => {
        expect(parseGoDuration(formatDuration(ms))).toBeCloseTo(ms, 3);
      }),
    );
  });
});

describe("retention periods", () => {
  const day = 86_400_000;
  test.each([
    ["30d", 30 * day],
    ["30d12h", 30.5 * day],
    ["1y", 365 * day],
    ["1mo", 30 * day],
    ["2w", 14 * day],
    ["1y2mo3w4d5h6m", (365 + 60 + 21 + 4) * day + 5 * 3_600_000 + 6 * 60_000],
    ["10m", 600_000],
    ["1d2d", 2 * day],
  ])("%s is as long as it says", (text, ms) => {
    expect(parseRetentionPeriod(text)).toBe(ms);
  });

  test.each(["", "30", "d", "30 d", "30s", "1.5d", "-1d", "30d!", "thirty d"])("%j is none", (text) => {
    expect(parseRetentionPeriod(text)).toBeUndefined();
  });
});

describe("sizes", () => {
  test.each([
    [0, "0 B"],
    [1024, "1024 B"],
    [1025, "1.001 KiB"],
    [1024 ** 2, "1024.000 KiB"],
    [1.25 * 1024 ** 2, "1.250 MiB"],
    [1024 ** 3 + 1, "1.000 GiB"],
    [5 * 1024 ** 4, "5.000 TiB"],
  ])("%d bytes are written %s", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  test("what is written is read back to the last figure", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 50), (bytes) => {
        const read = parseSize(formatSize(bytes)) ?? Number.NaN;
        expect(Math.abs(read - bytes)).toBeLessThanOrEqual(bytes * 0.0006);
      }),
    );
  });

  test.each(["", "1", "1.2", "MiB", "1 MB", "-1 B", "1  KiB", "1 KiB "])("%j is no size", (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});

describe("schedules", () => {
  test.each([
    "7 * * * *",
    "0 2 * * 0",
    "*/5 0-6,20-23 1,15 jan-mar MON",
    "@daily",
    "0/15 * ? * ?",
    " 1  2 3 4 5 ",
  ])("a CronJob takes %j", (text) => {
    expect(isCronSchedule(text)).toBe(true);
  });

  test.each([
    "",
    "7 * * *",
    "0 7 * * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 7",
    "5-1 * * * *",
    "*/0 * * * *",
    "1/2/3 * * * *",
    "TZ=UTC 1 * * * *",
    "@sometimes",
    "every day",
  ])("a CronJob does not take %j", (text) => {
    expect(isCronSchedule(text)).toBe(false);
  });
});

describe("substitution", () => {
  test("variables are replaced everywhere in an object, in names too", () => {
    const object = {
      image: "${registry:=ghcr.io}/x",
      args: ["--a=${a}", { "${key}": 7, deep: ["${a}${a}"] }],
      n: null,
    };
    expect(substitute(object, { a: "1", key: "k" })).toEqual({
      image: "ghcr.io/x",
      args: ["--a=1", { k: 7, deep: ["11"] }],
      n: null,
    });
  });

  test.each([
    ["${x:=d}", {}, "d"],
    ["${x:=d}", { x: "" }, "d"],
    ["${x:=d}", { x: "v" }, "v"],
    ["${x:=}", {}, ""],
    ["${x}", { x: "" }, ""],
    ["${x}", {}, "${x}"],
    ["${x:=a:b=c/d}", {}, "a:b=c/d"],
    ["$x {x} $(x)", { x: "v" }, "$x {x} $(x)"],
    ["${toString:=d}", {}, "d"],
  ])("%s with %j becomes %j", (text, variables, result) => {
    expect(substitute(text, variables)).toBe(result);
  });

  test("a value is never read as a template again, and never as a replacement pattern", () => {
    expect(substitute("${a} ${b}", { a: "${b}", b: "$&$1" })).toBe("${b} $&$1");
  });

  test("variables that are still needed are named", () => {
    expect(unsetVariables({ a: ["${z}", "${b:=1}"], "${k}": 1 })).toEqual(["b", "k", "z"]);
  });
});
