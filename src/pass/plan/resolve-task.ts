import type { KubeObject } from "../../api/meta.ts";
import { substitute } from "../../api/substitute.ts";
import { asRecord, records } from "../../base/json.ts";
import { nearestName } from "../../base/nearest-name.ts";
import type { World } from "./world.ts";

type Json = Readonly<Record<string, unknown>>;

/** A task of an AddonInfo with its Addon, Function and values put together. */
export type ResolvedTask = {
  readonly name: string;
  readonly driver: string;
  /** One Job for the whole target, not one per pod. */
  readonly singleton: boolean;
  /** Parameters and variables by name; the Function is substituted with them. */
  readonly values: Readonly<Record<string, string>>;
  readonly functionSpec: Json;
  /** Volumes of the addon's templates, overridden by the task's addonVolumes. */
  readonly volumes: readonly Json[];
  readonly mounts: readonly Json[];
  readonly targetVolumes: Json;
};

export type Resolution =
  | { readonly ok: true; readonly tasks: readonly ResolvedTask[] }
  | { readonly ok: false; readonly reason: string; readonly message: string };

/** Addon, then task, then Function, then parameters: KubeStash's order of resolving an AddonInfo. */
export function resolveTasks(addonInfo: Json, direction: "backup" | "restore", world: World): Resolution {
  const addonName = String(addonInfo["name"] ?? "");
  const addon = world.observed.named("Addon", undefined, addonName);
  if (addon === undefined) return refused("AddonNotFound", `Addon ${addonName} does not exist`);
  const offered = records(asRecord(addon["spec"])[direction === "backup" ? "backupTasks" : "restoreTasks"]);
  const tasks: ResolvedTask[] = [];
  // Sorted by name, so that manifest and data tasks come in a fixed order.
  const wanted = [...records(addonInfo["tasks"])].sort((a, b) =>
    String(a["name"]) < String(b["name"]) ? -1 : 1,
  );
  for (const task of wanted) {
    const definition = offered.find((one) => one["name"] === task["name"]);
    if (definition === undefined) {
      const names = offered.map((one) => String(one["name"])).join(", ");
      return refused(
        "TaskNotFound",
        `Addon ${addonName} has no ${direction} task ${String(task["name"])}; it has ${names}`,
      );
    }
    const resolved = resolveTask(task, definition, world);
    if (!resolved.ok) return resolved;
    tasks.push(...resolved.tasks);
  }
  return tasks.length === 0 ? refused("TaskNotFound", "no task is named") : { ok: true, tasks };
}

function resolveTask(task: Json, definition: Json, world: World): Resolution {
  const name = String(definition["name"]);
  const functionName = String(definition["function"] ?? "");
  const found = world.observed.named("Function", undefined, functionName);
  if (found === undefined)
    return refused("FunctionNotFound", `Function ${functionName} of task ${name} does not exist`);
  if (definition["driver"] !== "Restic" || definition["executor"] !== "Job")
    return refused(
      "NotSupportedYet",
      `task ${name} wants driver ${String(definition["driver"])} and executor ${String(definition["executor"])}; this release runs Restic by Jobs`,
    );
  const values = valuesOf(task, definition);
  if (!values.ok) return refused("ParameterMissing", `task ${name} needs the parameter ${values.missing}`);
  const templates = records(definition["volumeTemplate"]).map((template) => template["name"]);
  const stray = records(task["addonVolumes"]).find((one) => !templates.includes(one["name"]));
  if (stray !== undefined)
    return refused("AddonVolumeNotFound", `task ${name} has no volume template ${String(stray["name"])}`);
  return {
    ok: true,
    tasks: [
      {
        name,
        driver: "Restic",
        singleton: definition["singleton"] === true,
        values: values.values,
        functionSpec: asRecord(found["spec"]),
        volumes: addonVolumes(task, definition),
        mounts: records(definition["volumeMounts"]),
        targetVolumes: asRecord(task["targetVolumes"]),
      },
    ],
  };
}

