import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import { resourceOf } from "../../../src/api/kinds.ts";
import type { TypedObjectReference } from "../../../src/api/references.ts";
import { fieldAt } from "../../../src/mover/storage/fields.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { type MoverWorld, startMoverWorld } from "./mover-world.ts";

const runs = requireOrSkip("kube-apiserver", "etcd", "kube-controller-manager", "restic");

let world: MoverWorld;
let shop: string;
let web: TypedObjectReference;
beforeAll(async () => {
  if (!runs) return;
  world = await startMoverWorld();
  shop = `shop-${world.tag}`;
  web = { apiGroup: "apps", kind: "Deployment", name: "web", namespace: shop };
  for (const namespace of [shop, `${shop}-beside`]) await fill(namespace);
}, 60_000);
afterAll(async () => {
  await world?.close();
});

describe.runIf(runs)("the target of kubedump-addon", () => {
  it("narrows a dump to a namespace and takes no cluster-scoped object", async () => {
    const files = await dump(4000, { kind: "Namespace", name: shop });
    expect(files.filter((file) => !file.includes(`/namespaces/${shop}/`))).toEqual([]);
    expect(files).toContain(`configmaps/namespaces/${shop}/unrelated.yaml`);
    expect(files).not.toContain(`namespaces/cluster/${shop}.yaml`);
  });

  const application = (namespace: string) => [
    `configmaps/namespaces/${namespace}/settings.yaml`,
    `deployments.apps/namespaces/${namespace}/web.yaml`,
    `secrets/namespaces/${namespace}/key.yaml`,
    `serviceaccounts/namespaces/${namespace}/default.yaml`,
  ];

  it("narrows a dump to a workload and what its pods need", async () => {
    expect(await dump(4001, web)).toEqual(application(shop));
    const some = { "and-label-selectors": "app notin (web)", "exclude-resources": "serviceaccounts" };
    expect(await dump(4002, web, some)).toEqual([
      `configmaps/namespaces/${shop}/settings.yaml`,
      `secrets/namespaces/${shop}/key.yaml`,
    ]);
  });

  it("is refused by name where there is nothing that can be done with it", async () => {
    const target = { kind: "PersistentVolumeClaim", name: "data", namespace: shop };
    const { session } = await world.session({ repository: "target-repo", at: 4003, target });
    const flags = { namespace: world.vault, backupsession: session };
    expect(await world.job("kubedump-backup", "manifest", flags)).toBe(1);
    expect(await world.terminationMessage()).toContain("is no target of kubedump-addon");
    const near = await world.session({ repository: "target-repo", at: 4004, target: web });
    const outside = { ...flags, backupsession: near.session, "include-cluster-resources": "true" };
    expect(await world.job("kubedump-backup", "manifest", outside)).toBe(2);
    expect(await world.terminationMessage()).toContain("IncludeClusterResources asks for objects without");
  });

  it("narrows a restore of a namespace to one workload, which is gone", async () => {
    await world.removeNamespace(shop);
    await world.restore("web-back", { target: web });
    const snapshot = "target-repo-bc-nightly-4000";
    const back = { namespace: world.vault, restoresession: "web-back", snapshot };
    expect(await world.job("kubedump-restore", "manifest", back)).toBe(0);
    const names = async (resource: (typeof builtIn)["ConfigMap"]) => {
      const found: string[] = [];
      for await (const page of world.kube.list(resource, { namespace: shop }))
        found.push(...page.items.map(({ metadata }) => metadata.name));
      return found.filter((name) => name !== "kube-root-ca.crt");
    };
    expect(await names(builtIn.ConfigMap)).toEqual(["settings"]);
    expect(await names(builtIn.Secret)).toEqual(["key"]);
    expect(await names(builtIn.Deployment)).toEqual(["web"]);
  });

  it("narrows a restore of several namespaces to one", async () => {
    const all = { "include-namespaces": `${shop},${shop}-beside` };
    await dump(4005, undefined, all);
    await world.removeNamespace(`${shop}-beside`);
    await world.kube.delete(builtIn.ConfigMap, { namespace: shop, name: "settings" });
    await world.restore("beside-back", { target: { kind: "Namespace", name: `${shop}-beside` } });
    const snapshot = "target-repo-bc-nightly-4005";
    const back = { namespace: world.vault, restoresession: "beside-back", snapshot };
    expect(await world.job("kubedump-restore", "manifest", back)).toBe(0);
    await world.get(builtIn.ConfigMap, `${shop}-beside`, "unrelated");
    expect(await world.kube.get(builtIn.ConfigMap, { namespace: shop, name: "settings" })).toBeUndefined();
    const restored = await world.get(resourceOf("RestoreSession"), world.vault, "beside-back");
    expect(fieldAt(restored, "status", "components", "manifest", "results", "skipped")).toBeGreaterThan(0);
  });
});

