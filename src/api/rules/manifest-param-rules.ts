import type { AddonInfo, TaskReference } from "../addon-info.ts";
import { kubedumpAddon, pvcAddon, workloadAddon } from "../catalogue.ts";
import { type FieldError, type FieldPath, invalid } from "../field-error.ts";
import { filterParams, restoreParams } from "../manifest-params.ts";
import { type Read, readTruth } from "../param-text.ts";

/** What `paramValueErrors` finds, for the rules of the kinds that have an addon. */
export const paramsAreReadable =
  "Values of params and variables are what the catalogue says of the parameters of kubedump-addon, and of those of every addon of the catalogue that are true or false.";

/** What another addon means by a parameter only its author knows. */
const addons = [kubedumpAddon, workloadAddon, pvcAddon].map(({ metadata }) => metadata.name);

const readers: ReadonlyMap<string, (text: string) => Read<unknown>> = new Map([
  ...["enableCache", "includeRBACResources", "overrideResources"].map((name) => [name, readTruth] as const),
  ...[...Object.values(filterParams), ...Object.values(restoreParams)].map(
    ({ name, read }) => [name, read] as const,
  ),
]);

/** Read as the Job will read them, so that what it would refuse is refused with its place before anything runs. */
export function paramValueErrors(addon: AddonInfo, path: FieldPath): readonly FieldError[] {
  if (!addons.includes(addon.name)) return [];
  return addon.tasks.flatMap((task, index) =>
    textsOf(task, [...path, "tasks", index]).flatMap(({ name, text, path: at }) => {
      const value = readers.get(name)?.(text);
      return value === undefined || value.ok ? [] : [invalid(at, value.message, value.next)];
    }),
  );
}

export type ParamText = { readonly name: string; readonly text: string; readonly path: FieldPath };

/** The values that a task gives, in the order in which a later one of a name wins. */
export function textsOf(task: TaskReference, path: FieldPath): readonly ParamText[] {
  const params = Object.entries(task.params ?? {}).flatMap(([name, text]) =>
    typeof text === "string" ? [{ name, text, path: [...path, "params", name] }] : [],
  );
  const variables = (task.variables ?? []).flatMap(({ name, value }, index) =>
    value === undefined ? [] : [{ name, text: value, path: [...path, "variables", index, "value"] }],
  );
  return [...params, ...variables];
}
