import { catalogueAddons, catalogueFunctions } from "../api/catalogue.ts";
import type { KubeObject } from "../api/meta.ts";
import { isFields } from "../base/json.ts";
import { parseFlags } from "./job-flags.ts";
import { chosenBy, kubedumpOptions, kubedumpRestoreFlags, type TreeOptions } from "./kubedump-restore.ts";
import { fieldAt, fieldsAt, listAt, textAt } from "./storage/fields.ts";
import { manifestRestoreFlags, workloadOptions } from "./workload-manifests.ts";

/**
 * What the Jobs of a RestoreSession would restore of manifests, one for each of its tasks that does; tasks of addons
 * that are not Holdfast's own are not known.
 */
export function manifestRestoresOf(restore: KubeObject): readonly TreeOptions[] {
  const addon = textAt(restore, "spec", "addon", "name");
  const known = catalogueAddons.find(({ metadata }) => metadata.name === addon)?.spec.restoreTasks ?? [];
  return listAt(restore, "spec", "addon", "tasks").flatMap((task) => {
    const job = known.find(({ name }) => name === textAt(task, "name"))?.function;
    if (job === "kubedump-restore")
      return [kubedumpOptions(restore, chosenBy(parseFlags(job, argsOf(job, task), kubedumpRestoreFlags)))];
    if (job !== "manifest-restore") return [];
    return [workloadOptions(restore, parseFlags(job, argsOf(job, task), manifestRestoreFlags))];
  });
}

/** The arguments of a Job that the task sets: `--flag=${parameter:=otherwise}` in the Function. */
function argsOf(job: string, task: unknown): readonly string[] {
  const variables = Object.fromEntries(
    listAt(task, "variables")
      .filter(isFields)
      .map(({ name, value }) => [name, value]),
  );
  const given = { ...fieldsAt(task, "params"), ...variables };
  const args = catalogueFunctions.find(({ metadata }) => metadata.name === job)?.spec.args ?? [];
  return args.flatMap((arg) => {
    const [, flag, parameter = ""] = /^--([a-z-]+)=\$\{(\w+):=/.exec(arg) ?? [];
    const value = fieldAt(given, parameter);
    return flag === undefined || typeof value !== "string" ? [] : [`--${flag}=${value}`];
  });
}
