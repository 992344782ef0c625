import { expect, test } from "vitest";
import type {
  BackupConfigurationSpec,
  BackupConfigurationStatus,
} from "../../../src/api/backup-configuration.ts";
import type { Condition } from "../../../src/api/conditions.ts";
import { backupConfigurationPhase } from "../../../src/api/phases/backup-configuration-phase.ts";
import { backupSessionPhase } from "../../../src/api/phases/backup-session-phase.ts";
import { backupStoragePhase } from "../../../src/api/phases/backup-storage-phase.ts";
import { backupVerificationSessionPhase } from "../../../src/api/phases/backup-verification-session-phase.ts";
import { componentsPhase } from "../../../src/api/phases/components-phase.ts";
import { repositoryPhase } from "../../../src/api/phases/repository-phase.ts";
import { restoreSessionPhase } from "../../../src/api/phases/restore-session-phase.ts";
import { snapshotPhase } from "../../../src/api/phases/snapshot-phase.ts";

/** `A B=False` */
function conditions(text: string): readonly Condition[] {
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => {
      const [type = "", status = "True"] = word.split("=");
      if (status !== "True" && status !== "False" && status !== "Unknown") throw new Error(word);
      return { type, status, lastTransitionTime: "2026-01-31T12:00:00Z" };
    });
}

type ComponentPhase = "Pending" | "Running" | "Succeeded" | "Failed";

/** `Succeeded Failed`, named in order. */
function components(text: string): Readonly<Record<string, { readonly phase: ComponentPhase }>> {
  const phases = text.split(" ").filter((word) => word !== "") as ComponentPhase[];
  return Object.fromEntries(phases.map((phase, index) => [`dump-pod-${index}`, { phase }]));
}

test.each([
  ["", "NotReady"],
  ["BackendInitialized", "Ready"],
  ["BackendInitialized BackendSecretFound", "Ready"],
  ["BackendInitialized BackendSecretFound=False", "NotReady"],
  ["BackendInitialized BackendSecretFound=Unknown", "NotReady"],
  ["BackendInitialized=False BackendSecretFound", "NotReady"],
  ["BackendInitialized=Unknown", "NotReady"],
  ["BackendSecretFound", "NotReady"],
])("a BackupStorage with %j is %s", (given, phase) => {
  expect(backupStoragePhase({ conditions: conditions(given) })).toBe(phase);
});

test.each([
  ["", "NotReady"],
  ["RepositoryInitialized", "Ready"],
  ["RepositoryInitialized=False", "NotReady"],
])("a Repository with %j is %s", (given, phase) => {
  expect(repositoryPhase({ conditions: conditions(given) })).toBe(phase);
});

test.each([
  ["", 0, "Pending"],
  ["", 2, "Pending"],
  ["Succeeded Succeeded", 2, "Succeeded"],
  ["Succeeded", 2, "Running"],
  ["Succeeded Running", 2, "Running"],
  ["Pending Pending", 2, "Running"],
  ["Succeeded Failed", 2, "Failed"],
  ["Failed", 2, "Failed"],
  ["Failed Running", 2, "Failed"],
  ["Succeeded Unknown", 2, "Unknown"],
  ["Unknown Running", 2, "Running"],
  ["Unknown Failed", 2, "Failed"],
  ["Invalid Succeeded", 2, "Failed"],
])("components %j of %d are %s", (given, total, phase) => {
  expect(componentsPhase(components(given), total)).toBe(phase);
});

test("components are no success while nobody has written how many there must be", () => {
  expect(componentsPhase(components("Running"), undefined)).toBe("Running");
  expect(componentsPhase(components("Succeeded"), undefined)).toBe("Running");
  expect(componentsPhase(components("Running"), 0)).toBe("Running");
});

test.each([
  ["SnapshotMetadataUploaded=False", "Succeeded", "Failed"],
  ["RecentSnapshotListUpdated=False", "Succeeded", "Failed"],
  ["BackupIncomplete", "Succeeded", "Failed"],
  ["BackupIncomplete", "", "Failed"],
  ["", "", "Pending"],
  ["SnapshotMetadataUploaded", "", "Pending"],
  ["SnapshotMetadataUploaded", "Succeeded", "Succeeded"],
  ["SnapshotMetadataUploaded", "Failed", "Failed"],
  ["SnapshotMetadataUploaded", "Running", "Running"],
  ["SnapshotMetadataUploaded=Unknown", "Succeeded", "Succeeded"],
  ["", "Succeeded", "Running"],
  ["", "Failed", "Running"],
  ["RecentSnapshotListUpdated BackupIncomplete=False", "Succeeded", "Running"],
])("a Snapshot with %j and component %j is %s", (given, component, phase) => {
  const status = { conditions: conditions(given), components: components(component), totalComponents: 1 };
  expect(snapshotPhase(status)).toBe(phase);
});

const ready: BackupConfigurationStatus = {
  targetFound: true,
  backends: [{ name: "main", ready: true }],
  sessions: [{ name: "hourly", conditions: conditions("SchedulerEnsured") }],
};

