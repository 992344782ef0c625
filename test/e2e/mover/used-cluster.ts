import { builtIn } from "../../../src/api/built-in.ts";
import type { Resource } from "../../../src/api/meta.ts";
import { inParallel } from "../../../src/mover/storage/in-parallel.ts";
import type { Kube } from "../../../src/ports/kube/kube.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until controllers have done what new objects made them do. */
export async function atRest(kube: Kube): Promise<void> {
  let before = await versions(kube);
  for (let look = 0; look < 60; look += 1) {
    await pause(1_500);
    const now = await versions(kube);
    if (now === before) return;
    before = now;
  }
  throw new Error("the cluster does not come to rest");
}

/** Of all objects that are not renewed for ever. */
async function versions(kube: Kube): Promise<string> {
  const { resources } = await kube.discover();
  const lasting = resources.filter(
    ({ preferred, verbs, plural }) =>
      preferred && verbs.includes("list") && verbs.includes("create") && !/^(events|leases)$/.test(plural),
  );
  const seen: string[] = [];
  await inParallel(lasting, 8, async (type) => {
    for await (const { items } of kube.list(type))
      for (const { metadata } of items) seen.push(`${metadata.uid} ${metadata.resourceVersion}`);
  });
  return seen.toSorted().join("\n");
}

/** Deletes namespaces with their volumes, and waits until they are gone. */
export async function removeAll(kube: Kube, namespaces: readonly string[]): Promise<void> {
  const lost = namespaces.flatMap((name) => [
    { type: builtIn.Namespace, name },
    { type: builtIn.PersistentVolume, name: `${name}-data` },
  ]);
  await inParallel(lost, 8, async ({ type, name }) => {
    await kube.delete(type, { name });
  });
  for (let look = 0; look < 600; look += 1) {
    const left = await Promise.all(lost.map(async ({ type, name }) => await kube.get(type, { name })));
    if (left.every((object) => object === undefined)) return;
    await pause(500);
  }
  throw new Error("the namespaces do not go away");
}

/**
 * Every second namespace goes away, and in the others somebody changes something of several kinds. Answers which
 * files of a dump would be others.
 */
export async function loseHalf(kube: Kube, namespaces: readonly string[], tag: string): Promise<string[]> {
  await removeAll(
    kube,
    namespaces.filter((_name, n) => n % 2 === 1),
  );
  const widgets = {
    group: `${tag}.example.com`,
    version: "v1",
    kind: "Widget",
    plural: "widgets",
    namespaced: true,
  };
  const changes = namespaces
    .filter((_name, n) => n % 2 === 0)
    .flatMap((namespace) => [
      {
        type: builtIn.ConfigMap,
        name: { namespace, name: "held" },
        patch: { data: { a: "changed", more: "1" } },
      },
      { type: widgets, name: { namespace, name: "first" }, patch: { list: ["changed"] } },
      {
        type: builtIn.Deployment,
        name: { namespace, name: "web" },
        patch: { spec: { revisionHistoryLimit: 3 } },
      },
      { type: builtIn.Role, name: { namespace, name: "system:web:reader" }, patch: { rules: [] } },
      {
        type: builtIn.ServiceAccount,
        name: { namespace, name: "web" },
        patch: { metadata: { labels: { a: "b" } } },
      },
      {
        type: builtIn.PersistentVolumeClaim,
        name: { namespace, name: "data" },
        patch: { metadata: { labels: { a: "b" } } },
      },
      {
        type: builtIn.PersistentVolume,
        name: { name: `${namespace}-data` },
        patch: { metadata: { labels: { a: "b" } } },
      },
    ]);
  await inParallel(changes, 8, async ({ type, name, patch }) => {
    await kube.mergePatch(type, name, patch, { manager: "somebody" });
  });
  return changes.map(({ type, name }) => pathOf(type, name)).toSorted();
}

function pathOf(
  type: Resource,
  { namespace, name }: { readonly namespace?: string; readonly name: string },
): string {
  const folder = type.group === "" ? type.plural : `${type.plural}.${type.group}`;
  return `${folder}/${namespace === undefined ? "cluster" : `namespaces/${namespace}`}/${name}.yaml`;
}
