import { catalogueAddons } from "../../api/catalogue.ts";
import type { KubeObject } from "../../api/meta.ts";
import { validateObject } from "../../api/validate.ts";
import { nearestName } from "../../base/nearest-name.ts";
import { fieldOf } from "../field-of.ts";
import { usage } from "./usage.ts";

/** A RestoreSession with parameters of its first task set, each `NAME=VALUE`; refused as its declaration would be. */
export function withParams(restore: KubeObject, params: readonly string[]): KubeObject {
  if (params.length === 0) return restore;
  const spec: unknown = restore["spec"];
  const addon: unknown = fieldOf(spec, "addon");
  const tasks: unknown = fieldOf(addon, "tasks");
  const [first, ...rest]: readonly unknown[] = Array.isArray(tasks) ? tasks : [];
  const given = readParams(params);
  refuseUnknown(String(fieldOf(addon, "name")), String(fieldOf(first, "name")), Object.keys(given));
  const task = { ...Object(first), params: { ...Object(fieldOf(first, "params")), ...given } };
  const changed = {
    ...restore,
    spec: { ...Object(spec), addon: { ...Object(addon), tasks: [task, ...rest] } },
  };
  const error = validateObject(changed).find(({ severity }) => severity === "error");
  if (error === undefined) return changed;
  throw usage(`${error.path.join(".")}: ${error.message}`, error.next ?? "see docs/spec/restore-session.md");
}

function readParams(params: readonly string[]): Readonly<Record<string, string>> {
  const pairs = params.map((param) => {
    const at = param.indexOf("=");
    if (at > 0) return [param.slice(0, at), param.slice(at + 1)] as const;
    throw usage(`--param ${param} is not of the form NAME=VALUE`, "write it like OverrideResources=true");
  });
  return Object.fromEntries(pairs);
}

/** What the task of an addon that is not Holdfast's own knows only its author knows. */
function refuseUnknown(addon: string, task: string, names: readonly string[]): void {
  const tasks = catalogueAddons.find(({ metadata }) => metadata.name === addon)?.spec.restoreTasks;
  const parameters = tasks?.find(({ name }) => name === task)?.parameters;
  if (parameters === undefined) return;
  const known = parameters.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = nearestName(unknown, known);
  throw usage(
    `task ${task} of ${addon} has no parameter ${unknown}`,
    near === undefined ? `it has ${known.join(", ")}` : `did you mean ${near}?`,
  );
}
