import { ageColumn, allCategories, type KindDefinition, namespacedKind, type Plain } from "./kind.ts";
import { choice, list, object, optional, text } from "./schema.ts";
import { backendList, configuredSession } from "./session-pieces.ts";
import { usagePolicy } from "./usage-policy.ts";

export type BackupBlueprint = Plain<typeof spec>;

const template = object(
  {
    namespace: optional(
      text("Namespace of the BackupConfigurations; the blueprint's own when absent; may hold `${variable}`."),
    ),
    backends: optional(backendList()),
    sessions: optional(list(configuredSession(), "What runs when; its texts may hold `${variable}`.")),
    deletionPolicy: optional(
      choice(["OnDelete"], "The BackupConfigurations go with the blueprint; they stay when absent."),
    ),
  },
  "BackupConfiguration that each workload gets which names the blueprint.",
);

const subject = object(
  { apiVersion: optional(text("API version of the kind.")), kind: optional(text("Name of the kind.")) },
  "One kind.",
);

const spec = object(
  {
    backupConfigurationTemplate: template,
    subjects: optional(list(subject, "Kinds of workloads that are looked at.")),
    usagePolicy: optional(usagePolicy("Which namespaces' workloads may name this blueprint.")),
  },
  "What is wanted.",
);

export const backupBlueprintKind = {
  resource: namespacedKind("core", "BackupBlueprint", "backupblueprints"),
  shortNames: [],
  categories: allCategories,
  columns: [ageColumn],
  spec,
  status: undefined,
  intro: [
    "A BackupBlueprint is a template of BackupConfigurations for workloads that ask for it by annotation.",
    "The annotations are `blueprint.kubestash.com/name`, `blueprint.kubestash.com/namespace`, `blueprint.kubestash.com/session-names` and `variables.kubestash.com/<variable>`.",
  ],
  phases: [],
  conditions: [],
  example: {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "BackupBlueprint",
    metadata: { name: "standard", namespace: "vault" },
    spec: {
      usagePolicy: { allowedNamespaces: { from: "All" } },
      subjects: [{ apiVersion: "apps/v1", kind: "Deployment" }],
      backupConfigurationTemplate: {
        namespace: "${namespace}",
        deletionPolicy: "OnDelete",
        backends: [
          {
            name: "main",
            storageRef: { name: "minio", namespace: "vault" },
            retentionPolicy: { name: "two-weeks", namespace: "vault" },
          },
        ],
        sessions: [
          {
            name: "nightly",
            scheduler: { schedule: "${schedule}", jobTemplate: {} },
            repositories: [
              {
                name: "${repoName}",
                backend: "main",
                directory: "${namespace}/${targetName}",
                encryptionSecret: { name: "restic-key", namespace: "vault" },
              },
            ],
            addon: {
              name: "workload-addon",
              tasks: [{ name: "logical-backup", params: { paths: "${paths}" } }],
            },
          },
        ],
      },
    },
  },
} as const satisfies KindDefinition;
