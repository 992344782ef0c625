import { filterParams } from "../../api/manifest-params.ts";
import { nearestName } from "../../base/nearest-name.ts";
import { type GroupResource, groupResourceName, type ManifestFilter } from "./manifest-filter.ts";

/** A type that is there, as far as that is known. */
export type NearType = GroupResource & {
  readonly kind?: string;
  readonly shortNames?: readonly string[];
  readonly namespaced: boolean;
  /** Why nothing of it is ever taken; undefined when it can be. */
  readonly never?: string;
};

/** What the names of a filter are looked for in. */
export type Surroundings = {
  /** Ends a sentence: `in this cluster`. */
  readonly where: string;
  readonly types: readonly NearType[];
  /** Whether a name may be of a type that could not be read. */
  readonly mayHide: (name: string) => boolean;
  /** Undefined when nobody may list them. */
  readonly namespaces: ReadonlySet<string> | undefined;
};

/**
 * One sentence for each name of a filter's lists that chooses nothing: a slip of the pen that would go unseen. It
 * tells the name that is probably meant. What is left out may be looked for further around than what is taken.
 */
export function filterWarnings(
  filter: ManifestFilter,
  near: Surroundings,
  around: Surroundings = near,
): readonly string[] {
  const { includeResources, excludeResources } = filterParams;
  return [
    ...[...(filter.includeResources ?? [])].flatMap((name) => [
      ...unknownType(includeResources.name, name, near),
      ...untakenType(name, filter, near),
    ]),
    ...[...filter.excludeResources].flatMap((name) => unknownType(excludeResources.name, name, around)),
    ...[...(filter.includeNamespaces ?? [])].flatMap((name) => unknownNamespace(name, near)),
    ...[...filter.excludeNamespaces].flatMap((name) => unknownNamespace(name, around)),
  ];
}

function unknownType(
  param: string,
  name: string,
  { types, mayHide, where }: Surroundings,
): readonly string[] {
  if (typesOf(name, types).length > 0 || mayHide(name)) return [];
  return [`${param} names ${name}, and there is no such resource ${where}${meant(nearestType(name, types))}`];
}

/** Included, and still not taken. */
function untakenType(name: string, filter: ManifestFilter, { types }: Surroundings): readonly string[] {
  const found = typesOf(name, types);
  const [never] = found.flatMap((type) => type.never ?? []);
  const param = filterParams.includeResources.name;
  if (never !== undefined && found.every((type) => type.never !== undefined))
    return [`${param} names ${name}, and ${never}`];
  if (found.length === 0 || filter.clusterResources || found.some(({ namespaced }) => namespaced)) return [];
  return [
    `${param} names ${name}, which has no namespace, and ${filterParams.clusterResources.name} is not true`,
  ];
}

/** A namespace may come from the target, so that no parameter is blamed. */
function unknownNamespace(name: string, { namespaces, where }: Surroundings): readonly string[] {
  if (namespaces === undefined || namespaces.has(name)) return [];
  return [`there is no namespace ${name} ${where}${meant(nearestName(name, namespaces))}`];
}

export function typesOf<Type extends GroupResource>(name: string, types: readonly Type[]): readonly Type[] {
  return types.filter((type) => type.plural === name || groupResourceName(type) === name);
}

/** Of kubectl's names for a type, its short names and its kind are not read; the nearest of the others is meant. */
function nearestType(name: string, types: readonly NearType[]): string | undefined {
  const same = types.find(
    ({ kind, shortNames = [] }) => kind?.toLowerCase() === name || shortNames.includes(name),
  );
  if (same !== undefined) return groupResourceName(same);
  return nearestName(name, new Set(types.flatMap((type) => [type.plural, groupResourceName(type)])));
}

function meant(name: string | undefined): string {
  return name === undefined ? "" : `; write ${name} if that is meant`;
}
