import type { BackupVerificationSessionStatus } from "../backup-verification-session.ts";
import { backupVerificationSessionConditions as types } from "../condition-types.ts";
import { isFalse, isTrue } from "../conditions.ts";
import { firstPhase, type PhaseRule } from "./phase-rule.ts";

export type BackupVerificationSessionPhase = "Running" | "Succeeded" | "Failed" | "Skipped";
type Input = Pick<BackupVerificationSessionStatus, "conditions">;

export const backupVerificationSessionPhases: readonly PhaseRule<Input, BackupVerificationSessionPhase>[] = [
  {
    says: "`Failed` when VerificationSessionHistoryCleaned is False.",
    phase: ({ conditions }) => (isFalse(conditions, types.historyCleaned.type) ? "Failed" : undefined),
  },
  {
    says: "`Skipped` when BackupVerificationSkipped is True.",
    phase: ({ conditions }) => (isTrue(conditions, types.skipped.type) ? "Skipped" : undefined),
  },
  {
    says: "When VerificationSessionHistoryCleaned is True: `Failed` when RestoreSucceeded or BackupVerified is False, otherwise `Succeeded`.",
    phase: ({ conditions }) => {
      if (!isTrue(conditions, types.historyCleaned.type)) return undefined;
      const failed = [types.restoreSucceeded.type, types.backupVerified.type].some((type) =>
        isFalse(conditions, type),
      );
      return failed ? "Failed" : "Succeeded";
    },
  },
  { says: "Otherwise `Running`.", phase: () => "Running" },
];

export function backupVerificationSessionPhase(status: Input): BackupVerificationSessionPhase {
  return firstPhase(backupVerificationSessionPhases, status, "Running");
}
