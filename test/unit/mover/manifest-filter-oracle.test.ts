import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { parseFlags } from "../../../src/mover/job-flags.ts";
import { dumpManifests } from "../../../src/mover/manifests/dump-manifests.ts";
import {
  filterFlags,
  filterOf,
  type ManifestFilter,
  takesLabels,
  takesPlace,
  takesType,
} from "../../../src/mover/manifests/manifest-filter.ts";
import { walkTree } from "../../../src/mover/manifests/manifest-tree.ts";
import { serveWorld, typeOf, type WorldType, worldObjects } from "../../support/manifest-world.ts";

/** A value of a parameter, and what it means, written down by hand. */
type Value<Of> = readonly [text: string, means: (of: Of) => boolean];
type Labels = Readonly<Record<string, string>>;

const all = () => true;

const andLabels: readonly Value<Labels>[] = [
  ["", all],
  ["app", (labels) => "app" in labels],
  ["app:web,tier", ({ app, tier }) => app === "web" && tier !== undefined],
  ["app=", ({ app }) => app === ""],
  ["app!=web", ({ app }) => app !== "web"],
  [
    "app in (web,db),kubernetes.io/part-of",
    (labels) => /^(web|db)$/.test(labels["app"] ?? "") && "kubernetes.io/part-of" in labels,
  ],
  ["!app,tier notin (back)", (labels) => !("app" in labels) && labels["tier"] !== "back"],
];
const orLabels: readonly Value<Labels>[] = [
  ["", all],
  ["app==db,tier:front", ({ app, tier }) => app === "db" || tier === "front"],
  ["!app,app in (import)", ({ app }) => app === undefined || app === "import"],
  ["tier notin (front,back)", ({ tier }) => tier !== "front" && tier !== "back"],
];
const clusterResources: readonly Value<boolean>[] = [
  ["", (namespaced) => namespaced],
  ["true", all],
];
const includeNamespaces: readonly Value<string>[] = [
  ["", all],
  ["*", all],
  ["shop", (namespace) => namespace === "shop"],
  ["vault, shop-staging,nowhere", (namespace) => namespace === "vault" || namespace === "shop-staging"],
];
const excludeNamespaces: readonly Value<string>[] = [
  ["", all],
  ["shop,kube-system", (namespace) => namespace !== "shop" && namespace !== "kube-system"],
  ["*", all],
];
const includeResources: readonly Value<WorldType>[] = [
  ["", all],
  ["secrets,*", all],
  ["Deployments,pods", ({ plural }) => plural === "deployments" || plural === "pods"],
  [
    "deployments.apps,pods.metrics.k8s.io,realms",
    ({ kind }) => ["Deployment", "PodMetrics", "Realm"].includes(kind),
  ],
  ["deployments.batch", () => false],
];
const excludeResources: readonly Value<WorldType>[] = [
  ["", all],
  ["pods,replicasets.apps", ({ kind }) => !["Pod", "PodMetrics", "ReplicaSet"].includes(kind)],
  ["*,pods.metrics.k8s.io", ({ kind }) => kind !== "PodMetrics"],
];

const lists: Lists<Chosen> = [
  andLabels,
  orLabels,
  clusterResources,
  includeNamespaces,
  excludeNamespaces,
  includeResources,
  excludeResources,
];
const objects = worldObjects.map((object) => ({ object, type: typeOf(object) }));

test("every combination of the parameters takes what the meanings of their values take", () => {
  const wrong: string[] = [];
  let combinations = 0;
  for (const values of product(lists)) {
    combinations += 1;
    const filter = filterFor(values);
    for (const { object, type } of objects) {
      const taken =
        takesType(filter, type) &&
        takesPlace(filter, object.metadata.namespace) &&
        takesLabels(filter, object);
      if (taken !== isMeant(values, object, type)) wrong.push(`${textOf(values)}: ${object.metadata.uid}`);
    }
  }
  expect(combinations).toBe(10_080);
  expect(wrong.slice(0, 10)).toEqual([]);
});

test("a dump with any combination holds what is meant of the types that are dumped", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-oracle-"));
  const world = await serveWorld();
  const dumped = objects.filter(({ type }) => !neverDumped.includes(type.kind));
  try {
    for (const [index, values] of [...product(lists)].entries()) {
      if (index % 331 !== 0) continue;
      const tree = join(folder, String(index));
      const signal = AbortSignal.timeout(20_000);
      const request = { kube: world.kube, filter: filterFor(values), tree, log: () => {}, signal };
      await dumpManifests(request);
      const files: string[] = [];
      for await (const { file } of walkTree(tree)) files.push(file.slice(tree.length + 1));
      const meant = dumped.filter(({ object, type }) => isMeant(values, object, type)).map(fileOf);
      expect([textOf(values), files.toSorted()]).toEqual([textOf(values), meant.toSorted()]);
    }
  } finally {
    await world.close();
    await rm(folder, { recursive: true });
  }
}, 60_000);

const neverDumped = ["Node", "EndpointSlice", "PodMetrics"];

function fileOf({ object, type }: { readonly object: KubeObject; readonly type: WorldType }): string {
  const { namespace, name } = object.metadata;
  const folder = type.group === "" ? type.plural : `${type.plural}.${type.group}`;
  return `${folder}/${namespace === undefined ? "cluster" : `namespaces/${namespace}`}/${name}.yaml`;
}

function filterFor(values: Chosen): ManifestFilter {
  return filterOf(parseFlags("kubedump-backup", argsOf(values), filterFlags));
}

function argsOf(values: Chosen): readonly string[] {
  return values.map(([text], index) => `--${filterFlags[index]}=${text}`);
}

function textOf(values: Chosen): string {
  return argsOf(values).join(" ");
}

/** All tests must pass; a list of namespaces says nothing about objects without one. */
function isMeant(
  [and, or, cluster, namespace, notNamespace, resource, notResource]: Chosen,
  { metadata }: KubeObject,
  type: WorldType,
): boolean {
  const { labels = {}, namespace: own } = metadata;
  const inPlace = own === undefined || (namespace[1](own) && notNamespace[1](own));
  return (
    and[1](labels) &&
    or[1](labels) &&
    cluster[1](type.namespaced) &&
    inPlace &&
    resource[1](type) &&
    notResource[1](type)
  );
}

type Chosen = readonly [
  Value<Labels>,
  Value<Labels>,
  Value<boolean>,
  Value<string>,
  Value<string>,
  Value<WorldType>,
  Value<WorldType>,
];
type Lists<Values extends readonly unknown[]> = { readonly [At in keyof Values]: readonly Values[At][] };

function* product(lists: Lists<Chosen>): Generator<Chosen> {
  let chosen: readonly (readonly unknown[])[] = [[]];
  for (const list of lists) chosen = chosen.flatMap((before) => list.map((value) => [...before, value]));
  yield* chosen as readonly unknown[] as readonly Chosen[];
}
