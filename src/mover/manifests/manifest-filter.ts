import { type LabelRequirement, matchesRequirement } from "../../api/label-selector.ts";
import { filterParams } from "../../api/manifest-params.ts";
import type { KubeObject, Resource } from "../../api/meta.ts";
import type { JobFlags } from "../job-flags.ts";

/** A type by name, as the lists of the parameters mean it: `deployments.apps`, `configmaps`. */
export type GroupResource = Pick<Resource, "group" | "plural">;

/** Which objects a dump or a restore takes; all tests must pass (spec: kubedump, the filter). */
export type ManifestFilter = {
  readonly allOf: readonly LabelRequirement[];
  readonly anyOf: readonly LabelRequirement[];
  readonly clusterResources: boolean;
  /** Undefined: every namespace. */
  readonly includeNamespaces: ReadonlySet<string> | undefined;
  readonly excludeNamespaces: ReadonlySet<string>;
  /** Undefined: every type. Short (`deployments`) or with the group (`deployments.apps`). */
  readonly includeResources: ReadonlySet<string> | undefined;
  readonly excludeResources: ReadonlySet<string>;
};

export const filterFlags = Object.values(filterParams).map(({ flag }) => flag);

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
  return {
    allOf: flags.read(filterParams.allOf),
    anyOf: flags.read(filterParams.anyOf),
    clusterResources: flags.read(filterParams.clusterResources),
    includeNamespaces: flags.read(filterParams.includeNamespaces),
    excludeNamespaces: flags.read(filterParams.excludeNamespaces),
    includeResources: flags.read(filterParams.includeResources),
    excludeResources: flags.read(filterParams.excludeResources),
  };
}

export function groupResourceName({ group, plural }: GroupResource): string {
  return group === "" ? plural : `${plural}.${group}`;
}

/** `deployments.apps` taken apart. */
export function groupResourceOf(name: string): GroupResource {
  const dot = name.indexOf(".");
  return dot < 0 ? { group: "", plural: name } : { group: name.slice(dot + 1), plural: name.slice(0, dot) };
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

/** Both lists must pass: all requirements of the one, and any of the other unless it is empty. */
export function takesLabels({ allOf, anyOf }: ManifestFilter, object: KubeObject): boolean {
  const labels = object.metadata.labels ?? {};
  if (!allOf.every((requirement) => matchesRequirement(requirement, labels))) return false;
  return anyOf.length === 0 || anyOf.some((requirement) => matchesRequirement(requirement, labels));
}
