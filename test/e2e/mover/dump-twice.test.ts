import { afterAll, beforeAll, expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import type { Restic } from "../../../src/ports/restic/restic.ts";
import { eventually } from "../../support/eventually.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { type MoverWorld, startMoverWorld } from "./mover-world.ts";

const runs = requireOrSkip("kube-apiserver", "etcd", "kube-controller-manager", "restic");

let world: MoverWorld;
let shop: string;
let at = 8000;
beforeAll(async () => {
  if (!runs) return;
  world = await startMoverWorld();
  shop = `shop-${world.tag}`;
  await world.makeNamespace(shop);
  for (let n = 0; n < 20; n += 1) {
    const metadata = { name: `settings-${n}`, namespace: shop };
    await world.create(builtIn.ConfigMap, { metadata, data: { n: String(n) } });
  }
  const metadata = { name: "leader", namespace: shop };
  await world.create(builtIn.Lease, { metadata, spec: { holderIdentity: "first" } });
  await world.create(builtIn.Deployment, {
    metadata: { name: "web", namespace: shop },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "web", image: "registry.example.com/web:1" }] },
      },
    },
  });
  // Made by controllers, each in its own time.
  await eventually(async () => await world.get(builtIn.ConfigMap, shop, "kube-root-ca.crt"));
  await eventually(async () => {
    expect(await world.get(builtIn.Deployment, shop, "web")).toMatchObject({
      status: { conditions: [{ type: "Available" }, { type: "Progressing" }] },
    });
  });
}, 120_000);
afterAll(async () => {
  await world?.close();
});

/** Number of new data blobs, as restic and as the Job tells it. */
async function dump(): Promise<{ readonly blobs: number; readonly words: string }> {
  at += 1;
  const { session } = await world.session({ repository: "twice", at });
  const flags = { namespace: world.vault, backupsession: session, "include-namespaces": shop };
  let blobs = -1;
  const restic: Restic = {
    ...world.restic,
    async backup(...request) {
      const summary = await world.restic.backup(...request);
      blobs = summary.dataBlobs ?? -1;
      return summary;
    },
  };
  expect(await world.job("kubedump-backup", "manifest", flags, { restic })).toBe(0);
  return { blobs, words: await world.terminationMessage() };
}

it.runIf(runs)("adds no data blob for an unchanged cluster, and names what changes by itself", async () => {
  const first = await dump();
  expect(first.blobs).toBeGreaterThan(20);
  expect(first.words).toContain(`saved and proven, ${first.blobs} new data blobs (`);

  const again = await dump();
  expect(again.blobs).toBe(0);
  expect(again.words).toMatch(
    /, 0 new data blobs \(.*1 leases\.coordination\.k8s\.io change by themselves\)/,
  );

  const patch = { spec: { holderIdentity: "second" } };
  await world.kube.mergePatch(builtIn.Lease, { namespace: shop, name: "leader" }, patch, { manager: "test" });
  expect((await dump()).blobs).toBe(1);
});
