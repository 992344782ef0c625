import { builtIn } from "../../api/built-in.ts";
import type { Discovery, Kube } from "../../ports/kube/kube.ts";
import { KubeError } from "../../ports/kube/kube-error.ts";
import { type NearType, type Surroundings, typesOf } from "./filter-warnings.ts";
import { isDumpable } from "./lists-for.ts";
import { groupResourceName, groupResourceOf, type ManifestFilter } from "./manifest-filter.ts";
import { typesOfTree } from "./manifest-tree.ts";
import { isNeverRestored } from "./restore-rules.ts";

/** What the names of a dump's filter are looked for in: the cluster. */
export async function surroundingsOfDump(
  kube: Kube,
  filter: ManifestFilter,
  given: { readonly discovery: Discovery; readonly signal: AbortSignal },
): Promise<Surroundings> {
  const { discovery, signal } = given;
  const broken = discovery.failures.map(({ groupVersion }) => groupVersion.split("/")[0] ?? "");
  const named = (filter.includeNamespaces?.size ?? 0) + filter.excludeNamespaces.size > 0;
  return {
    where: "in this cluster",
    types: discovery.resources.map((type) =>
      isDumpable(type) ? type : { ...type, never: "objects of this type are never saved" },
    ),
    mayHide: (name) =>
      broken.length > 0 && (!name.includes(".") || broken.some((group) => name.endsWith(`.${group}`))),
    namespaces: named ? await namespacesOf(kube, signal) : undefined,
  };
}

/** Undefined when they cannot be listed: nothing is warned of then, and nothing fails for it. */
async function namespacesOf(kube: Kube, signal: AbortSignal): Promise<ReadonlySet<string> | undefined> {
  const names = new Set<string>();
  try {
    for await (const { items } of kube.list(builtIn.Namespace, { signal })) {
      for (const { metadata } of items) names.add(metadata.name);
    }
    return names;
  } catch (thrown) {
    if (thrown instanceof KubeError) return undefined;
    throw thrown;
  }
}

/** What the names of a restore's filter are looked for in: what is taken in the tree, what is left out in the cluster too. */
export async function surroundingsOfRestore(
  kube: Kube,
  filter: ManifestFilter,
  given: { readonly tree: string; readonly signal: AbortSignal },
): Promise<{ readonly near: Surroundings; readonly around: Surroundings }> {
  const { tree, signal } = given;
  const own: NearType[] = [];
  const namespaces = new Set<string>();
  for await (const { type, namespaces: some } of typesOfTree(tree)) {
    const never = isNeverRestored(type) ? { never: "objects of this type are never restored" } : {};
    own.push({ ...groupResourceOf(type), namespaced: some.length > 0, ...never });
    for (const namespace of some) namespaces.add(namespace);
  }
  const names = [...(filter.includeResources ?? []), ...filter.excludeResources];
  const unknown = names.some((name) => typesOf(name, own).length === 0);
  const served = unknown ? await typesOfCluster(kube, signal) : [];
  const there = new Set(namespaces);
  for (const name of filter.excludeNamespaces) {
    if (!there.has(name) && (await mayBeThere(kube, name, signal))) there.add(name);
  }
  const types = own.map((type) => ({
    ...served?.find((one) => groupResourceName(one) === groupResourceName(type)),
    ...type,
  }));
  return {
    near: { where: "in the snapshot", types, mayHide: () => false, namespaces },
    around: {
      where: "in the snapshot or in this cluster",
      types: [...types, ...(served ?? [])],
      mayHide: () => served === undefined,
      namespaces: there,
    },
  };
}

async function typesOfCluster(kube: Kube, signal: AbortSignal) {
  try {
    return (await kube.discover(signal)).resources;
  } catch (thrown) {
    if (thrown instanceof KubeError) return undefined;
    throw thrown;
  }
}

async function mayBeThere(kube: Kube, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await kube.get(builtIn.Namespace, { name }, signal)) !== undefined;
  } catch (thrown) {
    if (thrown instanceof KubeError) return true;
    throw thrown;
  }
}
