import { asRecord } from "../../base/json.ts";
import type { AddonInfo } from "../addon-info.ts";
import { pvcAddon, workloadAddon } from "../catalogue.ts";
import { isCronSchedule } from "../cron-schedule.ts";
import { type FieldError, type FieldPath, failure, invalid, required } from "../field-error.ts";
import { workloadGroups } from "../manifest-target.ts";
import { type KubeObject, type ObjectMeta, refOf } from "../meta.ts";
import type { TypedObjectReference } from "../references.ts";
import { quoted } from "../schema-errors.ts";
import type { UsagePolicy } from "../usage-policy.ts";
import type { Relation, Rule } from "./rule.ts";

type WithPolicy = { readonly spec: { readonly usagePolicy?: UsagePolicy } };
type MaybeDefault = Pick<KubeObject, "apiVersion" | "kind" | "metadata"> & {
  readonly spec: { readonly default?: boolean };
};

export const selectorIsGiven: Rule<WithPolicy> = {
  says: "A usagePolicy with `from: Selector` needs a selector.",
  check: ({ spec }) => {
    const allowed = spec.usagePolicy?.allowedNamespaces;
    if (allowed?.from !== "Selector" || allowed.selector !== undefined) return [];
    const path = ["spec", "usagePolicy", "allowedNamespaces", "selector"];
    return [
      required(path, "selector is missing, and from is Selector", "Say which Namespaces' labels it matches."),
    ];
  },
};

/** The API server counts generations by changes of the spec, so that an object tells by itself. */
export const specIsFixed: Rule<{ readonly metadata: ObjectMeta }> = {
  says: "spec cannot be changed.",
  check: ({ metadata }) =>
    (metadata.generation ?? 1) === 1 || metadata.deletionTimestamp !== undefined
      ? []
      : [failure("Immutable", ["spec"], "cannot be changed, and was", "Make another one.")],
};

export const oneDefault: Relation<[object: MaybeDefault, others: readonly MaybeDefault[]]> = {
  says: "At most one object of the kind is `default: true` in a namespace.",
  check: (object, others) => {
    if (object.spec.default !== true) return [];
    const other = others.find(
      ({ metadata, spec }) =>
        asRecord(spec)["default"] === true &&
        metadata.namespace === object.metadata.namespace &&
        metadata.name !== object.metadata.name,
    );
    if (other === undefined) return [];
    const message = `${other.kind} ${other.metadata.name} is the default of this namespace already`;
    const error = failure("Conflict", ["spec", "default"], message, "Let one of them be the default.");
    return [{ ...error, other: refOf(other) }];
  },
};

/** A directory that stays below what it is joined to. */
export function directoryErrors(directory: string, path: FieldPath): readonly FieldError[] {
  if (/^\/*$/.test(directory))
    return [invalid(path, "must name a directory", "Give the repository one of its own.")];
  if (directory.split("/").some((part) => part === ".." || part === "."))
    return [invalid(path, "must not hold the parts `.` and `..`")];
  return [/[\\\p{Cc}]/u].some((forbidden) => forbidden.test(directory))
    ? [invalid(path, "must not hold backslashes and control characters")]
    : [];
}

/** Kinds of targets and their API groups. */
const targetKinds: Readonly<Record<string, string>> = {
  ...workloadGroups,
  PersistentVolumeClaim: "",
  Namespace: "",
};

export const targetIsKnown: Rule<{
  readonly spec: { readonly target?: TypedObjectReference };
}> = {
  says: "spec.target is a Deployment, StatefulSet or DaemonSet of `apps`, a PersistentVolumeClaim or a Namespace.",
  check: ({ spec: { target } }) => {
    if (!target) return [];
    const { kind = "", apiGroup } = target;
    const path = ["spec", "target"];
    const next = `Name a ${Object.keys(targetKinds).join(", ")}, or leave the target out.`;
    if (kind === "") return [required([...path, "kind"], "kind is missing", next)];
    const group = Object.hasOwn(targetKinds, kind) ? targetKinds[kind] : undefined;
    if (group === undefined)
      return [
        failure("NotSupportedYet", [...path, "kind"], `${kind} is no kind of target of this release`, next),
      ];
    if (apiGroup === undefined || apiGroup === group) return [];
    const right = group === "" ? "empty" : group;
    return [
      invalid([...path, "apiGroup"], `${quoted(apiGroup)} is not the group of a ${kind}`, `It is ${right}.`),
    ];
  },
};

type WithTarget = {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly target?: TypedObjectReference };
};

/** What `volumeErrors` finds, for the rules of the kinds that have a target. */
export const targetIsNear =
  "A task of workload-addon or pvc-addon that saves or restores volumes has its target in the object's own namespace, since a Job mounts nothing of another one, or brings targetVolumes.";

/** What another addon does with its target only its author knows. */
const mounting = [workloadAddon, pvcAddon].map(({ metadata }) => metadata.name);

/** Tasks of manifests go through the API, wherever their target is. */
export function volumeErrors(
  { metadata, spec: { target } }: WithTarget,
  addon: AddonInfo,
  path: FieldPath,
): readonly FieldError[] {
  const own = metadata.namespace;
  const there = target?.namespace;
  if (!there || own === undefined || there === own || !mounting.includes(addon.name)) return [];
  return addon.tasks.flatMap(({ name, targetVolumes }, index) => {
    if (name.startsWith("manifest") || targetVolumes) return [];
    const message = `mounts volumes of the target, which is in namespace ${there}, and a Job mounts those of ${own} only`;
    const next = `Declare it in the namespace ${there}.`;
    return [failure("NotSupportedYet", [...path, "tasks", index], message, next)];
  });
}

export function scheduleErrors(schedule: string, path: FieldPath): readonly FieldError[] {
  return isCronSchedule(schedule)
    ? []
    : [
        invalid(
          path,
          `${quoted(schedule)} is no schedule`,
          'Write cron\'s five fields, such as "7 * * * *".',
        ),
      ];
}

/** Rules of an AddonInfo. */
export function addonErrors(addon: AddonInfo, path: FieldPath): readonly FieldError[] {
  return addon.tasks.flatMap((task, index) => [
    ...paramErrors(task.params ?? {}, [...path, "tasks", index, "params"]),
    ...(addon.tasks.findIndex((other) => other.name === task.name) === index
      ? []
      : [failure("Conflict", [...path, "tasks", index, "name"], `the task ${task.name} is there twice`)]),
  ]);
}

function paramErrors(params: Readonly<Record<string, unknown>>, path: FieldPath): readonly FieldError[] {
  return Object.entries(params)
    .filter(([, value]) => typeof value !== "string")
    .map(([name]) => invalid([...path, name], "must be a text", "Write the value in quotes."));
}
