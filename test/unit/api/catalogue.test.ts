import { expect, test } from "vitest";
import type { AddonTask } from "../../../src/api/addon.ts";
import { catalogueAddons, catalogueFunctions } from "../../../src/api/catalogue.ts";
import { substitute, unsetVariables } from "../../../src/api/substitute.ts";
import { validateObject } from "../../../src/api/validate.ts";

const tasks = catalogueAddons.flatMap(({ metadata, spec }) => [
  ...(spec.backupTasks ?? []).map((task) => ({ addon: metadata.name, direction: "backup", task })),
  ...(spec.restoreTasks ?? []).map((task) => ({ addon: metadata.name, direction: "restore", task })),
]);

/** Variables that the system sets, by the direction of the task. */
const system: Readonly<Record<string, readonly string[]>> = {
  backup: ["namespace", "backupSession", "imageRegistry", "imageRepo", "imageTag"],
  restore: ["namespace", "restoreSession", "snapshot", "imageRegistry", "imageRepo", "imageTag"],
};

function functionOf(task: AddonTask) {
  const found = catalogueFunctions.find(({ metadata }) => metadata.name === task.function);
  if (found === undefined) throw new Error(`there is no Function ${task.function}`);
  return found;
}

test("the catalogue passes its own schema and rules", () => {
  expect([...catalogueAddons, ...catalogueFunctions].flatMap((object) => validateObject(object))).toEqual([]);
});

test("the addons have KubeStash's tasks that a restic Job can do, one or many Jobs each", () => {
  const lines = tasks.map(
    ({ addon, direction, task }) => `${addon} ${direction} ${task.name} ${task.singleton}`,
  );
  expect(lines).toEqual([
    "kubedump-addon backup manifest-backup true",
    "kubedump-addon restore manifest-restore true",
    "workload-addon backup logical-backup false",
    "workload-addon backup manifest-backup true",
    "workload-addon restore logical-backup-restore false",
    "workload-addon restore manifest-restore true",
    "pvc-addon backup logical-backup true",
    "pvc-addon restore logical-backup-restore true",
  ]);
  expect(tasks.every(({ task }) => task.driver === "Restic" && task.executor === "Job")).toBe(true);
});

test.each(tasks)(
  "every parameter of $addon $task.name reaches a flag, and no flag waits for another",
  ({ direction, task }) => {
    const used = unsetVariables(functionOf(task).spec);
    const parameters = (task.parameters ?? []).map((parameter) => parameter.name);
    expect([...parameters, ...(system[direction] ?? [])].toSorted()).toEqual(used);
  },
);

test.each(tasks)(
  "a flag of $addon $task.name without a value is as the parameter's default says",
  ({ task }) => {
    const args = functionOf(task).spec.args ?? [];
    const optional = (task.parameters ?? []).filter((parameter) => parameter.required !== true);
    const defaults = Object.fromEntries(optional.map(({ name, default: value = "" }) => [name, value]));
    const said = (line: string) => /=(.*)$/.exec(line)?.[1];
    const differing = args.filter((line, index) => {
      const other = said(substitute(line, defaults));
      const bare = said(substitute(args, {})[index] ?? "");
      // Nothing and "false" are the same to a job; pvc-backup brings its own path.
      return bare !== other && !(bare === "" && (other === "false" || other === "/kubestash-data"));
    });
    expect(differing).toEqual([]);
  },
);

test("a Function starts a job of its name in Holdfast's image", () => {
  for (const { metadata, spec } of catalogueFunctions) {
    const values = { imageRegistry: "registry.example.com", imageTag: "9" };
    const { image, args = [] } = substitute(spec, values);
    expect(image).toBe("registry.example.com/holdfast-dev/holdfast:9");
    expect(args.slice(0, 3)).toEqual(["job", metadata.name, "--namespace=default"]);
    expect(args.slice(2).every((arg) => /^--[a-z][a-z-]*=/.test(arg))).toBe(true);
  }
});
