/** A condition type of a kind with the reasons that KubeStash's tools know. */
export type ConditionType = {
  readonly type: string;
  readonly whenTrue?: string;
  readonly whenFalse?: string;
  /** What it says, one sentence. */
  readonly says: string;
  /** A condition that only Holdfast sets. */
  readonly own?: true;
  /** It complains when it is True; all others do when they are not. */
  readonly badWhenTrue?: true;
};

type ConditionTypes = Readonly<Record<string, ConditionType>>;

const metricsPushed = {
  type: "MetricsPushed",
  whenTrue: "SuccessfullyPushedMetrics",
  whenFalse: "FailedToPushMetrics",
  says: "The last step: the session's metrics are served, and its phase becomes final.",
} as const;

const validationPassed = {
  type: "ValidationPassed",
  whenTrue: "ResourceValidationPassed",
  whenFalse: "ResourceValidationFailed",
  says: "The object and what it refers to fit together.",
} as const;

const notSupportedYet = {
  type: "NotSupportedYet",
  whenTrue: "NotSupportedYet",
  says: "True: it asks for something that this release does not act on; the message names what, and what to do instead.",
  own: true,
  badWhenTrue: true,
} as const;

const remoteAway = {
  type: "RemoteAway",
  whenTrue: "RemoteUnreachable",
  says: "True: the remote cannot be had; the message says since when, and what waits for it. Gone when it is back, and never recorded.",
  own: true,
  badWhenTrue: true,
} as const;

export const backupStorageConditions = {
  backendInitialized: {
    type: "BackendInitialized",
    whenTrue: "BackendInitializationSucceeded",
    whenFalse: "BackendInitializationFailed",
    says: "metadata.yaml stands at the root of the prefix. Unknown while the Job for it does not begin, or the API server refuses it; the message says why.",
  },
  backendWiped: {
    type: "BackendWiped",
    whenTrue: "WipeOutSucceeded",
    whenFalse: "WipeOutFailed",
    says: "While it is being deleted with WipeOut and consent: everything under its prefix is gone.",
    own: true,
  },
  backendSecretFound: {
    type: "BackendSecretFound",
    whenTrue: "BackendSecretAvailable",
    whenFalse: "BackendSecretNotAvailable",
    says: "The storage Secret exists; absent when no Secret is named.",
  },
  notSupportedYet,
} as const satisfies ConditionTypes;

export const repositoryConditions = {
  repositoryInitialized: {
    type: "RepositoryInitialized",
    whenTrue: "RepositoryInitializationSucceeded",
    whenFalse: "RepositoryInitializationFailed",
    says: "repository.yaml stands in the repository's directory. Unknown while the Job for it does not begin, or the API server refuses it; the message says why.",
  },
  repositoryWiped: {
    type: "RepositoryWiped",
    whenTrue: "WipeOutSucceeded",
    whenFalse: "WipeOutFailed",
    says: "While it is being deleted with WipeOut and consent: everything in its directory is gone.",
    own: true,
  },
} as const satisfies ConditionTypes;

export const snapshotConditions = {
  metadataUploaded: {
    type: "SnapshotMetadataUploaded",
    whenTrue: "SuccessfullyUploadedSnapshotMetadata",
    whenFalse: "FailedToUploadSnapshotMetadata",
    says: "The Snapshot object was written below `snapshots/` in the repository's directory.",
  },
  recentSnapshotListUpdated: {
    type: "RecentSnapshotListUpdated",
    whenTrue: "SuccessfullyUpdatedRecentSnapshotList",
    whenFalse: "FailedToUpdateRecentSnapshotList",
    says: "The Repository's status names this Snapshot.",
  },
  backupIncomplete: {
    type: "BackupIncomplete",
    whenTrue: "BackupExecutorTerminatedBeforeCompletion",
    says: "True is bad: a Job ended without completing its component.",
    badWhenTrue: true,
  },
  partial: {
    type: "Partial",
    whenTrue: "SomeDataMissing",
    says: "True: data was saved, and a part of the source is missing in it. It can be restored by name only.",
    own: true,
    badWhenTrue: true,
  },
  sourceShrunk: {
    type: "SourceShrunk",
    whenTrue: "SourceMuchSmallerThanBefore",
    whenFalse: "ShrinkAccepted",
    says: "True: the source was empty, under half of the last good Snapshot, or without a component that this had; retention of the repository stands still until a person accepts it, or one beside it that is alike.",
    own: true,
    badWhenTrue: true,
  },
  remoteAway,
} as const satisfies ConditionTypes;

