import type { KubeObject, Resource } from "../../api/meta.ts";
import type { JobFlags } from "../job-flags.ts";
import { type LabelRule, matchesRule, parseLabelRule } from "./label-rules.ts";

/** A type by name, as the lists of the parameters mean it: `deployments.apps`, `configmaps`. */
export type GroupResource = Pick<Resource, "group" | "plural">;

/** Which objects a dump or a restore takes; all tests must pass (spec: kubedump, the filter). */
export type ManifestFilter = {
  readonly allOf: readonly LabelRule[];
  readonly anyOf: readonly LabelRule[];
  readonly clusterResources: boolean;
  /** Undefined: every namespace. */
  readonly includeNamespaces: ReadonlySet<string> | undefined;
  readonly excludeNamespaces: ReadonlySet<string>;
  /** Undefined: every type. Short (`deployments`) or with the group (`deployments.apps`). */
  readonly includeResources: ReadonlySet<string> | undefined;
  readonly excludeResources: ReadonlySet<string>;
};

export const filterFlags = [
  "and-label-selectors",
  "or-label-selectors",
  "include-cluster-resources",
  "include-namespaces",
  "exclude-namespaces",
  "include-resources",
  "exclude-resources",
] as const;

/** Everything, cluster-scoped objects too. */
export const everything: ManifestFilter = {
  allOf: [],
  anyOf: [],
  clusterResources: true,
  includeNamespaces: undefined,
  excludeNamespaces: new Set(),
  includeResources: undefined,
  excludeResources: new Set(),
};

export function filterOf(flags: JobFlags): ManifestFilter {
  const rules = (flag: string) => flags.list(flag).map((item) => parseLabelRule(item, flag));
  return {
    allOf: rules("and-label-selectors"),
    anyOf: rules("or-label-selectors"),
    clusterResources: flags.truth("include-cluster-resources", false),
    includeNamespaces: included(flags.list("include-namespaces")),
    excludeNamespaces: excluded(flags.list("exclude-namespaces")),
    includeResources: included(flags.list("include-resources").map((item) => item.toLowerCase())),
    excludeResources: excluded(flags.list("exclude-resources").map((item) => item.toLowerCase())),
  };
}

export function groupResourceName({ group, plural }: GroupResource): string {
  return group === "" ? plural : `${plural}.${group}`;
}

/**
 * An excluded name always wins, short or with its group. (KubeStash lets a short exclude pass when nothing is
 * included, against its own documentation.)
 */
export function takesType(filter: ManifestFilter, type: GroupResource): boolean {
  const names = [type.plural, groupResourceName(type)];
  if (names.some((name) => filter.excludeResources.has(name))) return false;
  const { includeResources } = filter;
  return includeResources === undefined || names.some((name) => includeResources.has(name));
}

/** Whether a group that could not be read may hold a type that is wanted. */
export function mayTakeGroup(filter: ManifestFilter, group: string): boolean {
  if (filter.includeResources === undefined) return true;
  return [...filter.includeResources].some((name) => !name.includes(".") || name.endsWith(`.${group}`));
}

/** Scope and namespace lists; `namespace` is undefined for cluster-scoped objects. */
export function takesPlace(filter: ManifestFilter, namespace: string | undefined): boolean {
  if (namespace === undefined) return filter.clusterResources;
  if (filter.excludeNamespaces.has(namespace)) return false;
  return filter.includeNamespaces === undefined || filter.includeNamespaces.has(namespace);
}

/** An object without labels fails every non-empty list. */
export function takesLabels(filter: ManifestFilter, object: KubeObject): boolean {
  const labels = object.metadata.labels ?? {};
  const { allOf, anyOf } = filter;
  if (!allOf.every((rule) => matchesRule(rule, labels))) return false;
  return anyOf.length === 0 || anyOf.some((rule) => matchesRule(rule, labels));
}

/** Names of the lists that no type of the cluster has: a slip of the pen that would go unseen. */
export function unknownTypes(filter: ManifestFilter, types: readonly GroupResource[]): readonly string[] {
  const known = new Set(types.flatMap((type) => [type.plural, groupResourceName(type)]));
  const named = [...(filter.includeResources ?? []), ...filter.excludeResources];
  return named.filter((name) => !known.has(name));
}

function included(items: readonly string[]): ReadonlySet<string> | undefined {
  return items.length === 0 || items.includes("*") ? undefined : new Set(items);
}

/** `*` is no name: excluding everything is surely not meant. */
function excluded(items: readonly string[]): ReadonlySet<string> {
  return new Set(items.filter((item) => item !== "*"));
}
