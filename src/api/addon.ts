import { volumeClaimTemplate, volumeMount } from "./core-pieces.ts";
import { ageColumn, allCategories, clusterKind, type KindDefinition, type Plain } from "./kind.ts";
import { choice, flag, list, object, openObject, optional, type TypeOf, text } from "./schema.ts";
import { drivers } from "./snapshot-component.ts";

export type Addon = Plain<typeof spec>;
export type AddonSpec = TypeOf<typeof spec>;
export type AddonTask = NonNullable<AddonSpec["backupTasks"]>[number];

const parameter = object(
  {
    name: text("Name, as tasks[].params spells it."),
    usage: optional(text("What it is for.")),
    required: optional(flag("Whether it must be given.")),
    default: optional(text("Its value when it is not given.")),
  },
  "One parameter.",
);

const volumeTemplate = object(
  {
    name: text("Name of the volume."),
    usage: optional(text("What it is for.")),
    source: optional(
      openObject(
        { volumeClaimTemplate: optional(volumeClaimTemplate("A claim that lives as long as the pod.")) },
        "core/v1 VolumeSource",
        "Where it comes from; may hold `${PVC_NAME}` and `${POD_ORDINAL}`.",
      ),
    ),
  },
  "One volume.",
);

const task = object(
  {
    name: text("Name of the task.", { minLength: 1 }),
    function: optional(text("Function that it runs.")),
    driver: optional(choice(drivers, "What moves the data.")),
    executor: optional(choice(["Job", "Sidecar", "EphemeralContainer", "MultiLevelJob"], "Where it runs.")),
    singleton: optional(flag("One Job for the target, and not one per pod.")),
    parameters: optional(list(parameter, "Parameters that it knows.")),
    volumeTemplate: optional(list(volumeTemplate, "Volumes that it brings.")),
    volumeMounts: optional(list(volumeMount(), "Where they are mounted.")),
  },
  "One task.",
);

const spec = object(
  {
    backupTasks: optional(list(task, "Tasks for backups.")),
    restoreTasks: optional(list(task, "Tasks for restores.")),
  },
  "What it can do.",
);

export const addonKind = {
  resource: clusterKind("addons", "Addon", "addons"),
  shortNames: [],
  categories: allCategories,
  columns: [ageColumn],
  spec,
  status: undefined,
  intro: [
    "An Addon says which tasks there are for a kind of target, and which Function runs each.",
    "Holdfast brings workload-addon, pvc-addon and kubedump-addon; it runs tasks with driver Restic and executor Job.",
  ],
  phases: [],
  conditions: [],
  example: {
    apiVersion: "addons.kubestash.com/v1alpha1",
    kind: "Addon",
    metadata: { name: "demo-addon" },
    spec: {
      backupTasks: [
        {
          name: "logical-backup",
          function: "demo-backup",
          driver: "Restic",
          executor: "Job",
          singleton: false,
          parameters: [{ name: "paths", usage: "what to save", required: true }],
        },
      ],
    },
  },
} as const satisfies KindDefinition;