test.each<[string, BackupConfigurationStatus, string]>([
  ["all is there", ready, "Ready"],
  ["ValidationPassed is True", { ...ready, conditions: conditions("ValidationPassed") }, "Ready"],
  ["ValidationPassed is False", { ...ready, conditions: conditions("ValidationPassed=False") }, "Invalid"],
  ["the target is not found", { ...ready, targetFound: false }, "NotReady"],
  [
    "nobody has looked for the target",
    { backends: ready.backends ?? [], sessions: ready.sessions ?? [] },
    "NotReady",
  ],
  ["a backend is not ready", { ...ready, backends: [{ name: "main", ready: false }] }, "NotReady"],
  ["a backend is not in status", { ...ready, backends: [] }, "NotReady"],
  ["a session is not in status", { ...ready, sessions: [] }, "NotReady"],
  [
    "a session is not scheduled",
    { ...ready, sessions: [{ name: "hourly", conditions: conditions("SchedulerEnsured=False") }] },
    "NotReady",
  ],
  ["a session has no condition", { ...ready, sessions: [{ name: "hourly" }] }, "NotReady"],
])("when %s a BackupConfiguration is as it should be", (_when, status, phase) => {
  const spec: Pick<BackupConfigurationSpec, "backends" | "sessions"> = {
    backends: [{ name: "main" }],
    sessions: [{ name: "hourly", addon: { name: "a", tasks: [{ name: "t" }] }, repositories: [] }],
  };
  expect(backupConfigurationPhase(spec, status)).toBe(phase);
});

test.each([
  ["MetricsPushed=False", "Succeeded", "Failed"],
  ["MetricsPushed=False BackupSkipped", "", "Failed"],
  ["BackupSkipped", "", "Skipped"],
  ["BackupSkipped MetricsPushed", "Failed", "Skipped"],
  ["MetricsPushed BackupExecutorEnsured=False", "Succeeded", "Failed"],
  ["MetricsPushed SnapshotsEnsured=False", "", "Failed"],
  ["MetricsPushed PreBackupHooksExecutionSucceeded=False", "Succeeded", "Failed"],
  ["MetricsPushed PostBackupHooksExecutionSucceeded=False", "Succeeded", "Failed"],
  ["MetricsPushed SessionHistoryCleaned=False", "Succeeded", "Failed"],
  ["MetricsPushed SnapshotCleanupIncomplete", "Succeeded", "Failed"],
  ["MetricsPushed RetentionPolicyExecutorEnsured=False", "Succeeded", "Succeeded"],
  ["BackupExecutorEnsured=False", "Succeeded", "Running"],
  ["", "", "Pending"],
  ["", "Pending Pending", "Pending"],
  ["MetricsPushed", "", "Pending"],
  ["", "Pending Running", "Running"],
  ["", "Succeeded Succeeded", "Running"],
  ["MetricsPushed", "Succeeded Running", "Running"],
  ["MetricsPushed", "Succeeded Failed", "Failed"],
  ["MetricsPushed", "Succeeded Succeeded", "Succeeded"],
])("a BackupSession with %j and snapshots %j is %s", (given, snapshots, phase) => {
  const named = Object.entries(components(snapshots)).map(([name, one]) => ({ name, ...one }));
  expect(backupSessionPhase({ conditions: conditions(given), snapshots: named })).toBe(phase);
});

test("a retention policy that could not be applied fails the session at its end, not before", () => {
  const status = {
    snapshots: [{ name: "a", phase: "Succeeded" as const }],
    retentionPolicy: [{ phase: "Applied" as const }, { phase: "FailedToApply" as const }],
  };
  expect(backupSessionPhase({ ...status, conditions: [] })).toBe("Running");
  expect(backupSessionPhase({ ...status, conditions: conditions("MetricsPushed") })).toBe("Failed");
});

test.each([
  ["MetricsPushed=False ValidationPassed=False", "Succeeded", "Failed"],
  ["ValidationPassed=False", "", "Invalid"],
  ["ValidationPassed=False MetricsPushed", "Succeeded", "Invalid"],
  ["MetricsPushed PreRestoreHooksExecutionSucceeded=False", "Succeeded", "Failed"],
  ["MetricsPushed PostRestoreHooksExecutionSucceeded=False", "Succeeded", "Failed"],
  ["MetricsPushed RestoreExecutorEnsured=False", "", "Failed"],
  ["MetricsPushed RestoreIncomplete", "Succeeded", "Failed"],
  ["RestoreIncomplete", "Running", "Running"],
  ["ValidationPassed", "", "Pending"],
  ["MetricsPushed", "", "Pending"],
  ["ValidationPassed", "Succeeded", "Running"],
  ["MetricsPushed", "Succeeded", "Succeeded"],
  ["MetricsPushed", "Failed", "Failed"],
  ["MetricsPushed", "Unknown", "Unknown"],
  ["MetricsPushed", "Running", "Running"],
])("a RestoreSession with %j and component %j is %s", (given, component, phase) => {
  const status = { conditions: conditions(given), components: components(component), totalComponents: 1 };
  expect(restoreSessionPhase(status)).toBe(phase);
});

test.each([
  ["", "Running"],
  ["RestoreSucceeded=False", "Running"],
  ["VerificationSessionHistoryCleaned=False BackupVerificationSkipped", "Failed"],
  ["BackupVerificationSkipped", "Skipped"],
  ["VerificationSessionHistoryCleaned RestoreSucceeded=False", "Failed"],
  ["VerificationSessionHistoryCleaned RestoreSucceeded BackupVerified=False", "Failed"],
  ["VerificationSessionHistoryCleaned RestoreSucceeded", "Succeeded"],
])("a BackupVerificationSession with %j is %s", (given, phase) => {
  expect(backupVerificationSessionPhase({ conditions: conditions(given) })).toBe(phase);
});
