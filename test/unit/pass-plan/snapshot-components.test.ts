import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { planSnapshot } from "../../../src/pass/plan/kinds/snapshot.ts";
import { objectOf, worldOf } from "./world-of.ts";

const snapshot = objectOf("Snapshot", "shop/web-repo-1", {
  spec: { repository: "web-repo", session: "often", backupSession: "web-often-1" },
  status: { components: { "dump-pod-0": { driver: "Restic", phase: "Succeeded" } } },
});

function session(ensured: boolean): KubeObject {
  const conditions = [{ type: "BackupExecutorEnsured", status: "True", reason: "", message: "" }];
  return objectOf("BackupSession", "shop/web-often-1", {
    status: { phase: "Running", conditions: ensured ? conditions : [] },
  });
}

function job(name: string): KubeObject {
  return objectOf("Job", `shop/${name}`, {
    metadata: {
      labels: { "app.kubernetes.io/component": "kubestash-backup" },
      ownerReferences: [
        {
          apiVersion: "core.kubestash.com/v1alpha1",
          kind: "BackupSession",
          name: "web-often-1",
          uid: "uid-of-BackupSession-shop/web-often-1",
        },
      ],
    },
  });
}

function totalAfter(...objects: readonly KubeObject[]): unknown {
  const status = planSnapshot(snapshot, worldOf(snapshot, ...objects)).steps.flatMap((step) =>
    step.kind === "status" ? [step.status] : [],
  )[0];
  return status?.["totalComponents"];
}

test("Jobs are counted as components only once all of them are made", () => {
  expect(totalAfter(session(false), job("web-often-1-dump-pod-0"))).toBeUndefined();
  const both = [job("web-often-1-dump-pod-0"), job("web-often-1-dump-pod-1")];
  expect(totalAfter(session(true), ...both)).toBe(2);
});