describe.runIf(runs)("a choice of nothing", () => {
  const backup = async (at: number, params: Readonly<Record<string, string>>) => {
    const { session, snapshot } = await world.session({ repository: "target-repo", at });
    const flags = { namespace: world.vault, backupsession: session, ...params };
    const code = await world.job("kubedump-backup", "manifest", flags);
    return { code, component: await world.component(snapshot, "manifest") };
  };
  const back = async (name: string, params: Readonly<Record<string, string>>) => {
    await world.restore(name);
    const flags = { namespace: world.vault, restoresession: name, snapshot: "target-repo-bc-nightly-4005" };
    return await world.job("kubedump-restore", "manifest", { ...flags, ...params });
  };

  it("is told of a dump name by name, with what is meant, and the rest is saved", async () => {
    const params = {
      "include-namespaces": `${shop},${shop}x`,
      "include-resources": "configmap,secrets,clusterroles",
    };
    const { code, component } = await backup(4010, params);
    expect(code).toBe(0);
    expect(component.proof?.warnings).toEqual([
      expect.stringMatching(/^IncludeResources names configmap, .* write configmaps if that is meant$/),
      "IncludeResources names clusterroles, which has no namespace, and IncludeClusterResources is not true",
      `there is no namespace ${shop}x in this cluster; write ${shop} if that is meant`,
    ]);
    expect(world.log).toEqual(expect.arrayContaining(component.proof?.warnings?.slice() ?? []));
  });

  it("fails a dump that takes no object at all, and saves none", async () => {
    const { code, component } = await backup(4011, { "include-resources": "configmap" });
    expect(code).toBe(1);
    expect(component).toMatchObject({
      phase: "Failed",
      error: expect.stringMatching(/there is no object that the parameters take; .* write configmaps/),
    });
    expect(component.resticStats).toBeUndefined();
  });

  it("fails a restore that restores nothing, and tells the name that is meant", async () => {
    expect(await back("nothing-back", { "include-namespaces": `${shop}y` })).toBe(1);
    expect(await world.terminationMessage()).toMatch(
      new RegExp(
        `none of the \\d+ objects .* there is no namespace ${shop}y in the snapshot; write ${shop} if`,
      ),
    );
    expect(await back("some-back", { "exclude-resources": "secret,pods" })).toBe(0);
    expect(world.log).toContain(
      "ExcludeResources names secret, and there is no such resource in the snapshot or in this cluster; write secrets if that is meant",
    );
    expect(world.log.filter((line) => line.includes("names pods"))).toEqual([]);
    const restored = await world.get(resourceOf("RestoreSession"), world.vault, "some-back");
    expect(fieldAt(restored, "status", "components", "manifest", "results", "warnings")).toEqual([
      expect.stringMatching(/^ExcludeResources names secret/),
    ]);
  });
});

/** Dumps a target and answers the files of its tree. */
async function dump(
  at: number,
  target: TypedObjectReference | undefined,
  params: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const given = target === undefined ? {} : { target };
  const { session, snapshot } = await world.session({ repository: "target-repo", at, ...given });
  const flags = { namespace: world.vault, backupsession: session, ...params };
  expect(await world.job("kubedump-backup", "manifest", flags)).toBe(0);
  const { resticStats } = await world.component(snapshot, "manifest");
  const repository = world.resticRepository("target-repo/repository/v1/nightly/manifest");
  const files: string[] = [];
  for await (const node of world.restic.list(repository, resticStats?.[0]?.summary?.id ?? "")) {
    if (node.type === "file") files.push(node.path.replace("/kubestash-tmp/manifest/", ""));
  }
  expect(await readdir(join(world.root, "kubestash-tmp"))).toEqual(["restic-cache"]);
  return files.toSorted();
}

async function fill(namespace: string): Promise<void> {
  await world.makeNamespace(namespace);
  for (const name of ["settings", "unrelated"])
    await world.create(builtIn.ConfigMap, { metadata: { name, namespace }, data: { a: "1" } });
  for (const name of ["key", "unrelated"])
    await world.create(builtIn.Secret, { metadata: { name, namespace }, data: { a: "MQ==" } });
  const labels = { app: "web" };
  const containers = [
    { name: "web", image: "registry.example.com/web:1", envFrom: [{ configMapRef: { name: "settings" } }] },
  ];
  const volumes = [{ name: "key", secret: { secretName: "key" } }];
  const template = { metadata: { labels }, spec: { containers, volumes } };
  await world.create(builtIn.Deployment, {
    metadata: { name: "web", namespace, labels },
    spec: { replicas: 0, selector: { matchLabels: labels }, template },
  });
}
