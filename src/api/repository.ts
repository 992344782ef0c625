import { repositoryConditions } from "./condition-types.ts";
import { conditionList } from "./conditions.ts";
import { deletionPolicy } from "./deletion-policy.ts";
import {
  ageColumn,
  allCategories,
  column,
  type KindDefinition,
  namespacedKind,
  type ObjectOf,
} from "./kind.ts";
import { repositoryPhases } from "./phases/repository-phase.ts";
import { objectReference, typedObjectReference } from "./references.ts";
import { choice, flag, integer, list, object, optional, type TypeOf, text, time } from "./schema.ts";

export type Repository = ObjectOf<typeof spec, typeof status>;
export type RepositorySpec = TypeOf<typeof spec>;
export type RepositoryStatus = TypeOf<typeof status>;

const spec = object(
  {
    appRef: typedObjectReference(
      "What is backed up here; apiGroup and name are `na` when there is no target.",
    ),
    storageRef: objectReference("BackupStorage that holds the data."),
    path: optional(text("Directory in the storage; cannot be changed.")),
    encryptionSecret: optional(
      objectReference(
        "Secret whose key RESTIC_PASSWORD encrypts the data; another namespace's when it may be used from this one.",
      ),
    ),
    deletionPolicy: optional(
      deletionPolicy("With this object: `Delete` keeps the data, `WipeOut` removes the directory."),
    ),
    paused: optional(flag("Leave the repository alone.")),
  },
  "What is wanted.",
);

const recentSnapshot = object(
  {
    name: text("Name of the Snapshot."),
    phase: optional(choice(["Pending", "Running", "Succeeded", "Failed"], "Its phase.")),
    session: optional(text("Session of the BackupConfiguration.")),
    size: optional(text("Its size.")),
    snapshotTime: optional(time("When it was taken.")),
  },
  "One Snapshot.",
);

const status = object(
  {
    phase: optional(choice(["NotReady", "Ready"], "Whether backups can go there.")),
    lastBackupTime: optional(time("When the last successful backup was taken.")),
    integrity: optional(flag("Whether restic's check found no fault.")),
    snapshotCount: optional(integer("Number of Snapshots.")),
    size: optional(text("Size of the data.")),
    recentSnapshots: optional(list(recentSnapshot, "The newest Snapshots, at most five.")),
    componentPaths: optional(
      list(
        text("`repository/v1/<session>/<component>`"),
        "Paths of the restic repositories below `spec.path`.",
      ),
    ),
    conditions: optional(conditionList()),
  },
  "What is.",
);

export const repositoryKind = {
  resource: namespacedKind("storage", "Repository", "repositories"),
  shortNames: ["repo"],
  categories: allCategories,
  columns: [
    column("Integrity", ".status.integrity", "boolean"),
    column("Snapshot-Count", ".status.snapshotCount", "integer"),
    column("Size", ".status.size"),
    column("Phase", ".status.phase"),
    column("Last-Successful-Backup", ".status.lastBackupTime", "date"),
    ageColumn,
  ],
  spec,
  status,
  intro: [
    "A Repository is the directory of a BackupStorage where the Snapshots of one target lie.",
    "Holdfast makes it from `spec.sessions[].repositories[]` of a BackupConfiguration, or from a backend that holds it already.",
    "It holds one restic repository per session and component, below `repository/v1/<session>/<component>`.",
  ],
  phases: repositoryPhases,
  conditions: Object.values(repositoryConditions),
  example: {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "Repository",
    metadata: { name: "shop-web-repo", namespace: "shop", finalizers: ["kubestash.com/cleanup"] },
    spec: {
      appRef: { apiGroup: "apps", kind: "Deployment", name: "web", namespace: "shop" },
      storageRef: { name: "minio", namespace: "vault" },
      path: "/shop/web",
      deletionPolicy: "Delete",
      encryptionSecret: { name: "restic-key", namespace: "vault" },
    },
  },
} as const satisfies KindDefinition;
