import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import { resourceOf } from "../../../src/api/kinds.ts";
import { fieldAt } from "../../../src/mover/storage/fields.ts";
import { createMixed } from "../../support/create-mixed.ts";
import { type KubeApiserver, startKubeApiserver } from "../../support/kube-apiserver.ts";
import { mixedWorld } from "../../support/mixed-world.ts";
import { pathOf, requireOrSkip } from "../../support/real-parts.ts";
import { type MoverWorld, startMoverWorld } from "./mover-world.ts";
import { readTree, type SavedTree } from "./saved-tree.ts";
import { atRest, loseHalf, removeAll } from "./used-cluster.ts";

const runs = requireOrSkip("kube-apiserver", "etcd", "kube-controller-manager", "restic", "kubectl");
const objects = Number(process.env["HOLDFAST_MIXED_OBJECTS"] ?? 2_000);
const mixed = { objects, seed: 5, tag: "mix", namespaces: Math.ceil(objects / 100) };
const namespaces = Array.from({ length: mixed.namespaces }, (_, n) => `${mixed.tag}-team-${n}`);

let server: KubeApiserver;
let world: MoverWorld;
let changed: readonly string[] = [];
let first: { readonly snapshot: string; readonly tree: SavedTree; readonly folder: string };
beforeAll(async () => {
  if (!runs) return;
  server = await startKubeApiserver({ controllers: true });
  world = await startMoverWorld(server);
  expect(await createMixed(world.kube, mixedWorld(mixed))).toBe(mixed.objects);
  await atRest(world.kube);
  first = await dump(1000);
}, 600_000);
afterAll(async () => {
  await world?.close();
  await server?.close();
});

/** The whole cluster but for what the backup itself makes. */
async function dump(at: number): Promise<typeof first> {
  const { session, snapshot } = await world.session({ repository: "everything", at });
  const flags = {
    namespace: world.vault,
    backupsession: session,
    "include-cluster-resources": "true",
    "exclude-namespaces": world.vault,
  };
  const code = await world.job("kubedump-backup", "manifest", flags);
  expect([code, world.log.at(-1)]).toEqual([0, expect.anything()]);
  const { resticStats } = await world.component(snapshot, "manifest");
  const folder = join(world.root, `look-${at}`);
  await mkdir(folder);
  await world.restic.restore(world.resticRepository("everything/repository/v1/nightly/manifest"), {
    snapshotId: resticStats?.[0]?.summary?.id ?? "",
    root: folder,
    path: "/kubestash-tmp/manifest",
    include: [],
    exclude: [],
  });
  const tree = await readTree(join(folder, "kubestash-tmp/manifest"));
  return { snapshot, tree, folder: join(folder, "kubestash-tmp/manifest") };
}

async function restore(name: string, flags: Readonly<Record<string, string>> = {}): Promise<unknown> {
  await world.restore(name);
  const code = await world.job("kubedump-restore", "manifest", {
    namespace: world.vault,
    restoresession: name,
    snapshot: first.snapshot,
    "include-cluster-resources": "true",
    "restore-pvs": "true",
    ...flags,
  });
  const restored = await world.get(resourceOf("RestoreSession"), world.vault, name);
  const results = fieldAt(restored, "status", "components", "manifest", "results");
  expect({ code, results }).toMatchObject({ code: 0, results: { failed: 0 } });
  return results;
}

describe.runIf(runs)(`a cluster of ${objects} mixed objects`, { timeout: 600_000 }, () => {
  it("is dumped into files that kubectl applies to it, one and all", async () => {
    expect(first.tree.files).toBeGreaterThan(mixed.objects);
    // One kubectl asks 50 times a second. How it finds what to patch is no matter here, and takes most of its time.
    const { said, failed } = await appliedByKubectl(first.folder, 6);
    expect(failed).toEqual([]);
    expect(said).toBe(first.tree.files);
  });

  it("comes back after its namespaces and volumes were lost, and a second dump holds the same", async () => {
    await removeAll(world.kube, namespaces);
    const results = await restore("lost");
    expect(results).toMatchObject({ failed: 0, updated: 0 });
    await atRest(world.kube);
    same(await dump(1001));
  });

  it("gets what is missing and keeps what was changed, when half of it was lost", async () => {
    changed = await loseHalf(world.kube, namespaces, mixed.tag);
    expect(await restore("half")).toMatchObject({ failed: 0, updated: 0 });
    await atRest(world.kube);
    same(await dump(1002), changed);
  });

  it("with OverrideResources gets back what was changed too", async () => {
    // Leases are renewed all the time.
    const overwrite = { "override-resources": "true", "exclude-resources": "leases" };
    expect(await restore("override", overwrite)).toMatchObject({
      failed: 0,
      updated: changed.length,
    });
    await atRest(world.kube);
    same(await dump(1003));
    const claim = await world.get(builtIn.PersistentVolumeClaim, namespaces[0] ?? "", "data");
    expect(fieldAt(claim, "status", "phase")).toBe("Bound");
  });
});

/** The same files with the same objects as at first, but for those of other content. */
function same({ tree }: typeof first, others: readonly string[] = []): void {
  const paths = [...new Set([...tree.back.keys(), ...first.tree.back.keys()])].toSorted();
  const different = paths.filter((path) => tree.back.get(path) !== first.tree.back.get(path));
  const shown = different
    .filter((path) => !others.includes(path))
    .map((path) => `${path}: was ${first.tree.back.get(path)}, is ${tree.back.get(path)}`);
  expect(shown).toEqual([]);
  expect(different).toEqual(others);
}

/** The files are shared out among as many processes. */
async function appliedByKubectl(
  folder: string,
  processes: number,
): Promise<{ said: number; failed: string[] }> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".yaml"),
  );
  const shares = Array.from({ length: processes }, (_, n) =>
    files.filter((_path, at) => at % processes === n).flatMap((path) => ["-f", join(folder, path)]),
  );
  const all = await Promise.all(
    shares.map(async (share) => {
      const args = ["apply", "--dry-run=server", "--openapi-patch=false", ...share];
      const env = { PATH: process.env["PATH"], KUBECONFIG: server.kubeconfigPath, HOME: world.root };
      const options = { env, maxBuffer: 64 * 1024 * 1024 };
      return await promisify(execFile)(pathOf("kubectl"), args, options).catch((thrown) => thrown);
    }),
  );
  const lines = (text: string) =>
    text.split("\n").filter((line) => line !== "" && !line.startsWith("Warning: "));
  return {
    said: all.flatMap(({ stdout }) => lines(stdout)).length,
    failed: all.flatMap(({ stderr }) => lines(stderr)),
  };
}
