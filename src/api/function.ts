import { containerRuntimeSettings, volumeMount } from "./core-pieces.ts";
import { ageColumn, allCategories, clusterKind, type KindDefinition, type Plain } from "./kind.ts";
import { list, object, optional, passedOn, type TypeOf, text } from "./schema.ts";

export type AddonFunction = Plain<typeof spec>;
export type AddonFunctionSpec = TypeOf<typeof spec>;

const spec = object(
  {
    image: optional(text("Image of the container; may hold `${name}` and `${name:=default}`.")),
    command: optional(list(text("One word."), "Program in place of the image's; with variables.")),
    args: optional(list(text("One word."), "Arguments; with variables.")),
    workingDir: optional(text("Directory that it starts in.")),
    ports: optional(list(passedOn("core/v1 ContainerPort", "One port."), "Ports of the container.")),
    volumeMounts: optional(list(volumeMount(), "More mounts.")),
    volumeDevices: optional(list(passedOn("core/v1 VolumeDevice", "One device."), "Raw devices.")),
    runtimeSettings: optional(containerRuntimeSettings("Settings of the container.")),
    availableVersions: optional(
      list(text("One version."), "Versions that `${DB_VERSION}` in the image can become."),
    ),
  },
  "What it runs.",
);

export const functionKind = {
  resource: clusterKind("addons", "Function", "functions"),
  shortNames: ["fn"],
  categories: allCategories,
  columns: [ageColumn],
  spec,
  status: undefined,
  intro: [
    "A Function is a container that a task of an Addon runs.",
    "Its text may hold variables: `${name}`, and `${name:=default}` with what stands when the variable is unset or empty.",
  ],
  phases: [],
  conditions: [],
  example: {
    apiVersion: "addons.kubestash.com/v1alpha1",
    kind: "Function",
    metadata: { name: "demo-backup" },
    spec: {
      image: "registry.example.com/demo-backup:1",
      args: [
        "backup",
        "--namespace=${namespace:=default}",
        "--backupsession=${backupSession:=}",
        "--paths=${paths:=}",
      ],
    },
  },
} as const satisfies KindDefinition;
