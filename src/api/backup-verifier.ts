import { addonInfo } from "./addon-info.ts";
import { runtimeSettings, volume, volumeMount } from "./core-pieces.ts";
import { ageColumn, allCategories, type KindDefinition, namespacedKind, type Plain } from "./kind.ts";
import { typedObjectReference } from "./references.ts";
import { scheduler } from "./scheduler.ts";
import { choice, integer, list, object, optional, passedOn, text } from "./schema.ts";
import { retryConfig } from "./session-pieces.ts";

export type BackupVerifier = Plain<typeof spec>;

const restoreOption = object(
  {
    target: optional(typedObjectReference("What a Snapshot is restored into to be checked.")),
    addonInfo: addonInfo("What does the restore."),
  },
  "How a Snapshot is restored to be checked.",
);

const script = object(
  {
    location: optional(text("Path of the script in the Function's container.")),
    args: optional(list(text("One argument."), "Arguments of the script.")),
  },
  "What is run on the restored data, for `Script`.",
);

const spec = object(
  {
    restoreOption,
    scheduler: optional(scheduler("When Snapshots are checked.")),
    function: optional(text("Function that asks the query or runs the script.")),
    volumes: optional(list(volume(), "Volumes of the verifier's Job.")),
    volumeMounts: optional(list(volumeMount(), "Mounts of the verifier's Job.")),
    type: choice(
      ["RestoreOnly", "Query", "Script"],
      "What proves a Snapshot: that it can be restored, or a query or a script on the restored data.",
    ),
    query: optional(
      passedOn("fields of the database's query", "What is asked of the restored data, for `Query`."),
    ),
    script: optional(script),
    retryConfig: retryConfig(),
    sessionHistoryLimit: optional(
      integer("Finished BackupVerificationSessions that are kept.", { default: 1, minimum: 0 }),
    ),
    runtimeSettings: optional(runtimeSettings("Settings of the verifier's Job.")),
  },
  "What is wanted.",
);

export const backupVerifierKind = {
  // The plural is KubeStash's own, and it is none.
  resource: namespacedKind("core", "BackupVerifier", "backupverifier"),
  shortNames: [],
  categories: allCategories,
  columns: [ageColumn],
  spec,
  status: undefined,
  intro: [
    "A BackupVerifier says how Snapshots are tried: restored somewhere, and looked at there.",
    "Repositories of BackupConfigurations refer to it by name.",
  ],
  phases: [],
  conditions: [],
  example: {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "BackupVerifier",
    metadata: { name: "weekly", namespace: "vault" },
    spec: {
      type: "RestoreOnly",
      restoreOption: {
        target: { apiGroup: "apps", kind: "Deployment", name: "web-check", namespace: "vault" },
        addonInfo: { name: "workload-addon", tasks: [{ name: "logical-backup-restore" }] },
      },
      scheduler: { schedule: "0 5 * * 0", jobTemplate: {} },
    },
  },
} as const satisfies KindDefinition;
