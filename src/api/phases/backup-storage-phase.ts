import type { BackupStorageStatus } from "../backup-storage.ts";
import { backupStorageConditions as types } from "../condition-types.ts";
import { conditionOf, isTrue } from "../conditions.ts";
import { firstPhase, type PhaseRule } from "./phase-rule.ts";

export type BackupStoragePhase = "Ready" | "NotReady";
type Input = Pick<BackupStorageStatus, "conditions">;

export const backupStoragePhases: readonly PhaseRule<Input, BackupStoragePhase>[] = [
  {
    says: "`Ready` when BackendInitialized is True, and BackendSecretFound is True or absent.",
    phase: ({ conditions }) => {
      const secret = conditionOf(conditions, types.backendSecretFound.type);
      const usable = secret === undefined || secret.status === "True";
      return usable && isTrue(conditions, types.backendInitialized.type) ? "Ready" : undefined;
    },
  },
  { says: "Otherwise `NotReady`.", phase: () => "NotReady" },
];

export function backupStoragePhase(status: Input): BackupStoragePhase {
  return firstPhase(backupStoragePhases, status, "NotReady");
}
