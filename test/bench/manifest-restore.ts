import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { apiVersionOf, type KubeObject, type Resource } from "../../src/api/meta.ts";
import { fileNameOf, folderOfType } from "../../src/mover/manifests/manifest-tree.ts";
import { yamlOf } from "../../src/mover/storage/yaml-of.ts";
import { createMixed } from "../support/create-mixed.ts";
import { mixedWorld } from "../support/mixed-world.ts";
import { type Bench, type Figure, figure, inPairs, type Place } from "./bench.ts";
import {
  cpus,
  type ManifestCluster,
  pairsOf,
  peaks,
  startManifestCluster,
  type WorkerAnswer,
  walls,
} from "./manifest-cluster.ts";
import { runWorker } from "./timed-process.ts";

const atOnce = 48;
const bound = 1.5;

export const manifestRestore: Bench = {
  name: "manifest-restore",
  about: `a tree of mixed objects restored into a real API server, against bare creates of the same, ${atOnce} at once`,
  async run(place) {
    const figures: Figure[] = [];
    for (const objects of place.objects) {
      const cluster = await startManifestCluster();
      try {
        figures.push(...(await measure(place, cluster, objects)));
      } finally {
        await cluster.close();
      }
    }
    return figures;
  },
};

async function measure(
  { home, built }: Place,
  cluster: ManifestCluster,
  objects: number,
): Promise<readonly Figure[]> {
  const { kubeconfigPath } = cluster;
  let worlds = 0;
  const next = async () => {
    worlds += 1;
    return await prepare(cluster, `w${worlds}x`, objects);
  };
  const { ours, floor } = await inPairs(
    pairsOf(objects),
    async () => {
      const tree = writeTree(mkdtempSync(join(home, "tree-")), await next());
      return await runWorker<WorkerAnswer>(built.worker("manifest-restore"), { kubeconfigPath, tree });
    },
    async () => {
      const file = writeCreates(mkdtempSync(join(home, "creates-")), await next());
      return await runWorker<WorkerAnswer>(built.worker("bare-creates"), { kubeconfigPath, file, atOnce });
    },
    objects <= 10_000,
  );
  const [restored, created] = [ours[0]?.answer, floor[0]?.answer];
  if (restored?.objects !== created?.objects)
    throw new Error(`${restored?.objects} objects were restored and ${created?.objects} created`);
  const against = `bare creates, ${atOnce} at once`;
  const also = {
    objects: restored?.objects ?? 0,
    requests: restored?.requests ?? 0,
    "floor's requests": created?.requests ?? 0,
  };
  const name = `manifest-restore ${objects}`;
  const wall = figure(name, "ms", { ours: walls(ours), floor: walls(floor) }, { against, also });
  return [
    wall.ratio > bound ? { ...wall, exceeds: `at most ${bound} times the floor` } : wall,
    figure(`${name} cpu`, "ms", { ours: cpus(ours), floor: cpus(floor) }, { against }),
    figure(`${name} peak`, "MiB", { ours: peaks(ours), floor: peaks(floor) }, { against }),
  ];
}

type Placed = { readonly type: Resource; readonly object: KubeObject };

/**
 * A world of its own for each run, so that nothing has to be deleted: its cluster-scoped objects are made, and the
 * rest is what comes back into namespaces that were lost. Without what a restore leaves out by rule.
 */
async function prepare({ kube }: ManifestCluster, tag: string, count: number): Promise<readonly Placed[]> {
  const all = [...mixedWorld({ objects: count, seed: 1, tag, namespaces: 10 })];
  const stays = ({ kind, metadata }: KubeObject) =>
    metadata.namespace === undefined && !["Namespace", "PersistentVolume"].includes(kind);
  await createMixed(kube, all.filter(stays));
  const { resources } = await kube.discover();
  const types = new Map(resources.map((type) => [`${apiVersionOf(type)}/${type.kind}`, type]));
  const leftOut = ({ kind, status }: KubeObject) =>
    ["Event", "EndpointSlice"].includes(kind) || (kind === "Pod" && status !== undefined);
  return all
    .filter((object) => !stays(object) && !leftOut(object))
    .map((object) => {
      const type = types.get(`${object.apiVersion}/${object.kind}`);
      if (type === undefined) throw new Error(`the server serves no ${object.apiVersion} ${object.kind}`);
      return { type, object };
    });
}

function writeTree(tree: string, placed: readonly Placed[]): string {
  for (const { type, object } of placed) {
    const folder = join(tree, folderOfType(type, object.metadata.namespace));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, fileNameOf(object.metadata.name)), yamlOf(object));
  }
  return tree;
}

/** What pods are checked against comes first; owners are for the restore alone. */
function writeCreates(folder: string, placed: readonly Placed[]): string {
  const first = ["Namespace", "LimitRange", "ServiceAccount"];
  const rank = ({ object }: Placed) =>
    first.includes(object.kind) ? first.indexOf(object.kind) : first.length;
  const lines = placed
    .toSorted((a, b) => rank(a) - rank(b))
    .map(({ type, object }) => {
      const { namespace, ownerReferences: _owners, ...metadata } = object.metadata;
      const home = `/${type.group === "" ? "api" : "apis"}/${apiVersionOf(type)}`;
      const path = `${home}/${namespace === undefined ? "" : `namespaces/${namespace}/`}${type.plural}`;
      return JSON.stringify({ path, body: { ...object, metadata } });
    });
  const file = join(folder, "creates.jsonl");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}
