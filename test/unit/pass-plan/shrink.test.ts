import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { asRecord, records } from "../../../src/base/json.ts";
import { planSnapshot } from "../../../src/pass/plan/kinds/snapshot.ts";
import { goodBefore, losses } from "../../../src/pass/plan/shrink.ts";
import { conditionIs } from "../../../src/pass/plan/snapshots.ts";
import { scene } from "./model/scene.ts";
import { Simulation } from "./model/simulation.ts";
import { worldOf } from "./world-of.ts";

const repository: KubeObject = {
  apiVersion: "storage.kubestash.com/v1alpha1",
  kind: "Repository",
  metadata: { name: "repo", namespace: "app" },
};

function snapshot(name: string, session: string, hour: number, files: number): KubeObject {
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "Snapshot",
    metadata: { name, namespace: "app" },
    spec: { repository: "repo", session },
    status: {
      phase: "Succeeded",
      snapshotTime: `2026-11-20T${String(hour).padStart(2, "0")}:00:00Z`,
      totalComponents: 1,
      components: { dump: { phase: "Succeeded", proof: { files, bytes: files * 10 } } },
    },
  };
}

function shrunk(latest: KubeObject, ...before: readonly KubeObject[]): readonly string[] {
  const world = worldOf(repository, latest, ...before);
  return losses(latest, goodBefore(latest, repository, world), () => true);
}

const small = (files: number, before: number) => [
  `dump has ${files} files, the last good one had ${before}`,
  `dump has ${files * 10} bytes, the last good one had ${before * 10}`,
];

test("a component is compared with the last good one of its own session", () => {
  const other = snapshot("other", "daily", 9, 1000);
  const own = snapshot("own", "hourly", 8, 10);
  expect(shrunk(snapshot("now", "hourly", 10, 9), other, own)).toEqual([]);
  expect(shrunk(snapshot("now", "hourly", 10, 4), other, own)).toEqual(small(4, 10));
});

test("the first one of a new session is compared with the last good one of any session", () => {
  const other = snapshot("other", "daily", 9, 1000);
  expect(shrunk(snapshot("now", "renamed", 10, 3), other)).toEqual(small(3, 1000));
  expect(shrunk(snapshot("now", "renamed", 10, 900), other)).toEqual([]);
});

test("without any good one before there is nothing to shrink from", () => {
  expect(shrunk(snapshot("now", "hourly", 10, 3))).toEqual([]);
});

test("an empty component has shrunk, unless the last good one was accepted as empty", () => {
  expect(shrunk(snapshot("now", "hourly", 10, 0))).toEqual(["dump is empty"]);
  expect(shrunk(snapshot("now", "hourly", 10, 0), snapshot("own", "hourly", 8, 10))).toEqual([
    "dump is empty",
    ...small(0, 10),
  ]);
  expect(shrunk(snapshot("now", "hourly", 10, 0), snapshot("own", "hourly", 8, 0))).toEqual([]);
});

const conditions = (status: string) => [
  { type: "SourceShrunk", status, reason: "r", message: "m", lastTransitionTime: "2026-11-20T10:00:00Z" },
  { type: "SnapshotMetadataUploaded", status: "True", lastTransitionTime: "2026-11-20T10:00:00Z" },
];

function judged(name: string, hour: number, files: number, status: "True" | "False"): KubeObject {
  const taken = snapshot(name, "hourly", hour, files);
  return { ...taken, status: { ...asRecord(taken["status"]), conditions: conditions(status) } };
}

/** What SourceShrunk says of a Snapshot that had shrunk, after a pass over it and those beside it. */
function afterwards(object: KubeObject, ...beside: readonly KubeObject[]): unknown {
  const { steps } = planSnapshot(object, worldOf(repository, object, ...beside));
  const [status] = steps.flatMap((step) => (step.kind === "status" ? [step.status] : []));
  const all = records(
    asRecord(status ?? object["status"])["conditions"] ?? asRecord(object["status"])["conditions"],
  );
  return all.find(({ type }) => type === "SourceShrunk")?.["status"];
}

describe("a Snapshot that has shrunk", () => {
  const whole = snapshot("whole", "hourly", 1, 100);
  const later = judged("later", 5, 10, "True");

  test("is accepted with the one before it, or after it, that was", () => {
    expect(afterwards(later, whole)).toBe("True");
    expect(afterwards(later, whole, judged("accepted", 4, 10, "False"))).toBe("False");
    expect(afterwards(later, whole, judged("accepted", 6, 10, "False"))).toBe("False");
  });

  test("is not when it has shrunk again", () => {
    expect(afterwards(judged("later", 5, 3, "True"), whole, judged("accepted", 4, 10, "False"))).toBe("True");
  });

  test("is not when the source was whole in between", () => {
    const accepted = judged("accepted", 2, 10, "False");
    expect(afterwards(later, accepted, snapshot("again", "hourly", 3, 100))).toBe("True");
  });

  test("is not by one of another session", () => {
    const other = { ...judged("accepted", 4, 10, "False"), spec: { repository: "repo", session: "daily" } };
    expect(afterwards(later, whole, other)).toBe("True");
  });
});

test("one acceptance is enough for retention to go on, whatever was saved before it", () => {
  const simulation = new Simulation({ ...scene, keep: 1 });
  for (let backups = 0; backups < 3; backups += 1) {
    simulation.happen({ do: "clock", seconds: 60 });
    simulation.happen({ do: "trigger", session: "files" });
    for (let rounds = 0; rounds < 4; rounds += 1) {
      simulation.happen({ do: "passes", by: 0, count: 4 });
      simulation.happen({ do: "end-job", pick: 0, ending: { ok: true, report: true, source: "small" } });
    }
  }
  const ofFiles = () =>
    simulation.cluster.list("Snapshot").filter((one) => asRecord(one["spec"])["session"] === "files");
  const shrunken = () =>
    simulation.cluster.list("Snapshot").filter((one) => conditionIs(one, "SourceShrunk", "True"));
  expect(shrunken().length).toBeGreaterThanOrEqual(3);
  simulation.happen({ do: "accept-shrink", one: true });
  simulation.settle();
  expect(shrunken()).toEqual([]);
  simulation.happen({ do: "trigger", session: "files" });
  simulation.settle();
  expect(ofFiles().length).toBeLessThanOrEqual(2);
});
