import { describe, expect, test } from "vitest";
import { type MissedRuns, missedRuns } from "../../../src/pass/plan/due.ts";
import { asRecord, records } from "../../../src/pass/plan/targets.ts";
import type { SceneOptions } from "../pass-plan/model/scene.ts";
import { Simulation } from "../pass-plan/model/simulation.ts";

const ms = (text: string) => Date.parse(text);
const hourly = { schedule: "0 * * * *" };

describe("due times without a backup", () => {
  const sinceMs = ms("2026-06-01T11:00:00Z");
  const of = (spec: Readonly<Record<string, unknown>>, now: string, started: readonly string[] = []) =>
    missedRuns(spec, { sinceMs, nowMs: ms(now), startedMs: started.map(ms) });
  const times = (missed: MissedRuns | undefined) =>
    missed && [missed.count, ...[missed.firstMs, missed.lastMs].map((time) => new Date(time).toISOString())];

  test("are all but the last, which is caught up, after 49 hours of sleep", () => {
    expect(times(of(hourly, "2026-06-03T11:40:00Z"))).toEqual([
      48,
      "2026-06-01T11:00:00.000Z",
      "2026-06-03T10:00:00.000Z",
    ]);
  });

  test("include the last once its starting deadline has passed", () => {
    const spec = { ...hourly, startingDeadlineSeconds: 600 };
    expect(of(spec, "2026-06-03T11:40:00Z")?.count).toBe(49);
    expect(of(spec, "2026-06-03T11:05:00Z")?.count).toBe(48);
  });

  test("are none where each brought a session, though nobody looked for a day", () => {
    const started = Array.from({ length: 25 }, (_, index) =>
      new Date(sinceMs + index * 3_600_000 + 1_000).toISOString(),
    );
    expect(of(hourly, "2026-06-02T11:30:00Z", started)).toBeUndefined();
    expect(times(of(hourly, "2026-06-02T11:30:00Z", started.toSpliced(3, 2)))).toEqual([
      2,
      "2026-06-01T14:00:00.000Z",
      "2026-06-01T15:00:00.000Z",
    ]);
  });

  test("are none while suspended, before the next due time, and after the clock was set back", () => {
    expect(of({ ...hourly, suspend: true }, "2026-06-03T11:40:00Z")).toBeUndefined();
    expect(of(hourly, "2026-06-01T10:59:00Z")).toBeUndefined();
    expect(of(hourly, "2026-05-31T10:59:00Z")).toBeUndefined();
  });

  test("are counted up to a bound", () => {
    expect(of({ schedule: "* * * * *" }, "2026-07-01T00:00:00Z")).toMatchObject({
      count: 1_000,
      more: true,
    });
  });
});

const scene: SceneOptions = {
  provider: "s3",
  keep: 2,
  history: 2,
  retries: 0,
  timeout: undefined,
  wipeOut: false,
  consent: false,
  lived: true,
};

function missedOf(status: unknown): readonly unknown[] {
  return records(asRecord(status)["sessions"]).flatMap((session) =>
    records(session["conditions"])
      .filter((one) => one["type"] === "RunsMissed")
      .map((one) => `${String(session["name"])} ${String(one["status"])}: ${String(one["message"])}`),
  );
}

describe("a BackupConfiguration whose cluster slept for 49 hours", () => {
  const simulation = new Simulation(scene);
  const configuration = () => simulation.cluster.list("BackupConfiguration")[0];
  const passes = { do: "passes", by: 0, count: 5 } as const;

  test("says how many due times passed, in its status and in the record", () => {
    // A due time that is kept, for what the scene's own jumps left out.
    simulation.happen({ do: "clock", seconds: 1_800 });
    simulation.happen(passes);
    expect(missedOf(configuration()?.["status"]).filter((one) => String(one).includes("True"))).toEqual([]);
    simulation.happen({ do: "clock", seconds: 49 * 3_600 });
    simulation.happen(passes);
    const said = missedOf(configuration()?.["status"]);
    expect(said).toHaveLength(2);
    expect(said[0]).toMatch(
      /^\w+ True: 9\d due times from 2026-11-20T.* to 2026-11-22T.* passed without a backup$/,
    );
    const { name, namespace = "" } = configuration()?.metadata ?? { name: "" };
    const entry = simulation.record.content(`clusters/lab/configurations/${namespace}/${name}.yaml`);
    expect(missedOf(entry?.["status"])).toEqual(said);
  });

  test("says so until a due time is kept again", () => {
    simulation.happen(passes);
    expect(missedOf(configuration()?.["status"])[0]).toContain("True");
    simulation.happen({ do: "clock", seconds: 1_800 });
    simulation.happen(passes);
    expect(missedOf(configuration()?.["status"])).toEqual([
      expect.stringContaining("False"),
      expect.stringContaining("False"),
    ]);
  });
});
