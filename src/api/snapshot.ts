import { snapshotConditions } from "./condition-types.ts";
import { conditionList } from "./conditions.ts";
import { deletionPolicy } from "./deletion-policy.ts";
import {
  ageColumn,
  column,
  type KindDefinition,
  namespacedKind,
  type ObjectOf,
  ownCategories,
} from "./kind.ts";
import { snapshotPhases } from "./phases/snapshot-phase.ts";
import { typedObjectReference } from "./references.ts";
import { choice, flag, integer, map, object, optional, type TypeOf, text, time } from "./schema.ts";
import { snapshotComponent } from "./snapshot-component.ts";

export type Snapshot = ObjectOf<typeof spec, typeof status>;
export type SnapshotSpec = TypeOf<typeof spec>;
export type SnapshotStatus = TypeOf<typeof status>;
export type SnapshotComponent = NonNullable<SnapshotStatus["components"]>[string];
export type Proof = NonNullable<SnapshotComponent["proof"]>;

const spec = object(
  {
    snapshotID: optional(text("ULID of the Snapshot.")),
    type: optional(choice(["FullBackup", "IncrementalBackup"], "What it holds.")),
    repository: text("Repository of the same namespace."),
    session: optional(text("Session of the BackupConfiguration.")),
    backupSession: optional(text("BackupSession that made it.")),
    version: optional(text("Version of the layout below the repository's directory: `v1`.")),
    appRef: optional(typedObjectReference("What was backed up.")),
    deletionPolicy: optional(
      deletionPolicy(
        "With this object: `Delete` keeps the data, `WipeOut` forgets the restic snapshots and prunes.",
      ),
    ),
    paused: optional(flag("Leave the Snapshot alone.")),
  },
  "What it is.",
);

const status = object(
  {
    phase: optional(choice(["Pending", "Running", "Succeeded", "Failed"], "How the backup stands.")),
    snapshotTime: optional(time("When it was taken.")),
    lastUpdateTime: optional(time("When this status changed last.")),
    size: optional(text("Sum of the components' sizes.")),
    integrity: optional(flag("Whether restic's check found no fault in any component.")),
    verificationStatus: optional(
      choice(["Verified", "NotVerified", "VerificationFailed"], "Whether a restore of it was tried."),
    ),
    verificationSession: optional(text("BackupVerificationSession that tried it.")),
    totalComponents: optional(integer("Components that it must have.", { minimum: 0 })),
    components: optional(map(snapshotComponent(), "Components by name.")),
    conditions: optional(conditionList()),
  },
  "How the backup went.",
);

export const snapshotKind = {
  resource: namespacedKind("storage", "Snapshot", "snapshots"),
  shortNames: [],
  categories: ownCategories,
  columns: [
    column("Repository", ".spec.repository"),
    column("Session", ".spec.session"),
    column("Snapshot-Time", ".status.snapshotTime"),
    column("Deletion-Policy", ".spec.deletionPolicy"),
    column("Phase", ".status.phase"),
    ageColumn,
  ],
  spec,
  status,
  intro: [
    "A Snapshot is what one session put into one Repository, at one point in time.",
    "It is made of components, one per part of the target; each reports for itself.",
    "A Snapshot with condition Partial or SourceShrunk is kept and is never `latest`.",
  ],
  phases: snapshotPhases,
  conditions: Object.values(snapshotConditions),
  example: {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "Snapshot",
    metadata: {
      name: "shop-web-repo-shop-web-hourly-1754041620",
      namespace: "shop",
      finalizers: ["kubestash.com/cleanup"],
    },
    spec: {
      snapshotID: "01K1FZ9N3QW0M6J8E6V0T8H2RC",
      type: "FullBackup",
      version: "v1",
      repository: "shop-web-repo",
      session: "hourly",
      backupSession: "shop-web-hourly-1754041620",
      deletionPolicy: "Delete",
      appRef: { apiGroup: "apps", kind: "Deployment", name: "web", namespace: "shop" },
    },
    status: {
      phase: "Succeeded",
      totalComponents: 1,
      integrity: true,
      size: "1.250 MiB",
      components: {
        dump: {
          driver: "Restic",
          phase: "Succeeded",
          path: "repository/v1/hourly/dump",
          integrity: true,
          size: "1.250 MiB",
          duration: "2.4s",
          resticStats: [
            { summary: { id: "6f1c0a52", hostPath: "/data", size: "1.200 MiB", uploaded: "1.250 MiB" } },
          ],
        },
      },
    },
  },
} as const satisfies KindDefinition;
