import type { Addon } from "../addon.ts";
import { failure } from "../field-error.ts";
import type { Rule } from "./rule.ts";

const taskNamesDiffer: Rule<Addon> = {
  says: "No two tasks of a list have the same name.",
  check: ({ spec }) =>
    (["backupTasks", "restoreTasks"] as const).flatMap((field) => {
      const tasks = spec[field] ?? [];
      return tasks.flatMap(({ name }, index) =>
        tasks.findIndex((other) => other.name === name) === index
          ? []
          : [failure("Conflict", ["spec", field, index, "name"], `the task ${name} is there twice`)],
      );
    }),
};

export const addonRules = [taskNamesDiffer] as const;
