import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import { resourceOf } from "../../../src/api/kinds.ts";
import type { Resource } from "../../../src/api/meta.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { type MoverWorld, startMoverWorld } from "./mover-world.ts";

const runs = requireOrSkip("kube-apiserver", "etcd", "kube-controller-manager", "restic");
const services: Resource = {
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  namespaced: true,
};
let world: MoverWorld;
let shop: string;
let widgets: Resource;
let labels: Readonly<Record<string, string>>;

beforeAll(async () => {
  if (!runs) return;
  world = await startMoverWorld();
  shop = `shop-${world.tag}`;
  labels = { suite: world.tag };
  const group = `g${world.tag}.example.com`;
  widgets = { group, version: "v1", kind: "Widget", plural: "widgets", namespaced: true };
}, 60_000);
afterAll(async () => {
  if (world === undefined) return;
  for (const [resource, name] of [
    [builtIn.CustomResourceDefinition, `widgets.${widgets.group}`],
    [builtIn.PersistentVolume, `pv-${world.tag}`],
    [builtIn.ClusterRole, `reader-${world.tag}`],
  ] as const) {
    await world.kube.delete(resource, { name });
  }
  await world.close();
});

async function fill(): Promise<void> {
  await world.create(builtIn.Namespace, { metadata: { name: shop, labels } });
  await world.create(builtIn.CustomResourceDefinition, {
    metadata: { name: `widgets.${widgets.group}`, labels },
    spec: {
      group: widgets.group,
      scope: "Namespaced",
      names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  });
  await createWhenServed();
  await world.create(builtIn.ClusterRole, {
    metadata: { name: `reader-${world.tag}`, labels },
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
  });
  await world.create(builtIn.PersistentVolume, {
    metadata: { name: `pv-${world.tag}`, labels },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "old",
      persistentVolumeReclaimPolicy: "Retain",
      hostPath: { path: "/srv" },
      claimRef: { namespace: shop, name: "data", uid: "11111111-0000-4000-8000-000000000000" },
    },
  });
  await world.create(services, {
    metadata: { name: "web", namespace: shop, labels },
    spec: { ports: [{ port: 80 }] },
  });
  await world.create(builtIn.Secret, {
    metadata: {
      name: "token",
      namespace: shop,
      labels,
      annotations: { "kubernetes.io/service-account.name": "default" },
    },
    type: "kubernetes.io/service-account-token",
  });
}

