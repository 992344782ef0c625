import { addonInfo } from "./addon-info.ts";
import { backupBatchConditions } from "./condition-types.ts";
import { conditionList } from "./conditions.ts";
import { ageColumn, allCategories, type KindDefinition, namespacedKind, type ObjectOf } from "./kind.ts";
import { foundReference, typedObjectReference } from "./references.ts";
import { choice, flag, list, object, optional, text } from "./schema.ts";
import { backendList, invokerStatus, sessionFields, sessionRepository } from "./session-pieces.ts";

export type BackupBatch = ObjectOf<typeof spec, typeof status>;

const target = object(
  {
    name: text("Name by which sessions refer to it."),
    appRef: optional(typedObjectReference("What is backed up.")),
  },
  "One target.",
);

const sessionTarget = object(
  {
    name: text("Name of one of spec.targets."),
    addon: optional(addonInfo("What does its backup.")),
    repositories: optional(list(sessionRepository(), "Where its backups go.")),
  },
  "One target.",
);

const session = object(
  { ...sessionFields(), targets: optional(list(sessionTarget, "What is backed up together.")) },
  "One session.",
);

const spec = object(
  {
    backends: optional(backendList()),
    targets: optional(list(target, "What is backed up.")),
    sessions: optional(list(session, "What runs when.")),
    paused: optional(flag("Start no sessions.")),
  },
  "What is wanted.",
);

const status = object(
  {
    phase: optional(choice(["NotReady", "Ready", "Invalid"], "Whether sessions can run.")),
    ...invokerStatus(),
    targets: optional(list(foundReference("One target."), "Whether the targets exist.")),
    conditions: optional(conditionList()),
  },
  "What is.",
);

export const backupBatchKind = {
  resource: namespacedKind("core", "BackupBatch", "backupbatches"),
  shortNames: [],
  categories: allCategories,
  columns: [ageColumn],
  spec,
  status,
  intro: ["A BackupBatch backs up several targets in one session."],
  phases: [{ says: "`NotReady`: this release starts no sessions of it." }],
  conditions: Object.values(backupBatchConditions),
  example: {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "BackupBatch",
    metadata: { name: "shop", namespace: "shop" },
    spec: {
      backends: [
        {
          name: "main",
          storageRef: { name: "minio", namespace: "vault" },
          retentionPolicy: { name: "two-weeks", namespace: "vault" },
        },
      ],
      targets: [
        { name: "web", appRef: { apiGroup: "apps", kind: "Deployment", name: "web", namespace: "shop" } },
      ],
      sessions: [
        {
          name: "nightly",
          scheduler: { schedule: "0 2 * * *", jobTemplate: {} },
          targets: [
            {
              name: "web",
              addon: {
                name: "workload-addon",
                tasks: [{ name: "logical-backup", params: { paths: "/data" } }],
              },
              repositories: [
                {
                  name: "shop-batch-web",
                  backend: "main",
                  directory: "/shop/batch/web",
                  encryptionSecret: { name: "restic-key", namespace: "vault" },
                },
              ],
            },
          ],
        },
      ],
    },
  },
} as const satisfies KindDefinition;
