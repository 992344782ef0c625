import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { asRecord, records } from "../../../src/pass/plan/targets.ts";
import { isFinal, phase } from "./model/laws.ts";
import { Simulation } from "./model/simulation.ts";

const passes = { do: "passes", by: 0, count: 5 } as const;

/** A shop whose backups may take ten minutes, one second after its initial ones. */
function shop(keep = 2): Simulation {
  const rest = { history: 2, retries: 0, wipeOut: false, consent: false, lived: true } as const;
  const simulation = new Simulation({ provider: "s3", keep, timeout: "10m", ...rest });
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

function message(object: KubeObject | undefined, type: string): unknown {
  return records(asRecord(object?.["status"])["conditions"]).find((one) => one["type"] === type)?.["message"];
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
  simulation.happen({ do: "clock", seconds: 700 });
  simulation.happen(passes);
  expect(phase(newest(simulation))).toBe("Failed");
  expect(message(newest(simulation), type)).toMatch(
    new RegExp(`${kind} .*could not be made: backupTimeout passed`),
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
  simulation.happen({ do: "clock", seconds: 1800 });
  simulation.happen(passes);
  expect(phase(newest(simulation))).toBe("Failed");
  const [policy] = records(asRecord(newest(simulation)?.["status"])["retentionPolicy"]);
  expect(policy).toMatchObject({
    phase: "FailedToApply",
    error: expect.stringMatching(/^Job retentionpolicy-.* could not be made until /),
  });
});