export const backupConfigurationConditions = {
  validationPassed,
  encryptionSecretFound: {
    type: "EncryptionSecretFound",
    whenTrue: "EncryptionSecretAvailable",
    whenFalse: "EncryptionSecretNotAvailable",
    says: "Each encryption Secret exists and has the key RESTIC_PASSWORD.",
    own: true,
  },
  notSupportedYet,
} as const satisfies ConditionTypes;

export const backupBatchConditions = { notSupportedYet } as const satisfies ConditionTypes;

export const backupVerificationSessionConditions = {
  skipped: {
    type: "BackupVerificationSkipped",
    whenTrue: "SnapshotAlreadyVerified",
    says: "Nothing was checked.",
  },
  historyCleaned: {
    type: "VerificationSessionHistoryCleaned",
    says: "Finished checks beyond the history limit are gone.",
  },
  executorEnsured: {
    type: "VerificationExecutorEnsured",
    says: "The verifier's Job was created.",
  },
  restoreSucceeded: {
    type: "RestoreSucceeded",
    whenTrue: "SuccessfullyRestoredBackup",
    whenFalse: "FailedToRestoreBackup",
    says: "The Snapshot was restored to be checked.",
  },
  backupVerified: {
    type: "BackupVerified",
    whenTrue: "SuccessfullyVerifiedBackup",
    whenFalse: "FailedToVerifyBackup",
    says: "The restored data is what it should be.",
  },
  notSupportedYet,
} as const satisfies ConditionTypes;

/** Conditions of status.sessions[] of a BackupConfiguration. */
export const backupConfigurationSessionConditions = {
  schedulerEnsured: {
    type: "SchedulerEnsured",
    whenTrue: "SchedulerEnsured",
    whenFalse: "SchedulerNotEnsured",
    says: "The session's CronJob stands as declared.",
  },
  initialBackupTriggered: {
    type: "InitialBackupTriggered",
    whenTrue: "SuccessfullyTriggeredInitialBackup",
    whenFalse: "FailedToTriggerInitialBackup",
    says: "The first backup was started at once, without waiting for the schedule.",
  },
  runsMissed: {
    type: "RunsMissed",
    whenTrue: "DueTimesPassed",
    whenFalse: "DueTimesKept",
    says: "Due times brought no BackupSession within ten minutes, whatever kept them: the cluster was not there, or the trigger failed. The message counts them, and stays when a session is made again, which makes it False; so does another schedule, or a pause.",
    own: true,
    badWhenTrue: true,
  },
} as const satisfies ConditionTypes;

