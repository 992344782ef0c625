import type { BackupSessionStatus } from "../backup-session.ts";
import { backupSessionConditions as types } from "../condition-types.ts";
import { conditionOf, isFalse, isTrue } from "../conditions.ts";
import { firstPhase, type PhaseRule } from "./phase-rule.ts";

export type BackupSessionPhase = "Pending" | "Running" | "Succeeded" | "Failed" | "Skipped";
type Input = Pick<BackupSessionStatus, "conditions" | "snapshots" | "retentionPolicy">;

const mustNotBeFalse = [
  types.backupExecutorEnsured.type,
  types.snapshotsEnsured.type,
  types.preBackupHooksExecutionSucceeded.type,
  types.postBackupHooksExecutionSucceeded.type,
  types.sessionHistoryCleaned.type,
];

export const backupSessionPhases: readonly PhaseRule<Input, BackupSessionPhase>[] = [
  {
    says: "`Failed` when MetricsPushed is False.",
    phase: ({ conditions }) => (isFalse(conditions, types.metricsPushed.type) ? "Failed" : undefined),
  },
  {
    says: "`Skipped` when BackupSkipped is True.",
    phase: ({ conditions }) => (isTrue(conditions, types.backupSkipped.type) ? "Skipped" : undefined),
  },
  {
    says: "`Failed` when MetricsPushed is True and one of BackupExecutorEnsured, SnapshotsEnsured, PreBackupHooksExecutionSucceeded, PostBackupHooksExecutionSucceeded, SessionHistoryCleaned is False, or SnapshotCleanupIncomplete is True, or a retention policy is FailedToApply.",
    phase: ({ conditions, retentionPolicy = [] }) => {
      if (!isTrue(conditions, types.metricsPushed.type)) return undefined;
      const failed =
        mustNotBeFalse.some((type) => isFalse(conditions, type)) ||
        isTrue(conditions, types.snapshotCleanupIncomplete.type) ||
        retentionPolicy.some((policy) => policy.phase === "FailedToApply");
      return failed ? "Failed" : undefined;
    },
  },
  {
    says: "The Snapshots' phase when that is `Pending`, or when MetricsPushed is there: `Pending` when there are none or all are Pending, `Running` when not all are final, `Failed` when any failed, otherwise `Succeeded`.",
    phase: ({ conditions, snapshots }) => {
      const phase = snapshotsPhase(snapshots);
      const final = conditionOf(conditions, types.metricsPushed.type) !== undefined;
      return phase === "Pending" || final ? phase : undefined;
    },
  },
  { says: "Otherwise `Running`.", phase: () => "Running" },
];

export function backupSessionPhase(status: Input): BackupSessionPhase {
  return firstPhase(backupSessionPhases, status, "Running");
}

function snapshotsPhase(snapshots: Input["snapshots"] = []): BackupSessionPhase {
  const phases = snapshots.map((snapshot) => snapshot.phase ?? "Pending");
  if (phases.every((phase) => phase === "Pending")) return "Pending";
  if (!phases.every((phase) => phase === "Succeeded" || phase === "Failed")) return "Running";
  return phases.includes("Failed") ? "Failed" : "Succeeded";
}
