import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import { resourceOf } from "../../../src/api/kinds.ts";
import { fieldAt } from "../../../src/mover/storage/fields.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { type MoverWorld, startMoverWorld } from "./mover-world.ts";

const runs = requireOrSkip("kube-apiserver", "etcd", "kube-controller-manager", "restic");

let world: MoverWorld;
let shop: string;
let snapshot: string;
beforeAll(async () => {
  if (!runs) return;
  world = await startMoverWorld();
  shop = `shop-${world.tag}`;
  await world.makeNamespace(shop);
  for (const name of ["a", "b"])
    await world.create(builtIn.ConfigMap, { metadata: { name, namespace: shop }, data: { mode: "on" } });
  const made = await world.session({ repository: "shop-repo", at: 1000 });
  snapshot = made.snapshot;
  const flags = { namespace: world.vault, backupsession: made.session, "include-namespaces": shop };
  const only = { "include-resources": "configmaps" };
  expect(await world.job("kubedump-backup", "manifest", { ...flags, ...only })).toBe(0);
}, 60_000);
afterAll(async () => {
  await world?.close();
});

async function lose(name: string): Promise<void> {
  await world.kube.delete(builtIn.ConfigMap, { namespace: shop, name });
}

async function restore(name: string, ports: Parameters<MoverWorld["job"]>[3] = {}) {
  await world.restore(name);
  const flags = { namespace: world.vault, restoresession: name, snapshot };
  const code = await world.job("kubedump-restore", "manifest", flags, ports);
  const restored = await world.get(resourceOf("RestoreSession"), world.vault, name);
  return { code, component: fieldAt(restored, "status", "components", "manifest") };
}

describe.runIf(runs)("the results of a restore", () => {
  it("name every object by what became of it", async () => {
    await lose("b");
    const patch = { data: { mode: "off" } };
    await world.kube.mergePatch(builtIn.ConfigMap, { namespace: shop, name: "a" }, patch, { manager: "x" });
    const { code, component } = await restore("all");
    expect(code).toBe(0);
    const results = fieldAt(component, "results");
    expect(results).toMatchObject({ created: 1, conflicts: 1, failed: 0 });
    expect(fieldAt(results, "objects")).toEqual(
      expect.arrayContaining([
        {
          type: "configmaps",
          did: "conflict",
          reason: expect.stringContaining("other content"),
          count: 1,
          names: [`${shop}/a`],
        },
        { type: "configmaps", did: "created", count: 1, names: [`${shop}/b`] },
      ]),
    );
  });

  it("are there when it is told to end before it is done", async () => {
    await lose("a");
    const stop = new AbortController();
    const log = (line: string) => {
      if (line.includes('"did":"created"')) stop.abort();
    };
    const { code, component } = await restore("ended", { log, signal: stop.signal });
    expect(code).toBe(130);
    expect(component).toMatchObject({
      phase: "Failed",
      error: expect.stringContaining("told to end"),
      results: { created: 1, objects: expect.arrayContaining([expect.objectContaining({ did: "created" })]) },
    });
  });
});