export const backupSessionConditions = {
  backupSkipped: {
    type: "BackupSkipped",
    whenTrue: "PreRequisitesNotSatisfied",
    says: "The BackupConfiguration is not Ready or paused, or another session of it is running.",
    badWhenTrue: true,
  },
  sessionHistoryCleaned: {
    type: "SessionHistoryCleaned",
    whenTrue: "SuccessfullyCleanedSessionHistory",
    whenFalse: "FailedToCleanSessionHistory",
    says: "Finished sessions beyond the history limit are gone.",
  },
  preBackupHooksExecutionSucceeded: {
    type: "PreBackupHooksExecutionSucceeded",
    whenTrue: "SuccessfullyExecutedPreBackupHooks",
    whenFalse: "FailedToExecutePreBackupHooks",
    says: "The hooks before the backup ran.",
  },
  postBackupHooksExecutionSucceeded: {
    type: "PostBackupHooksExecutionSucceeded",
    whenTrue: "SuccessfullyExecutedPostBackupHooks",
    whenFalse: "FailedToExecutePostBackupHooks",
    says: "The hooks after the backup ran.",
  },
  backupExecutorEnsured: {
    type: "BackupExecutorEnsured",
    whenTrue: "SuccessfullyEnsuredBackupExecutor",
    whenFalse: "FailedToEnsureBackupExecutor",
    says: "The backup Jobs were created. Unknown while the API server refuses them; the message has its words.",
  },
  snapshotsEnsured: {
    type: "SnapshotsEnsured",
    whenTrue: "SuccessfullyEnsuredSnapshots",
    whenFalse: "FailedToEnsureSnapshots",
    says: "The Snapshot objects were created. Unknown while the API server refuses them; the message has its words.",
  },
  retentionPolicyExecutorEnsured: {
    type: "RetentionPolicyExecutorEnsured",
    whenTrue: "SuccessfullyEnsuredRetentionPolicyExecutor",
    whenFalse: "FailedToEnsureRetentionPolicyExecutor",
    says: "The retention Jobs were created. Unknown while the API server refuses them, False when it did so until the end; the message has its words.",
  },
  snapshotCleanupIncomplete: {
    type: "SnapshotCleanupIncomplete",
    whenTrue: "SnapshotCleanupTerminatedBeforeCompletion",
    says: "True is bad: the retention Job ended before it was done.",
    badWhenTrue: true,
  },
  podPendingForLong: {
    type: "PodHasBeenInPendingStateForLongerThanExpected",
    whenTrue: "PodHasBeenInPendingStateForLongerThanExpected",
    says: "True is bad: a Job's pod has not begun after half a minute (`JobHasNotBegun`), or its Job was given up; the message says why.",
    badWhenTrue: true,
  },
  metricsPushed,
  remoteAway,
} as const satisfies ConditionTypes;

export const restoreSessionConditions = {
  validationPassed,
  restoreTargetFound: {
    type: "RestoreTargetFound",
    whenFalse: "UnableToCheckTargetAvailability",
    says: "The target exists.",
  },
  preRestoreHooksExecutionSucceeded: {
    type: "PreRestoreHooksExecutionSucceeded",
    whenTrue: "SuccessfullyExecutedPreRestoreHooks",
    whenFalse: "FailedToExecutePreRestoreHooks",
    says: "The hooks before the restore ran.",
  },
  postRestoreHooksExecutionSucceeded: {
    type: "PostRestoreHooksExecutionSucceeded",
    whenTrue: "SuccessfullyExecutedPostRestoreHooks",
    whenFalse: "FailedToExecutePostRestoreHooks",
    says: "The hooks after the restore ran.",
  },
  restoreExecutorEnsured: {
    type: "RestoreExecutorEnsured",
    whenTrue: "SuccessfullyEnsuredRestoreExecutor",
    whenFalse: "FailedToEnsureRestoreExecutor",
    says: "The restore Jobs were created. Unknown while the API server refuses them; the message has its words.",
  },
  held: {
    type: "Held",
    whenTrue: "AlreadyRun",
    says: "True: the record forbids this restore to run. The reason is AlreadyRun, SpecChanged, ClaimedByAnotherCluster, RecordEntryUnreadable or ClaimWithoutOutcome; the message says what to do.",
    own: true,
    badWhenTrue: true,
  },
  restoreIncomplete: {
    type: "RestoreIncomplete",
    whenTrue: "RestoreExecutorTerminatedBeforeCompletion",
    says: "True is bad: a Job ended without completing its component.",
    badWhenTrue: true,
  },
  podPendingForLong: {
    type: "PodHasBeenInPendingStateForLongerThanExpected",
    whenTrue: "JobHasNotBegun",
    says: "True is bad: a Job's pod has not begun after half a minute; the message says why.",
    own: true,
    badWhenTrue: true,
  },
  notSupportedYet,
  metricsPushed,
  remoteAway,
} as const satisfies ConditionTypes;

const tables: readonly ConditionTypes[] = [
  backupStorageConditions,
  repositoryConditions,
  snapshotConditions,
  backupConfigurationConditions,
  backupBatchConditions,
  backupVerificationSessionConditions,
  backupConfigurationSessionConditions,
  backupSessionConditions,
  restoreSessionConditions,
];

/** Types of conditions that say that something is wrong when they are True. */
export const badWhenTrue: ReadonlySet<string> = new Set(
  tables.flatMap((table) => Object.values(table).flatMap((one) => (one.badWhenTrue ? [one.type] : []))),
);
