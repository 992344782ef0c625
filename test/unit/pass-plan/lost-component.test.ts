import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { asRecord, records } from "../../../src/base/json.ts";
import { planSnapshot } from "../../../src/pass/plan/kinds/snapshot.ts";
import { objectOf, worldOf } from "./world-of.ts";

const part = { phase: "Succeeded", driver: "Restic", proof: { files: 10, bytes: 100 } };

function snapshot(name: string, hour: number, ...components: readonly string[]): KubeObject {
  return objectOf("Snapshot", `app/${name}`, {
    spec: { repository: "repo", session: "hourly", backupSession: "db-hourly-2" },
    status: {
      phase: name === "now" ? "Running" : "Succeeded",
      snapshotTime: `2026-11-20T0${hour}:00:00Z`,
      totalComponents: components.length,
      components: Object.fromEntries(components.map((component) => [component, part])),
    },
  });
}

const backupSession = objectOf("BackupSession", "app/db-hourly-2", {
  spec: { invoker: { kind: "BackupConfiguration", name: "db" }, session: "hourly" },
  status: { phase: "Running" },
});

/** What SourceShrunk says of a Snapshot after a good one of `before`, in a session of these tasks. */
function said(now: KubeObject, before: KubeObject, ...tasks: readonly string[]): string | undefined {
  const addon = { name: "workload-addon", tasks: tasks.map((name) => ({ name })) };
  const configuration = objectOf("BackupConfiguration", "app/db", {
    spec: { sessions: [{ name: "hourly", addon }] },
  });
  const repository = objectOf("Repository", "app/repo");
  const world = worldOf(now, before, backupSession, configuration, repository);
  const [status] = planSnapshot(now, world).steps.flatMap((step) =>
    step.kind === "status" ? [step.status] : [],
  );
  const found = records(asRecord(status)["conditions"]).find((one) => one["type"] === "SourceShrunk");
  return found === undefined ? undefined : String(found["message"]);
}

describe("a Snapshot that lacks a component of the last good one", () => {
  const before = snapshot("before", 1, "dump-pod-0", "dump-pod-1", "manifest");

  test("has shrunk", () => {
    const now = snapshot("now", 2, "dump-pod-0", "manifest");
    expect(said(now, before, "logical-backup", "manifest-backup")).toContain(
      "dump-pod-1 is not there, the last good one had it",
    );
  });

  test("has shrunk by each that is gone, also when its declaration cannot be found", () => {
    const message = said(snapshot("now", 2, "dump-pod-0"), before, "logical-backup", "manifest-backup");
    expect(message).toContain("dump-pod-1 is not there");
    expect(message).toContain("manifest is not there");
  });

  test("has not shrunk by what its session has no task for any more", () => {
    const now = snapshot("now", 2, "dump-pod-0", "dump-pod-1");
    expect(said(now, before, "logical-backup")).toBeUndefined();
    expect(said(now, before, "logical-backup", "manifest-backup")).toContain("manifest is not there");
  });
});

test("a Snapshot with a component more has not shrunk", () => {
  const now = snapshot("now", 2, "dump-pod-0", "dump-pod-1", "dump-pod-2");
  expect(said(now, snapshot("before", 1, "dump-pod-0", "dump-pod-1"), "logical-backup")).toBeUndefined();
});
