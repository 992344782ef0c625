import { backupVerificationSessionConditions } from "./condition-types.ts";
import { conditionList } from "./conditions.ts";
import {
  ageColumn,
  allCategories,
  column,
  type KindDefinition,
  namespacedKind,
  type ObjectOf,
} from "./kind.ts";
import { backupVerificationSessionPhases } from "./phases/backup-verification-session-phase.ts";
import { choice, flag, integer, object, optional, type TypeOf, text } from "./schema.ts";

export type BackupVerificationSession = ObjectOf<typeof spec, typeof status>;
export type BackupVerificationSessionStatus = TypeOf<typeof status>;

const spec = object(
  {
    invoker: object(
      {
        apiGroup: optional(text("`core.kubestash.com`.")),
        kind: text("BackupConfiguration or BackupBatch."),
        name: text("Name of the invoker, in the same namespace."),
      },
      "Whose backups are checked.",
    ),
    session: optional(text("Name of the invoker's session.")),
    repository: optional(text("Repository of the same namespace.")),
    snapshot: optional(text("Snapshot that is checked.")),
    retryLeft: optional(integer("How often it may still be tried again.", { minimum: 0 })),
  },
  "What is checked; it cannot be changed.",
);

const status = object(
  {
    phase: optional(choice(["Running", "Succeeded", "Failed", "Skipped"], "How the check stands.")),
    duration: optional(text("How long it took.")),
    retried: optional(flag("Whether a retry was made.")),
    conditions: optional(conditionList()),
  },
  "How it went.",
);

export const backupVerificationSessionKind = {
  // The plural is KubeStash's own, and it is none.
  resource: namespacedKind("core", "BackupVerificationSession", "backupverificationsession"),
  shortNames: [],
  categories: allCategories,
  columns: [column("Phase", ".status.phase"), column("Duration", ".status.duration"), ageColumn],
  spec,
  status,
  intro: ["A BackupVerificationSession is one check of one Snapshot by a BackupVerifier."],
  phases: backupVerificationSessionPhases,
  conditions: Object.values(backupVerificationSessionConditions),
  example: {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "BackupVerificationSession",
    metadata: { name: "shop-web-repo-hourly-1754041620", namespace: "shop" },
    spec: {
      invoker: { apiGroup: "core.kubestash.com", kind: "BackupConfiguration", name: "shop-web" },
      session: "hourly",
      repository: "shop-web-repo",
      snapshot: "shop-web-repo-shop-web-hourly-1754041620",
      retryLeft: 1,
    },
  },
} as const satisfies KindDefinition;
