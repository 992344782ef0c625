import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { asRecord, records } from "../../../src/base/json.ts";
import { passes } from "./model/events.ts";
import { isFinal, phase } from "./model/laws.ts";
import { scene } from "./model/scene.ts";
import { Simulation } from "./model/simulation.ts";

/** A shop whose backups may take ten minutes, one second after its initial ones. */
function shop(keep = 2): Simulation {
  const simulation = new Simulation({ ...scene, keep, timeout: "10m" });
  simulation.happen({ do: "clock", seconds: 1 });
  return simulation;
}

function newest(simulation: Simulation): KubeObject | undefined {
  return simulation.cluster
    .list("BackupSession")
    .filter((one) => asRecord(one["spec"])["session"] === "files")
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .at(-1);
}

function condition(object: KubeObject | undefined, type: string) {
  return records(asRecord(object?.["status"])["conditions"]).find((one) => one["type"] === type);
}

function declareRestore(simulation: Simulation): void {
  simulation.happen({ do: "change-restore", timeout: "10m" });
  simulation.happen({ do: "file", name: "back", there: true });
  simulation.happen(passes);
}

function restored(simulation: Simulation): KubeObject | undefined {
  return simulation.cluster.find("RestoreSession", "app", "back");
}

test.each([
  ["Snapshot", "SnapshotsEnsured"],
  ["Job", "BackupExecutorEnsured"],
  ["ServiceAccount", "BackupExecutorEnsured"],
])("a session fails at its deadline when the API server makes no %s, and a later one runs", (kind, type) => {
  const simulation = shop();
  simulation.cluster.refused.add(kind);
  simulation.happen({ do: "trigger", session: "files" });
  simulation.happen(passes);
  expect(["Pending", "Running"]).toContain(phase(newest(simulation)));
  expect(condition(newest(simulation), type)).toMatchObject({
    status: "Unknown",
    reason: "Forbidden",
    message: "Forbidden by a quota",
  });
  simulation.happen({ do: "clock", seconds: 700 });
  simulation.happen(passes);
  expect(phase(newest(simulation))).toBe("Failed");
  expect(condition(newest(simulation), type)?.["message"]).toMatch(
    new RegExp(`${kind} .*could not be made: backupTimeout passed at .*; Forbidden by a quota$`),
  );
  simulation.happen(passes);
  expect(simulation.cluster.list("Snapshot").every(isFinal)).toBe(true);
  simulation.cluster.refused.clear();
  simulation.happen({ do: "trigger", session: "files" });
  simulation.settle();
  expect(phase(newest(simulation))).toBe("Succeeded");
});

test("a session whose retention gets no Job ends half an hour after its deadline, and says which", () => {
  const simulation = shop(1);
  simulation.happen({ do: "trigger", session: "files" });
  simulation.settle();
  simulation.happen({ do: "trigger", session: "files" });
  simulation.happen(passes);
  simulation.happen({ do: "end-job", pick: 0, ending: { ok: true, report: true, source: "whole" } });
  simulation.cluster.refused.add("Job");
  simulation.happen(passes);
  simulation.happen(passes);
  simulation.happen({ do: "clock", seconds: 700 });
  simulation.happen(passes);
  expect(phase(newest(simulation))).toBe("Running");
  expect(condition(newest(simulation), "RetentionPolicyExecutorEnsured")).toMatchObject({
    status: "Unknown",
    reason: "Forbidden",
    message: "Forbidden by a quota",
  });
  const written = simulation.cluster.changes.length;
  simulation.happen(passes);
  expect(simulation.cluster.changes).toHaveLength(written);
  simulation.happen({ do: "clock", seconds: 1800 });
  simulation.happen(passes);
  expect(phase(newest(simulation))).toBe("Failed");
  const [policy] = records(asRecord(newest(simulation)?.["status"])["retentionPolicy"]);
  expect(policy).toMatchObject({
    phase: "FailedToApply",
    error: expect.stringMatching(
      /^Job retentionpolicy-.* could not be made until .* \(first refusal: Forbidden by a quota\); the next/,
    ),
  });
  expect(condition(newest(simulation), "RetentionPolicyExecutorEnsured")).toMatchObject({
    status: "False",
    reason: "FailedToEnsureRetentionPolicyExecutor",
    message: expect.stringContaining("Forbidden by a quota"),
  });
});

test.each(["Job", "ServiceAccount"])(
  "a restore of which the API server makes no %s says why, and fails at its deadline",
  (kind) => {
    const simulation = shop();
    simulation.cluster.refused.add(kind);
    declareRestore(simulation);
    simulation.happen(passes);
    expect(condition(restored(simulation), "RestoreExecutorEnsured")).toMatchObject({
      status: "Unknown",
      reason: "Forbidden",
      message: "Forbidden by a quota",
    });
    const written = simulation.cluster.changes.length;
    simulation.happen(passes);
    expect(simulation.cluster.changes).toHaveLength(written);
    simulation.happen({ do: "clock", seconds: 700 });
    simulation.happen(passes);
    expect(phase(restored(simulation))).toBe("Failed");
    expect(condition(restored(simulation), "RestoreExecutorEnsured")?.["message"]).toMatch(
      new RegExp(`${kind} .*could not be made: restoreTimeout passed at .*; Forbidden by a quota$`),
    );
    simulation.cluster.refused.clear();
    simulation.settle();
    expect(phase(restored(simulation))).toBe("Failed");
    expect(
      simulation.cluster.list("Job").filter((job) => job.metadata.ownerReferences?.[0]?.name === "back"),
    ).toEqual([]);
    simulation.expectRest();
  },
);

test("a restore whose Job the API server refuses for a while runs once it makes it", () => {
  const simulation = shop();
  simulation.cluster.refused.add("Job");
  declareRestore(simulation);
  simulation.happen(passes);
  simulation.cluster.refused.clear();
  simulation.settle();
  expect(phase(restored(simulation))).toBe("Succeeded");
  expect(condition(restored(simulation), "RestoreExecutorEnsured")).toMatchObject({
    status: "True",
    message: "",
  });
});