/** Whether it moves the files of volumes, and not manifests. */
export function isDataTask(task: { readonly name?: unknown }): boolean {
  return !String(task.name).startsWith("manifest");
}

type Values =
  | { readonly ok: true; readonly values: Record<string, string> }
  | { readonly ok: false; readonly missing: string };

function valuesOf(task: Json, definition: Json): Values {
  const values: Record<string, string> = {};
  const given = asRecord(task["params"]);
  for (const parameter of records(definition["parameters"])) {
    const name = String(parameter["name"]);
    const value = given[name] ?? parameter["default"];
    if (value === undefined && parameter["required"] === true) return { ok: false, missing: name };
    if (value !== undefined) values[name] = String(value);
  }
  for (const [name, value] of Object.entries(given)) values[name] = String(value);
  for (const variable of records(task["variables"])) {
    if (variable["value"] !== undefined) values[String(variable["name"])] = String(variable["value"]);
  }
  return { ok: true, values };
}

/** Clauses on parameters that are given and that the task does not know: they would be ignored silently. */
export function unknownParameters(
  addonInfo: Json,
  direction: "backup" | "restore",
  world: World,
): readonly string[] {
  const addon = world.observed.named("Addon", undefined, addonInfo["name"]);
  if (addon === undefined) return [];
  const offered = records(asRecord(addon["spec"])[direction === "backup" ? "backupTasks" : "restoreTasks"]);
  return records(addonInfo["tasks"]).flatMap((task) => {
    const definition = offered.find((one) => one["name"] === task["name"]);
    const known = records(definition?.["parameters"]).map((parameter) => String(parameter["name"]));
    return definition === undefined
      ? []
      : Object.keys(asRecord(task["params"]))
          .filter((name) => !known.includes(name))
          .map((name) => {
            const nearest = nearestName(name, known);
            return nearest === undefined ? name : `${name} (write ${nearest} if that is meant)`;
          });
  });
}

function addonVolumes(task: Json, definition: Json): readonly Json[] {
  const overrides = records(task["addonVolumes"]);
  return records(definition["volumeTemplate"]).map((template) => {
    const override = overrides.find((one) => one["name"] === template["name"]);
    const source = asRecord((override ?? template)["source"]);
    const { volumeClaimTemplate, ...rest } = source;
    return volumeClaimTemplate === undefined
      ? { name: template["name"], ...rest }
      : { name: template["name"], ephemeral: { volumeClaimTemplate } };
  });
}

/** The Function's spec with `${name}` and `${name:=default}` replaced. */
export function functionFor(task: ResolvedTask, system: Readonly<Record<string, string>>): Json {
  return asRecord(substitute(task.functionSpec, { ...task.values, ...system }));
}

/** Objects that an AddonInfo depends on, for status.dependencies. */
export function dependenciesOf(
  addonInfo: Json,
  direction: "backup" | "restore",
  world: World,
): readonly Json[] {
  const apiGroup = "addons.kubestash.com";
  const addonName = String(addonInfo["name"] ?? "");
  const addon = world.observed.named("Addon", undefined, addonName);
  const offered = records(asRecord(addon?.["spec"])[direction === "backup" ? "backupTasks" : "restoreTasks"]);
  const functions = records(addonInfo["tasks"])
    .map((task) => offered.find((one) => one["name"] === task["name"])?.["function"])
    .filter((name) => typeof name === "string");
  const exists = (name: string, list: readonly KubeObject[]) =>
    list.some((one) => one.metadata.name === name);
  return [
    { apiGroup, kind: "Addon", name: addonName, found: addon !== undefined },
    ...[...new Set(functions)].map((name) => ({
      apiGroup,
      kind: "Function",
      name,
      found: exists(name, world.observed.list("Function")),
    })),
  ];
}

function refused(reason: string, message: string): Resolution {
  return { ok: false, reason, message };
}
