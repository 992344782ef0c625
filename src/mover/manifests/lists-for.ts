import type { DiscoveredResource } from "../../ports/kube/kube.ts";
import { groupResourceName, type ManifestFilter, takesPlace, takesType } from "./manifest-filter.ts";

/** One list that a dump asks for. */
export type ManifestList = {
  readonly type: DiscoveredResource;
  /** Undefined: everywhere. */
  readonly namespace: string | undefined;
  /** What is asked for where the account may not list everywhere. */
  readonly instead: readonly ManifestList[];
};

/** Never dumped, whatever is included. */
const neverDumped: ReadonlySet<string> = new Set(["nodes", "endpointslices.discovery.k8s.io"]);

/** More than these take longer, at the usual rate of requests, than reading namespaces that nobody wants. */
const mostLists = 500;

/** Whether objects of this type can be listed, and created again. */
export function isDumpable(type: DiscoveredResource): boolean {
  return (
    type.preferred &&
    type.verbs.includes("list") &&
    type.verbs.includes("create") &&
    !neverDumped.has(groupResourceName(type))
  );
}

/**
 * The lists that hold what the filter takes, in the order of the types' names. Namespaces that are named are listed
 * one by one, or all at once where that would be very many lists; what is not wanted is then left out.
 */
export function listsFor(
  types: readonly DiscoveredResource[],
  filter: ManifestFilter,
): readonly ManifestList[] {
  const taken = types
    // What a server listed before it fell silent cannot be read now.
    .filter((type) => isDumpable(type) && type.stale !== true && takesType(filter, type))
    .toSorted((a, b) => (groupResourceName(a) < groupResourceName(b) ? -1 : 1));
  const { includeNamespaces, clusterResources } = filter;
  const namespaces = [...(includeNamespaces ?? [])].filter((namespace) => takesPlace(filter, namespace));
  const lists = namespaces.length * taken.filter(({ namespaced }) => namespaced).length;
  const atOnce = namespaces.length > 1 && lists > mostLists;
  return taken.flatMap((type): readonly ManifestList[] => {
    const everywhere = { type, namespace: undefined, instead: [] };
    if (!type.namespaced) return clusterResources ? [everywhere] : [];
    if (includeNamespaces === undefined) return [everywhere];
    const each = namespaces.map((namespace) => ({ type, namespace, instead: [] }));
    return atOnce ? [{ ...everywhere, instead: each }] : each;
  });
}
