import { backupSessionConditions } from "./condition-types.ts";
import { conditionList } from "./conditions.ts";
import { hookStatus } from "./hook-info.ts";
import {
  ageColumn,
  allCategories,
  column,
  type KindDefinition,
  namespacedKind,
  type ObjectOf,
} from "./kind.ts";
import { backupSessionPhases } from "./phases/backup-session-phase.ts";
import { objectReference, typedObjectReference } from "./references.ts";
import {
  choice,
  duration,
  flag,
  integer,
  list,
  object,
  optional,
  type TypeOf,
  text,
  time,
} from "./schema.ts";

export type BackupSession = ObjectOf<typeof spec, typeof status>;
export type BackupSessionSpec = TypeOf<typeof spec>;
export type BackupSessionStatus = TypeOf<typeof status>;

const spec = object(
  {
    invoker: object(
      {
        apiGroup: optional(text("`core.kubestash.com`.")),
        kind: text("BackupConfiguration or BackupBatch."),
        name: text("Name of the invoker, in the same namespace."),
      },
      "What the session is of.",
    ),
    session: optional(text("Name of the invoker's session.")),
    retryLeft: optional(integer("How often it may still be tried again.", { minimum: 0 })),
    backupTimeout: optional(duration("How long it may take; seven days when absent.")),
  },
  "What is run; it cannot be changed.",
);

const snapshotEntry = object(
  {
    name: text("Name of the Snapshot."),
    phase: optional(choice(["Pending", "Running", "Succeeded", "Failed"], "Its phase.")),
    appRef: optional(typedObjectReference("What is backed up.")),
    repository: optional(text("Repository that it goes to.")),
  },
  "One Snapshot.",
);

const retentionEntry = object(
  {
    ref: optional(objectReference("The RetentionPolicy.")),
    repository: optional(text("Repository that it was applied to.")),
    phase: optional(choice(["Pending", "Applied", "FailedToApply"], "How it went.")),
    error: optional(text("Why it failed.")),
  },
  "One repository.",
);

const status = object(
  {
    phase: optional(
      choice(["Pending", "Running", "Succeeded", "Failed", "Skipped"], "How the session stands."),
    ),
    duration: optional(text("How long it took.")),
    backupDeadline: optional(time("When it must be done.")),
    totalSnapshots: optional(integer("Snapshots that it makes.", { minimum: 0 })),
    snapshots: optional(list(snapshotEntry, "How it stands with them.")),
    hooks: optional(hookStatus()),
    retentionPolicy: optional(list(retentionEntry, "How retention went, per repository.")),
    retried: optional(flag("Whether a retry was made.")),
    nextRetry: optional(time("When the retry is made.")),
    conditions: optional(conditionList()),
  },
  "How it went.",
);

export const backupSessionKind = {
  resource: namespacedKind("core", "BackupSession", "backupsessions"),
  shortNames: [],
  categories: allCategories,
  columns: [
    column("Invoker-Type", ".spec.invoker.kind"),
    column("Invoker-Name", ".spec.invoker.name"),
    column("Phase", ".status.phase"),
    column("Duration", ".status.duration"),
    ageColumn,
  ],
  spec,
  status,
  intro: [
    "A BackupSession is one run of a session of a BackupConfiguration.",
    "The session's CronJob makes it, or a retry, or a person who wants a backup now.",
  ],
  phases: backupSessionPhases,
  conditions: Object.values(backupSessionConditions),
  example: {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "BackupSession",
    metadata: { name: "shop-web-hourly-1754041620", namespace: "shop" },
    spec: {
      invoker: { apiGroup: "core.kubestash.com", kind: "BackupConfiguration", name: "shop-web" },
      session: "hourly",
      retryLeft: 2,
    },
  },
} as const satisfies KindDefinition;
