import { backupConfigurationConditions, backupConfigurationSessionConditions } from "./condition-types.ts";
import { conditionList } from "./conditions.ts";
import {
  ageColumn,
  allCategories,
  column,
  type KindDefinition,
  namespacedKind,
  type ObjectOf,
} from "./kind.ts";
import { backupConfigurationPhases } from "./phases/backup-configuration-phase.ts";
import { typedObjectReference } from "./references.ts";
import { choice, flag, list, object, optional, type TypeOf } from "./schema.ts";
import { backendList, configuredSession, invokerStatus } from "./session-pieces.ts";

export type BackupConfiguration = ObjectOf<typeof spec, typeof status>;
export type BackupConfigurationSpec = TypeOf<typeof spec>;
export type BackupConfigurationStatus = TypeOf<typeof status>;
export type Backend = NonNullable<BackupConfigurationSpec["backends"]>[number];
export type Session = BackupConfigurationSpec["sessions"][number];
export type SessionRepository = Session["repositories"][number];

const spec = object(
  {
    target: optional(typedObjectReference("What is backed up; absent for resources of the whole cluster.")),
    backends: optional(backendList()),
    sessions: list(configuredSession(), "What runs when.", { minItems: 1 }),
    paused: optional(flag("Start no sessions.")),
  },
  "What is wanted.",
);

const status = object(
  {
    phase: optional(choice(["NotReady", "Ready", "Invalid"], "Whether sessions can run.")),
    targetFound: optional(flag("Whether the target exists; true for an empty target.")),
    ...invokerStatus(),
    conditions: optional(conditionList()),
  },
  "What is.",
);

export const backupConfigurationKind = {
  resource: namespacedKind("core", "BackupConfiguration", "backupconfigurations"),
  shortNames: ["bc"],
  categories: allCategories,
  columns: [column("Phase", ".status.phase"), column("Paused", ".spec.paused", "boolean"), ageColumn],
  spec,
  status,
  intro: [
    "A BackupConfiguration says what is backed up, when, with what and to where.",
    "Each session becomes a CronJob that makes a BackupSession each time it is due.",
  ],
  phases: backupConfigurationPhases,
  conditions: [
    ...Object.values(backupConfigurationConditions),
    ...Object.values(backupConfigurationSessionConditions),
  ],
  example: {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "BackupConfiguration",
    metadata: { name: "shop-web", namespace: "shop" },
    spec: {
      target: { apiGroup: "apps", kind: "Deployment", name: "web", namespace: "shop" },
      backends: [
        {
          name: "main",
          storageRef: { name: "minio", namespace: "vault" },
          retentionPolicy: { name: "two-weeks", namespace: "vault" },
        },
      ],
      sessions: [
        {
          name: "hourly",
          scheduler: { schedule: "7 * * * *", jobTemplate: { backoffLimit: 1 } },
          sessionHistoryLimit: 3,
          retryConfig: { maxRetry: 2, delay: "1m" },
          repositories: [
            {
              name: "shop-web-repo",
              backend: "main",
              directory: "/shop/web",
              encryptionSecret: { name: "restic-key", namespace: "vault" },
            },
          ],
          addon: {
            name: "workload-addon",
            tasks: [{ name: "logical-backup", params: { paths: "/data", exclude: "*.tmp" } }],
          },
        },
      ],
    },
  },
} as const satisfies KindDefinition;
