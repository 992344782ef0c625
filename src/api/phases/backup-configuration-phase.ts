import type { BackupConfigurationSpec, BackupConfigurationStatus } from "../backup-configuration.ts";
import { backupConfigurationConditions, backupConfigurationSessionConditions } from "../condition-types.ts";
import { isFalse, isTrue } from "../conditions.ts";
import { firstPhase, type PhaseRule } from "./phase-rule.ts";

export type BackupConfigurationPhase = "Ready" | "NotReady" | "Invalid";
type Input = {
  readonly spec: Pick<BackupConfigurationSpec, "backends" | "sessions">;
  readonly status: Pick<BackupConfigurationStatus, "conditions" | "targetFound" | "backends" | "sessions">;
};

export const backupConfigurationPhases: readonly PhaseRule<Input, BackupConfigurationPhase>[] = [
  {
    says: "`Invalid` when ValidationPassed is False.",
    phase: ({ status }) =>
      isFalse(status.conditions, backupConfigurationConditions.validationPassed.type) ? "Invalid" : undefined,
  },
  {
    says: "`NotReady` when EncryptionSecretFound is False (Holdfast's own rule: without it no backup can be made).",
    phase: ({ status }) =>
      isFalse(status.conditions, backupConfigurationConditions.encryptionSecretFound.type)
        ? "NotReady"
        : undefined,
  },
  {
    says: "`Ready` when the target is found (an empty target always is), every backend of the spec is ready in status, and every session of the spec has SchedulerEnsured True in status.",
    phase: ({ spec, status }) => {
      const backends = status.backends ?? [];
      const sessions = status.sessions ?? [];
      const scheduled = backupConfigurationSessionConditions.schedulerEnsured.type;
      const ready =
        status.targetFound === true &&
        backends.length === (spec.backends?.length ?? 0) &&
        backends.every((backend) => backend.ready === true) &&
        sessions.length === spec.sessions.length &&
        sessions.every((session) => isTrue(session.conditions, scheduled));
      return ready ? "Ready" : undefined;
    },
  },
  { says: "Otherwise `NotReady`.", phase: () => "NotReady" },
];

export function backupConfigurationPhase(
  spec: Input["spec"],
  status: Input["status"],
): BackupConfigurationPhase {
  return firstPhase(backupConfigurationPhases, { spec, status }, "NotReady");
}
