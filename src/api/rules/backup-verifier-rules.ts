import type { BackupVerifier } from "../backup-verifier.ts";
import { required } from "../field-error.ts";
import type { Rule } from "./rule.ts";
import { addonErrors, scheduleErrors } from "./shared-rules.ts";

const checkIsDescribed: Rule<BackupVerifier> = {
  says: "The type `Query` needs spec.query and spec.function, and the type `Script` needs spec.script.location and spec.function.",
  check: ({ spec: { type, query, script, function: checker = "" } }) => {
    const missing = (field: string, ...path: readonly string[]) =>
      required(["spec", ...path], `${field} is missing, and the type is ${type}`);
    if (type === "RestoreOnly") return [];
    return [
      ...(checker === "" ? [missing("function", "function")] : []),
      ...(type === "Query" && !query ? [missing("query", "query")] : []),
      ...(type === "Script" && (script?.location ?? "") === ""
        ? [missing("location", "script", "location")]
        : []),
    ];
  },
};

const scheduleIsReadable: Rule<BackupVerifier> = {
  says: "A schedule is a text that a CronJob takes.",
  check: ({ spec: { scheduler } }) =>
    !scheduler ? [] : scheduleErrors(scheduler.schedule, ["spec", "scheduler", "schedule"]),
};

const addonIsUsable: Rule<BackupVerifier> = {
  says: "No task is named twice in the addon, and values of params are texts.",
  check: ({ spec }) => addonErrors(spec.restoreOption.addonInfo, ["spec", "restoreOption", "addonInfo"]),
};

export const backupVerifierRules = [checkIsDescribed, scheduleIsReadable, addonIsUsable] as const;
