import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { ensureRestic } from "../../scripts/ensure-restic.ts";
import type { KubeObject } from "../../src/api/meta.ts";
import { createMixed } from "../support/create-mixed.ts";
import { mixedWorld } from "../support/mixed-world.ts";
import { pathOf } from "../support/real-parts.ts";
import { type Bench, type Figure, figure, inPairs, median, type Place, rounded } from "./bench.ts";
import {
  cpus,
  digests,
  type ManifestCluster,
  pairsOf,
  peaks,
  type Run,
  startManifestCluster,
  type WorkerAnswer,
  walls,
} from "./manifest-cluster.ts";
import { runWorker, timedProcess } from "./timed-process.ts";

/** What the dump must keep, on any machine. */
const bounds = { wall: 1.6, peakMiB: 160, growth: 1.2 };

export const manifestDump: Bench = {
  name: "manifest-dump",
  about:
    "mixed objects of a real API server written as the documented tree, against listing and discarding the same pages",
  async run(place) {
    await ensureRestic(() => undefined);
    const figures: Figure[] = [];
    const dumpPeaks: number[] = [];
    for (const objects of place.objects) {
      const cluster = await startManifestCluster();
      try {
        await createMixed(cluster.kube, printable(mixedWorld({ objects, seed: 1, tag: "mix" })));
        const { peakMiB, ...measured } = await measure(place, cluster, objects);
        figures.push(...measured.figures);
        dumpPeaks.push(peakMiB);
      } finally {
        await cluster.close();
      }
    }
    return [...figures, ...growth(place.objects, dumpPeaks)];
  },
};

async function measure(
  { home, built }: Place,
  { kube, kubeconfigPath }: ManifestCluster,
  objects: number,
): Promise<{ readonly figures: readonly Figure[]; readonly peakMiB: number }> {
  const list = (parse: boolean) =>
    runWorker<WorkerAnswer>(built.worker("list-discard"), { kubeconfigPath, parse });
  const dumpTo = (tree: string) =>
    runWorker<WorkerAnswer>(built.worker("manifest-dump"), { kubeconfigPath, tree });
  const { ours, floor } = await inPairs(
    pairsOf(objects),
    // A tree of its own: ext4 is slow to make files for a minute after as many were removed.
    () => dumpTo(mkdtempSync(join(home, "tree-"))),
    () => list(false),
    objects <= 10_000,
  );
  const parsed: Run[] = [];
  for (let run = 0; run < pairsOf(objects); run += 1) parsed.push(await list(true));
  const [dumped = 0, listed = 0] = [ours[0]?.answer.objects, floor[0]?.answer.objects];
  if (dumped < objects * 0.9) throw new Error(`${dumped} of ${objects} objects were dumped`);
  const kubectl = await byKubectl(home, kube, kubeconfigPath);
  const restic = await saveTwice(home, dumpTo);
  const against = "Node.js that lists the same pages and discards them";
  const peakMiB = median(peaks(ours));
  const name = `manifest-dump ${objects}`;
  const wall = figure(
    name,
    "ms",
    { ours: walls(ours), floor: walls(floor) },
    {
      against,
      also: {
        dumped,
        listed,
        requests: ours[0]?.answer.requests ?? 0,
        "floor's requests": floor[0]?.answer.requests ?? 0,
        "kubectl get -o yaml": `${rounded(kubectl.wallMs)} ms, ${rounded(kubectl.cpuMs ?? 0)} ms of CPU`,
      },
    },
  );
  const cpu = figure(`${name} cpu`, "ms", { ours: cpus(ours), floor: cpus(floor) }, { against });
  const peak = figure(`${name} peak`, "MiB", { ours: peaks(ours), floor: peaks(floor) }, { against });
  return {
    peakMiB,
    figures: [
      over(wall, wall.ratio > bounds.wall, `at most ${bounds.wall} times the floor`),
      cpu,
      over(peak, peakMiB > bounds.peakMiB, `at most ${bounds.peakMiB} MiB`),
      ...shares(name, { floor, parsed, ours, saved: restic.first }),
      unchanged(name, restic),
    ],
  };
}

function over(one: Figure, exceeded: boolean, exceeds: string): Figure {
  return exceeded ? { ...one, exceeds } : one;
}

