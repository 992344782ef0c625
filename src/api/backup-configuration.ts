import { addonInfo } from "./addon-info.ts";
import { backupConfigurationConditions, backupConfigurationSessionConditions } from "./condition-types.ts";
import { conditionList } from "./conditions.ts";
import { hookList } from "./hook-info.ts";
import {
  ageColumn,
  allCategories,
  column,
  type KindDefinition,
  namespacedKind,
  type ObjectOf,
} from "./kind.ts";
import { backupConfigurationPhases } from "./phases/backup-configuration-phase.ts";
import { foundReference, objectReference, typedObjectReference } from "./references.ts";
import { scheduler } from "./scheduler.ts";
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

export type BackupConfiguration = ObjectOf<typeof spec, typeof status>;
export type BackupConfigurationSpec = TypeOf<typeof spec>;
export type BackupConfigurationStatus = TypeOf<typeof status>;
export type Backend = NonNullable<BackupConfigurationSpec["backends"]>[number];
export type Session = BackupConfigurationSpec["sessions"][number];
export type SessionRepository = Session["repositories"][number];

const backend = object(
  {
    name: text("Name by which sessions refer to it."),
    storageRef: optional(
      objectReference("BackupStorage; another namespace's when its usagePolicy allows it."),
    ),
    retentionPolicy: optional(objectReference("RetentionPolicy; the default one when absent.")),
  },
  "One backend.",
);

const repository = object(
  {
    name: text("Name of the Repository object.", { minLength: 1 }),
    backend: optional(text("Name of one of spec.backends; may be left out when there is one.")),
    directory: text("Directory in the storage.", { minLength: 1 }),
    encryptionSecret: optional(objectReference("Secret whose key RESTIC_PASSWORD encrypts the data.")),
    backupVerifier: optional(objectReference("BackupVerifier that tries restores of it.")),
    deletionPolicy: optional(
      choice(
        ["Delete", "WipeOut", "Retain"],
        "With this object: `Delete` removes the Repository object and keeps the data, `WipeOut` removes both, `Retain` keeps both; `Delete` when absent.",
      ),
    ),
  },
  "One repository.",
);

const session = object(
  {
    name: text("Name of the session.", { minLength: 1 }),
    scheduler: optional(scheduler("When it runs.")),
    hooks: optional(
      object(
        {
          preBackup: optional(hookList("Hooks before the backup; one that fails stops it.")),
          postBackup: optional(hookList("Hooks after the backup.")),
        },
        "What runs around the backup.",
      ),
    ),
    retryConfig: optional(
      object(
        {
          maxRetry: optional(
            integer("How often a failed session is tried again.", { default: 1, minimum: 1 }),
          ),
          delay: optional(duration("How long to wait before that.")),
        },
        "What follows a failure; no retry when absent.",
      ),
    ),
    backupTimeout: optional(duration("How long the session may take.")),
    sessionHistoryLimit: optional(
      integer("Finished BackupSessions that are kept.", { default: 1, minimum: 0 }),
    ),
    addon: addonInfo("What does the backup."),
    repositories: list(repository, "Where the backups go.", { minItems: 1 }),
  },
  "One session.",
);

const spec = object(
  {
    target: optional(typedObjectReference("What is backed up; absent for resources of the whole cluster.")),
    backends: optional(list(backend, "Where data may go; the default BackupStorage when absent.")),
    sessions: list(session, "What runs when.", { minItems: 1 }),
    paused: optional(flag("Start no sessions.")),
  },
  "What is wanted.",
);

const backendStatus = object(
  {
    name: text("Name of the backend."),
    ready: optional(flag("Whether backups can go there.")),
    storage: optional(
      object(
        {
          ref: optional(objectReference("The BackupStorage.")),
          phase: optional(text("Its phase.")),
          reason: optional(text("Why it is not ready.")),
        },
        "The BackupStorage.",
      ),
    ),
    retentionPolicy: optional(
      object(
        {
          ref: optional(objectReference("The RetentionPolicy.")),
          found: optional(flag("Whether it exists.")),
          reason: optional(text("Why it was not found.")),
        },
        "The RetentionPolicy.",
      ),
    ),
  },
  "One backend.",
);

const status = object(
  {
    phase: optional(choice(["NotReady", "Ready", "Invalid"], "Whether sessions can run.")),
    targetFound: optional(flag("Whether the target exists; true for an empty target.")),
    backends: optional(list(backendStatus, "How it stands with the backends.")),
    repositories: optional(
      list(
        object(
          {
            name: text("Name of the Repository."),
            phase: optional(text("Its phase.")),
            reason: optional(text("Why it is not ready.")),
            verificationConfigured: optional(flag("Whether its verifier is set up.")),
          },
          "One Repository.",
        ),
        "How it stands with the Repositories.",
      ),
    ),
    dependencies: optional(list(foundReference("One object."), "Objects that the sessions need.")),
    sessions: optional(
      list(
        object(
          {
            name: text("Name of the session."),
            nextSchedule: optional(time("When it runs next.")),
            conditions: optional(conditionList()),
          },
          "One session.",
        ),
        "How it stands with the sessions.",
      ),
    ),
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