async function createWhenServed(): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await world.create(widgets, { metadata: { name: "first", namespace: shop, labels }, size: 3, numbers });
      return;
    } catch (thrown) {
      if (attempt === 100) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Whole numbers that a double would round, and floats that look whole. */
const numbers = [9_007_199_254_740_993n, 2n ** 63n - 1n, -(2n ** 63n), 2 ** 53, 1e20, 1e300];

const filter = () => ({ "and-label-selectors": `suite:${world.tag}`, "include-cluster-resources": "true" });

describe.runIf(runs)("a dump with cluster resources", () => {
  it("is lost with its kinds and restored with them, in one go", async () => {
    await fill();
    const { session, snapshot } = await world.session({ repository: "cluster-repo", at: 4000 });
    const backup = { namespace: world.vault, backupsession: session, ...filter() };
    expect(await world.job("kubedump-backup", "manifest", backup)).toBe(0);
    const web = await world.get(services, shop, "web");
    await world.kube.delete(builtIn.CustomResourceDefinition, { name: `widgets.${widgets.group}` });
    await world.kube.delete(builtIn.ClusterRole, { name: `reader-${world.tag}` });
    await world.kube.delete(builtIn.PersistentVolume, { name: `pv-${world.tag}` });
    await world.removeNamespace(shop);
    await takeAddress(String((web["spec"] as { clusterIP: string }).clusterIP));

    await world.restore("cluster-back");
    const restore = { namespace: world.vault, restoresession: "cluster-back", snapshot, ...filter() };
    const options = { "restore-pvs": "true", "storage-class-mappings": "old=new" };
    expect(await world.job("kubedump-restore", "manifest", { ...restore, ...options })).toBe(0);
    expect((await world.get(builtIn.Namespace, "", shop)).metadata.labels).toMatchObject(labels);
    expect(await world.get(widgets, shop, "first")).toMatchObject({ size: 3, numbers });
    expect(await world.kube.get(builtIn.ClusterRole, { name: `reader-${world.tag}` })).toBeDefined();
  });

  it("gives a volume its mapped class and reserves it for the claim by name", async () => {
    const volume = await world.get(builtIn.PersistentVolume, "", `pv-${world.tag}`);
    expect(volume["spec"]).toMatchObject({
      storageClassName: "new",
      claimRef: { namespace: shop, name: "data" },
    });
    expect(JSON.stringify(volume)).not.toContain("11111111-0000-4000-8000-000000000000");
  });

  it("gives a Service another address when its own was taken", async () => {
    const web = await world.get(services, shop, "web");
    const taken = await world.get(services, world.vault, "squatter");
    const address = (service: typeof web) => (service["spec"] as { clusterIP: string }).clusterIP;
    expect(address(web)).toMatch(/^\d+\./);
    expect(address(web)).not.toBe(address(taken));
  });

  it("leaves out tokens of accounts, and counts them as skipped", async () => {
    expect(await world.kube.get(builtIn.Secret, { namespace: shop, name: "token" })).toBeUndefined();
    const restored = await world.get(resourceOf("RestoreSession"), world.vault, "cluster-back");
    expect(restored["status"]).toMatchObject({
      components: { manifest: { results: { created: 6, unchanged: 0, skipped: 1, failed: 0 } } },
    });
  });
});

describe.runIf(runs)("a part of that dump", () => {
  it("without cluster resources and volumes restores the namespaced objects into a bare namespace", async () => {
    await world.removeNamespace(shop);
    await world.restore("bare");
    const snapshot = "cluster-repo-bc-nightly-4000";
    const flags = {
      namespace: world.vault,
      restoresession: "bare",
      snapshot,
      "include-resources": "services",
    };
    expect(await world.job("kubedump-restore", "manifest", flags)).toBe(0);
    expect((await world.get(builtIn.Namespace, "", shop)).metadata.labels).not.toMatchObject(labels);
    expect(await world.get(services, shop, "web")).toBeDefined();
    expect(await world.kube.get(widgets, { namespace: shop, name: "first" })).toBeUndefined();
  });

  it("names every object that cannot come back, restores the others, and fails", async () => {
    await world.kube.delete(builtIn.CustomResourceDefinition, { name: `widgets.${widgets.group}` });
    await world.kube.delete(services, { namespace: shop, name: "web" });
    await world.restore("incomplete");
    const snapshot = "cluster-repo-bc-nightly-4000";
    const flags = { namespace: world.vault, restoresession: "incomplete", snapshot };
    expect(await world.job("kubedump-restore", "manifest", flags, { clock: hurriedClock() })).toBe(1);
    expect(await world.get(services, shop, "web")).toBeDefined();
    const restored = await world.get(resourceOf("RestoreSession"), world.vault, "incomplete");
    expect(restored["status"]).toMatchObject({
      components: {
        manifest: {
          phase: "Failed",
          error: expect.stringContaining(`this cluster serves no widgets.${widgets.group}`),
          results: {
            failed: 1,
            objects: expect.arrayContaining([
              {
                type: `widgets.${widgets.group}`,
                did: "failed",
                reason: expect.stringContaining("this cluster serves no"),
                count: 1,
                names: [`${shop}/first`],
              },
            ]),
          },
        },
      },
    });
  });
});

/** Another Service takes the address that the lost one had. */
async function takeAddress(clusterIP: string): Promise<void> {
  await world.create(services, {
    metadata: { name: "squatter", namespace: world.vault },
    spec: { clusterIP, ports: [{ port: 80 }] },
  });
}
