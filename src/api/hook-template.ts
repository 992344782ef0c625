import { environmentVariable, volume, volumeMount } from "./core-pieces.ts";
import { hookAction } from "./hook-action.ts";
import { ageColumn, allCategories, column, type KindDefinition, namespacedKind, type Plain } from "./kind.ts";
import { choice, flag, list, object, optional, text } from "./schema.ts";
import { usagePolicy } from "./usage-policy.ts";

export type HookTemplate = Plain<typeof spec>;

const parameter = object(
  {
    name: text("Name of the parameter, for `${name}` in the action.", { minLength: 1 }),
    usage: optional(text("What it is for.")),
    required: optional(flag("Whether a hook must give it a value.")),
    default: optional(text("Its value when a hook gives none.")),
  },
  "One parameter.",
);

const functionExecutor = object(
  {
    name: text("Name of the Function.", { minLength: 1 }),
    env: optional(list(environmentVariable(), "More variables.")),
    volumeMounts: optional(list(volumeMount(), "More mounts.")),
    volumes: optional(list(volume(), "More volumes.")),
  },
  "A Job with a Function, for `Function`.",
);

const owner = object(
  {
    apiVersion: text("API version of the owner."),
    kind: text("Kind of the owner."),
    name: text("Name of the owner."),
    uid: text("UID of the owner."),
    controller: optional(flag("Whether the owner is the pod's controller.")),
    blockOwnerDeletion: optional(flag("Whether the owner waits for the pod when it is deleted.")),
  },
  "Only pods of this owner.",
);

const podExecutor = object(
  {
    selector: optional(text("Labels of the pods: `key=value`, several with commas between them.")),
    owner: optional(owner),
    strategy: optional(
      choice(
        ["ExecuteOnOne", "ExecuteOnAll"],
        "On the first pod that is ready, or on every one; `ExecuteOnOne` when absent.",
      ),
    ),
  },
  "Pods in which the action runs, for `Pod`.",
);

const executor = object(
  {
    type: choice(
      ["Function", "Pod", "Operator"],
      "A Job with a Function, the pods of a selector, or Holdfast itself.",
    ),
    function: optional(functionExecutor),
    pod: optional(podExecutor),
  },
  "Who runs it.",
);

const spec = object(
  {
    usagePolicy: optional(usagePolicy("Which namespaces may refer to this template.")),
    params: optional(list(parameter, "Parameters that hooks may give values.")),
    action: optional(hookAction()),
    executor,
  },
  "What is wanted.",
);

export const hookTemplateKind = {
  resource: namespacedKind("core", "HookTemplate", "hooktemplates"),
  shortNames: [],
  categories: allCategories,
  columns: [
    column("Executor", ".spec.executor.type"),
    // KubeStash has the column and no such field: it is always empty.
    column("Timeout", ".spec.timeout"),
    ageColumn,
  ],
  spec,
  status: undefined,
  intro: [
    "A HookTemplate says what a hook of a session does: a command, an HTTP request or a connection, and who runs it.",
    "Hooks of BackupConfigurations and RestoreSessions refer to it by name.",
  ],
  phases: [],
  conditions: [],
  example: {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "HookTemplate",
    metadata: { name: "quiesce", namespace: "shop" },
    spec: {
      params: [{ name: "mode", usage: "maintenance switch", required: false, default: "on" }],
      action: {
        exec: { command: ["/bin/sh", "-c", "echo ${mode} > /data/.quiet"] },
        containerName: "web",
      },
      executor: { type: "Pod", pod: { selector: "app=web", strategy: "ExecuteOnAll" } },
    },
  },
} as const satisfies KindDefinition;