/** What each step adds to those before it, as they come in one job: fetch, parse, write, and restic's own backup. */
function shares(
  name: string,
  {
    floor,
    parsed,
    ours,
    saved,
  }: Record<"floor" | "parsed" | "ours", readonly Run[]> & { readonly saved: Saved },
): readonly Figure[] {
  const steps = [
    ["wall", walls, saved.wallMs],
    ["cpu", cpus, saved.cpuMs ?? 0],
  ] as const;
  return steps.map(([what, of, restic]) => {
    const [fetch, dump] = [median(of(floor)), median(of(ours))];
    const parse = median(of(parsed)) - fetch;
    const also = {
      fetch: rounded(fetch),
      "parse adds": rounded(parse),
      "write adds": rounded(dump - fetch - parse),
      restic: rounded(restic),
    };
    const values = { ours: [dump + restic], floor: [fetch] };
    return figure(`${name} with restic, ${what}`, "ms", values, { against: "fetching alone", also });
  });
}

type Saved = {
  readonly wallMs: number;
  readonly cpuMs?: number;
  readonly dataBlobs: number;
};

type SavedTwice = {
  readonly first: Saved;
  readonly second: Saved;
  /** Files of the second dump that the first had not so, by type. */
  readonly changed: ReadonlyMap<string, number>;
};

/** Dumps twice into one folder and saves it each time with bare restic, as the Job does. */
async function saveTwice(home: string, dumpTo: (tree: string) => Promise<unknown>): Promise<SavedTwice> {
  const folder = mkdtempSync(join(home, "saved-"));
  const [tree, repository] = [join(folder, "manifest"), join(folder, "repository")];
  const env = { RESTIC_PASSWORD: "bench" };
  const save = async (): Promise<Saved> => {
    await dumpTo(tree);
    const args = ["backup", "--json", "-q", "-r", repository, "--no-cache", tree];
    const { stdout, ...cost } = await timedProcess("restic", args, { env });
    const summary: unknown = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    return { ...cost, dataBlobs: (summary as { readonly data_blobs: number }).data_blobs };
  };
  await timedProcess("restic", ["init", "-q", "-r", repository], { env });
  const first = await save();
  const before = digests(tree);
  const second = await save();
  const others = [...digests(tree)].filter(([path, digest]) => before.get(path) !== digest);
  const changed = new Map<string, number>();
  for (const [path] of others) {
    const [type = ""] = path.split("/");
    changed.set(type, (changed.get(type) ?? 0) + 1);
  }
  return { first, second, changed };
}

/** Leases and events change in a cluster that nobody touches; each may cost one blob, and nothing else may. */
function unchanged(name: string, { first, second, changed }: SavedTwice): Figure {
  const renewed = /^(leases\.coordination\.k8s\.io|events|events\.events\.k8s\.io)$/;
  const allowed = [...changed].reduce((sum, [type, count]) => sum + (renewed.test(type) ? count : 0), 0);
  const values = { ours: [second.dataBlobs], floor: [first.dataBlobs] };
  const also = Object.fromEntries([...changed].map(([type, count]) => [`changed ${type}`, count]));
  const against = "the first dump's new data blobs";
  const blobs = figure(`${name} again, new data blobs`, "count", values, { against, also });
  return over(blobs, second.dataBlobs > allowed, `at most ${allowed}, for leases and events`);
}

/** kubectl reads a DEL in YAML, and cannot print one. */
function* printable(objects: Iterable<KubeObject>): Generator<KubeObject> {
  for (const object of objects)
    yield JSON.parse(JSON.stringify(object).replaceAll("\u007f", "")) as KubeObject;
}

/** What a person would do: each type by a kubectl of its own, once. */
async function byKubectl(
  home: string,
  kube: ManifestCluster["kube"],
  kubeconfigPath: string,
): Promise<{ readonly wallMs: number; readonly cpuMs?: number }> {
  const { resources } = await kube.discover();
  const types = resources.filter(
    ({ preferred, verbs }) => preferred && verbs.includes("list") && verbs.includes("create"),
  );
  const env = { KUBECONFIG: kubeconfigPath, HOME: home };
  let [wallMs, cpuMs] = [0, 0];
  for (const type of types) {
    const name = type.group === "" ? type.plural : `${type.plural}.${type.version}.${type.group}`;
    const args = ["get", name, "--all-namespaces", "--output=yaml"];
    const one = await timedProcess(pathOf("kubectl"), args, { env });
    wallMs += one.wallMs;
    cpuMs += one.cpuMs ?? 0;
  }
  return { wallMs, cpuMs };
}

/** Memory must not grow with the number of objects. */
function growth(sizes: readonly number[], found: readonly number[]): readonly Figure[] {
  const [least, most] = [sizes[0] ?? 0, sizes.at(-1) ?? 0];
  if (sizes.length < 2) return [];
  const values = { ours: [found.at(-1) ?? 0], floor: [found[0] ?? 0] };
  const one = figure(`manifest-dump peak at ${most}`, "MiB", values, { against: `the same at ${least}` });
  return [over(one, one.ratio > bounds.growth, `at most ${bounds.growth} times that at ${least}`)];
}
