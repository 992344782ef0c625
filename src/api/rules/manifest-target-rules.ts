import type { AddonInfo, TaskReference } from "../addon-info.ts";
import { kubedumpAddon, workloadAddon } from "../catalogue.ts";
import { type FieldError, type FieldPath, invalid } from "../field-error.ts";
import { filterParams, type ManifestParam } from "../manifest-params.ts";
import { paramAgainstTarget, readManifestTarget, workloadGroups } from "../manifest-target.ts";
import type { ObjectMeta } from "../meta.ts";
import type { TypedObjectReference } from "../references.ts";
import { type ParamText, textsOf } from "./manifest-param-rules.ts";

type WithTarget = {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly target?: TypedObjectReference };
};

/** What `manifestTargetErrors` finds, for the rules of the kinds that have a target. */
export const manifestTargetsFit =
  "The target of kubedump-addon is absent, a Namespace, or a Deployment, StatefulSet or DaemonSet, and its parameters ask for nothing outside of the target's namespace; the catalogue says what is taken of each. The task manifest-backup of workload-addon has a workload as its target.";

export function manifestTargetErrors(
  object: WithTarget,
  addon: AddonInfo,
  path: FieldPath,
): readonly FieldError[] {
  if (addon.name === workloadAddon.metadata.name) return workloadErrors(object, addon);
  if (addon.name !== kubedumpAddon.metadata.name) return [];
  const target = readManifestTarget(object.spec.target, object.metadata.namespace ?? "");
  if (!target.ok) return [invalid(["spec", "target"], target.message, target.next)];
  return addon.tasks.flatMap((task, index) => {
    const texts = textsOf(task, [...path, "tasks", index]);
    const places = placesOf(texts);
    const against = places === undefined ? undefined : paramAgainstTarget(target.value, places);
    const text = texts.findLast(({ name }) => name === against?.param);
    return against === undefined || text === undefined
      ? []
      : [invalid(text.path, against.message, against.next)];
  });
}

/** Undefined where a value cannot be read, which is said of the value itself. */
function placesOf(texts: readonly ParamText[]) {
  const read = <Value>(param: ManifestParam<Value>) =>
    param.read(texts.findLast(({ name }) => name === param.name)?.text ?? "");
  const clusterResources = read(filterParams.clusterResources);
  const includeNamespaces = read(filterParams.includeNamespaces);
  const excludeNamespaces = read(filterParams.excludeNamespaces);
  if (!clusterResources.ok || !includeNamespaces.ok || !excludeNamespaces.ok) return undefined;
  return {
    clusterResources: clusterResources.value,
    includeNamespaces: includeNamespaces.value,
    excludeNamespaces: excludeNamespaces.value,
  };
}

/** A backup of the manifests of one workload needs the workload. */
function workloadErrors({ spec: { target } }: WithTarget, { tasks }: AddonInfo): readonly FieldError[] {
  const saves = ({ name }: TaskReference) => name === "manifest-backup";
  if (!tasks.some(saves) || Object.hasOwn(workloadGroups, target?.kind ?? "")) return [];
  const message =
    target === undefined
      ? "target is missing, and the task manifest-backup of workload-addon saves a workload"
      : `a ${target.kind ?? ""} has no workload for the task manifest-backup of workload-addon`;
  const next = `Name a ${Object.keys(workloadGroups).join(", ")}, or use kubedump-addon.`;
  return [invalid(["spec", "target"], message, next)];
}
