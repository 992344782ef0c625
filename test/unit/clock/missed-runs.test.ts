import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { asRecord, records } from "../../../src/base/json.ts";
import { dueRuns, type MissedRuns } from "../../../src/pass/plan/due.ts";
import { passes } from "../pass-plan/model/events.ts";
import { scene } from "../pass-plan/model/scene.ts";
import { Simulation } from "../pass-plan/model/simulation.ts";

const ms = (text: string) => Date.parse(text);
const hourly = { schedule: "0 * * * *" };

describe("due times without a backup", () => {
  const sinceMs = ms("2026-06-01T11:00:00Z");
  const of = (spec: Readonly<Record<string, unknown>>, now: string, started: readonly string[] = []) =>
    dueRuns(spec, { sinceMs, nowMs: ms(now), startedMs: started.map(ms) }).missed;
  const times = (missed: MissedRuns | undefined) =>
    missed && [missed.count, ...[missed.firstMs, missed.lastMs].map((time) => new Date(time).toISOString())];

  test("are all of 49 hours of sleep, and not the last once that is caught up", () => {
    expect(times(of(hourly, "2026-06-03T11:40:00Z"))).toEqual([
      49,
      "2026-06-01T11:00:00.000Z",
      "2026-06-03T11:00:00.000Z",
    ]);
    expect(of(hourly, "2026-06-03T11:40:00Z", ["2026-06-03T11:39:00Z"])?.count).toBe(48);
  });

  test("may bring their session for ten minutes", () => {
    const nowMs = ms("2026-06-01T11:09:59Z");
    expect(dueRuns(hourly, { sinceMs, nowMs, startedMs: [] })).toEqual({
      missed: undefined,
      open: { dueMs: sinceMs, untilMs: sinceMs + 600_000 },
    });
    expect(dueRuns(hourly, { sinceMs, nowMs, startedMs: [nowMs] }).open).toBeUndefined();
    expect(of(hourly, "2026-06-01T11:10:00Z")?.count).toBe(1);
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

/** A shop whose two sessions are due every half hour, and are just being made at such a time. */
function shop(): Simulation {
  const simulation = new Simulation(scene);
  simulation.happen({ do: "clock", seconds: 1_800 - ((simulation.cluster.nowMs / 1000) % 1_800) });
  for (const session of ["often", "files"] as const) simulation.happen({ do: "trigger", session });
  simulation.happen(passes);
  return simulation;
}

function configuration(simulation: Simulation): KubeObject | undefined {
  return simulation.cluster.list("BackupConfiguration")[0];
}

/** `RunsMissed` of the sessions, as `files True: message`. */
function missedOf(object: unknown): readonly string[] {
  return records(asRecord(asRecord(object)["status"])["sessions"]).flatMap((session) =>
    records(session["conditions"])
      .filter((one) => one["type"] === "RunsMissed")
      .map((one) => `${String(session["name"])} ${String(one["status"])}: ${String(one["message"])}`),
  );
}

function wait(simulation: Simulation, seconds: number): void {
  simulation.happen({ do: "clock", seconds });
  simulation.happen(passes);
}

function sayings(simulation: Simulation): readonly string[] {
  return missedOf(configuration(simulation)).filter((one) => one.startsWith("files"));
}

describe("a BackupConfiguration", () => {
  test("whose cluster slept for 49 hours says how many due times passed, in its status and in the record", () => {
    const simulation = shop();
    wait(simulation, 49 * 3_600);
    const said = missedOf(configuration(simulation));
    expect(said).toHaveLength(2);
    expect(said[1]).toMatch(
      /^files True: 9\d due times from 2026-11-20T.* to 2026-11-22T.* passed without a backup$/,
    );
    const { name, namespace = "" } = configuration(simulation)?.metadata ?? { name: "" };
    const entry = simulation.record.content(`clusters/lab/configurations/${namespace}/${name}.yaml`);
    expect(missedOf(entry)).toEqual(said);
  });

  test("that is looked at all the time says so ten minutes after a due time that brought no session", () => {
    const simulation = shop();
    for (let minute = 0; minute < 35; minute += 5) wait(simulation, 300);
    expect(sayings(simulation).filter((one) => one.includes("True"))).toEqual([]);
    for (let minute = 0; minute < 10; minute += 5) wait(simulation, 300);
    expect(sayings(simulation)).toEqual([expect.stringMatching(/^files True: 1 due time from /)]);
    for (let minute = 0; minute < 60; minute += 5) wait(simulation, 300);
    expect(sayings(simulation)).toEqual([expect.stringMatching(/^files True: 3 due times from /)]);
  });

  test("says so until a session is made, and then still how many there were", () => {
    const simulation = shop();
    wait(simulation, 49 * 3_600);
    wait(simulation, 1_800);
    const [said = ""] = sayings(simulation);
    expect(said).toMatch(/^files True: 9\d due times/);
    simulation.happen({ do: "trigger", session: "files" });
    simulation.happen(passes);
    expect(sayings(simulation)).toEqual([expect.stringMatching(/^files False: 9\d due times/)]);
    expect(missedOf(configuration(simulation))[0]).toContain("often True");
  });

  test("has missed nothing while it is paused", () => {
    const simulation = shop();
    wait(simulation, 49 * 3_600);
    simulation.happen({ do: "pause", paused: true });
    simulation.happen(passes);
    expect(sayings(simulation)).toEqual(["files False: "]);
    wait(simulation, 49 * 3_600);
    simulation.happen({ do: "pause", paused: false });
    simulation.happen(passes);
    expect(sayings(simulation)).toEqual(["files False: "]);
  });
});
