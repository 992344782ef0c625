import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { planBackupSession } from "../../../src/pass/plan/kinds/backup-session.ts";
import { objectOf, worldOf } from "./world-of.ts";

const configuration = objectOf("BackupConfiguration", "shop/web", {
  spec: { sessions: [{ name: "often", repositories: [{ name: "web-repo" }] }] },
  status: { phase: "Ready" },
});

function session(kind: string): KubeObject {
  return objectOf("BackupSession", "shop/web-often-1", {
    metadata: {
      finalizers: ["kubestash.com/cleanup", "holdfast.dev/record"],
      annotations: { "holdfast.dev/declared-commit": "c" },
    },
    spec: { invoker: { kind, name: "web" }, session: "often" },
  });
}

function repository(paused: boolean): KubeObject {
  return objectOf("Repository", "shop/web-repo", { spec: { paused }, status: { phase: "Ready" } });
}

function whySkipped(backupSession: KubeObject, ...others: readonly KubeObject[]): unknown {
  const { steps } = planBackupSession(backupSession, worldOf(configuration, backupSession, ...others));
  const status = steps.flatMap((step) => (step.kind === "status" ? [step.status] : []))[0];
  const conditions = (status?.["conditions"] ?? []) as readonly { type: string; message: string }[];
  return conditions.find(({ type }) => type === "BackupSkipped")?.message;
}

test("a session that backs up into a paused Repository is skipped and says so", () => {
  expect(whySkipped(session("BackupConfiguration"), repository(true))).toBe("Repository web-repo is paused");
  expect(whySkipped(session("BackupConfiguration"), repository(false))).toBeUndefined();
});

test("a session of a BackupBatch does not run the BackupConfiguration of that name", () => {
  expect(whySkipped(session("BackupBatch"), repository(false))).toContain("its invoker is a BackupBatch");
});
