import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import { resourceOf } from "../../../src/api/kinds.ts";
import type { KubeObject, Resource } from "../../../src/api/meta.ts";
import type { SnapshotComponent } from "../../../src/api/snapshot.ts";
import { fieldAt } from "../../../src/mover/storage/fields.ts";
import type { BackupRequest, Restic } from "../../../src/ports/restic/restic.ts";
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
beforeAll(async () => {
  if (!runs) return;
  world = await startMoverWorld();
  shop = `shop-${world.tag}`;
  await world.makeNamespace(shop);
  await fillShop(world, shop);
}, 60_000);
afterAll(async () => {
  await world?.close();
});

describe.runIf(runs)("a dump of a namespace", () => {
  it("is saved, proven and reported, and restores every object after the namespace was lost", async () => {
    const before = await shopObjects(world, shop);
    const { session, snapshot } = await world.session({ repository: "shop-repo", at: 1000 });
    const flags = { namespace: world.vault, backupsession: session, "include-namespaces": shop };
    expect(await world.job("kubedump-backup", "manifest", flags)).toBe(0);

    const reported = await componentOf(snapshot);
    expect(reported).toMatchObject({
      driver: "Restic",
      path: "repository/v1/nightly/manifest",
      phase: "Succeeded",
      integrity: true,
      duration: expect.stringMatching(/^[\d.]+(ms|s)$/),
      size: expect.stringMatching(/^\d+\.\d{3} KiB$/),
      resticStats: [
        { summary: { hostPath: "/kubestash-tmp/manifest", id: expect.stringMatching(/^[0-9a-f]{64}$/) } },
      ],
      proof: {
        resticVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        snapshots: [{ hostPath: "/kubestash-tmp/manifest" }],
      },
    });
    const { proof } = reported;
    expect(proof?.objects).toBe(proof?.files);
    expect(proof?.objects).toBeGreaterThan(8);
    expect(proof?.missing).toBeUndefined();
    // Secrets do not stay behind on the scratch volume.
    expect(await readdir(join(world.root, "kubestash-tmp"))).toEqual(["restic-cache"]);

    await world.removeNamespace(shop);
    await world.restore("shop-back");
    const back = { namespace: world.vault, restoresession: "shop-back", snapshot };
    expect(await world.job("kubedump-restore", "manifest", back)).toBe(0);
    expect(await shopObjects(world, shop)).toEqual(before);
    const restored = await world.get(resourceOf("RestoreSession"), world.vault, "shop-back");
    expect(fieldAt(restored, "status", "components", "manifest")).toMatchObject({
      phase: "Succeeded",
      results: { failed: 0, updated: 0, files: proof?.files },
    });
  });

  it("gives owners back under their new uids", async () => {
    const child = await world.get(builtIn.ConfigMap, shop, "child");
    const owner = await world.get(builtIn.ConfigMap, shop, "settings");
    expect(child.metadata.ownerReferences).toEqual([
      { apiVersion: "v1", kind: "ConfigMap", name: "settings", uid: owner.metadata.uid },
    ]);
  });

  it("run again after it was done, adds nothing", async () => {
    const repository = world.resticRepository("shop-repo/repository/v1/nightly/manifest");
    const saved = await world.restic.snapshots(repository);
    const flags = { namespace: world.vault, backupsession: "bc-nightly-1000", "include-namespaces": shop };
    expect(await world.job("kubedump-backup", "manifest", flags)).toBe(0);
    expect(await world.restic.snapshots(repository)).toEqual(saved);
    const back = {
      namespace: world.vault,
      restoresession: "shop-back",
      snapshot: "shop-repo-bc-nightly-1000",
    };
    expect(await world.job("kubedump-restore", "manifest", back)).toBe(0);
    expect(await world.terminationMessage()).toContain("already");
  });
});

describe.runIf(runs)("a dump in the backend", () => {
  it("leaves objects that exist alone, and overwrites them when asked", async () => {
    await world.kube.mergePatch(
      builtIn.ConfigMap,
      { namespace: shop, name: "settings" },
      { data: { mode: "new" } },
      { manager: "test" },
    );
    const snapshot = "shop-repo-bc-nightly-1000";
    await world.restore("keep");
    expect(
      await world.job("kubedump-restore", "manifest", {
        namespace: world.vault,
        restoresession: "keep",
        snapshot,
      }),
    ).toBe(0);
    expect(fieldAt(await world.get(builtIn.ConfigMap, shop, "settings"), "data")).toMatchObject({
      mode: "new",
    });
    await world.restore("override");
    const override = {
      namespace: world.vault,
      restoresession: "override",
      snapshot,
      "override-resources": "true",
      "include-resources": "configmaps,services",
    };
    expect(await world.job("kubedump-restore", "manifest", override)).toBe(0);
    expect(fieldAt(await world.get(builtIn.ConfigMap, shop, "settings"), "data")).toMatchObject({
      mode: "on",
    });
    const restored = await world.get(resourceOf("RestoreSession"), world.vault, "override");
    expect(fieldAt(restored, "status", "components", "manifest", "results")).toMatchObject({
      updated: 1,
      created: 0,
    });
  });
});

describe.runIf(runs)("the tree of a dump", () => {
  it("holds the documented tree, readable with restic alone", async () => {
    const { session, snapshot } = await world.session({ repository: "shop-repo", at: 1001 });
    const flags = {
      namespace: world.vault,
      backupsession: session,
      "include-namespaces": shop,
      "include-resources": "configmaps,deployments.apps,roles",
    };
    expect(await world.job("kubedump-backup", "manifest", flags)).toBe(0);
    const id = idOf(await componentOf(snapshot));
    const repository = world.resticRepository("shop-repo/repository/v1/nightly/manifest");
    const files: string[] = [];
    for await (const node of world.restic.list(repository, id)) {
      if (node.type === "file") files.push(node.path.replace("/kubestash-tmp/manifest/", ""));
    }
    expect(files.toSorted()).toEqual([
      `configmaps/namespaces/${shop}/child.yaml`,
      `configmaps/namespaces/${shop}/kube-root-ca.crt.yaml`,
      `configmaps/namespaces/${shop}/settings.yaml`,
      `deployments.apps/namespaces/${shop}/web.yaml`,
      `roles.rbac.authorization.k8s.io/namespaces/${shop}/system:reader.yaml`,
    ]);
    const target = join(world.root, "look");
    await mkdir(target);
    const request = {
      snapshotId: id,
      root: target,
      path: "/kubestash-tmp/manifest",
      include: [],
      exclude: [],
    };
    await world.restic.restore(repository, request);
    const text = await readFile(
      join(target, `kubestash-tmp/manifest/configmaps/namespaces/${shop}/settings.yaml`),
      "utf8",
    );
    expect(load(text)).toMatchObject({
      apiVersion: "v1",
      kind: "ConfigMap",
      data: { mode: "on", octal: "0644" },
    });
    expect(text).not.toMatch(/uid:|resourceVersion:|managedFields:/);
  });

  it("is compared with the last good restic snapshot of the same source", async () => {
    const { session } = await world.session({ repository: "shop-repo", at: 1002 });
    const flags = { namespace: world.vault, backupsession: session, "include-namespaces": shop };
    const asked: BackupRequest[] = [];
    const restic: Restic = {
      ...world.restic,
      async backup(repository, request, options) {
        asked.push(request);
        return await world.restic.backup(repository, request, options);
      },
    };
    expect(await world.job("kubedump-backup", "manifest", flags, { restic })).toBe(0);
    expect(asked).toMatchObject([
      {
        host: `${world.vault}-shop-repo-manifest`,
        parent: idOf(await componentOf("shop-repo-bc-nightly-1001")),
      },
    ]);
  });
});

describe.runIf(runs)("a dump that is not whole", () => {
  it("goes into every repository of the session, and one that cannot be opened does not stop the others", async () => {
    const at = 1003;
    const broken = await world.session({ repository: "broken-repo", at, storage: "absent" });
    const { session, snapshot } = await world.session({ repository: "second-repo", at });
    const flags = { namespace: world.vault, backupsession: session, "include-namespaces": shop };
    expect(await world.job("kubedump-backup", "manifest", flags)).toBe(1);
    expect(await componentOf(snapshot)).toMatchObject({ phase: "Succeeded" });
    expect(await componentOf(broken.snapshot)).toMatchObject({
      phase: "Failed",
      error: expect.stringContaining(`BackupStorage ${world.vault}/absent`),
    });
    expect(await world.terminationMessage()).toContain("absent");
  });

  it("names a broken API group, saves the rest, and is partial", async () => {
    const group = `broken-${world.tag}.example.com`;
    const apiServices = {
      group: "apiregistration.k8s.io",
      version: "v1",
      kind: "APIService",
      plural: "apiservices",
      namespaced: false,
    };
    const name = `v1.${group}`;
    await world.create(apiServices, {
      metadata: { name },
      spec: {
        group,
        version: "v1",
        groupPriorityMinimum: 100,
        versionPriority: 100,
        service: { namespace: shop, name: "absent", port: 443 },
      },
    });
    try {
      const { session, snapshot } = await world.session({ repository: "shop-repo", at: 1004 });
      const flags = { namespace: world.vault, backupsession: session, "include-namespaces": shop };
      expect(await world.job("kubedump-backup", "manifest", flags)).toBe(3);
      const component = await componentOf(snapshot);
      expect(component).toMatchObject({ phase: "Failed", error: expect.stringContaining(`${group}/v1`) });
      expect(component.proof?.missing).toEqual([expect.stringContaining(`API group ${group}/v1`)]);
      expect(component.proof?.objects).toBeGreaterThan(8);
      expect(component.resticStats?.[0]?.summary?.id).toMatch(/^[0-9a-f]{64}$/);
    } finally {
      await world.kube.delete(apiServices, { name });
    }
  });
});

describe.runIf(runs)("a dump that may not be made", () => {
  it("names a type that the account may not list, saves the rest, and is partial", async () => {
    const { session, snapshot } = await world.session({ repository: "shop-repo", at: 1006 });
    const kube = await world.connectAs([
      {
        apiGroups: ["", "storage.kubestash.com", "core.kubestash.com"],
        resources: ["*"],
        verbs: ["get", "list", "patch"],
      },
      { apiGroups: ["apps"], resources: ["deployments"], verbs: ["list"] },
    ]);
    const only = "configmaps,deployments.apps,roles.rbac.authorization.k8s.io";
    const flags = {
      namespace: world.vault,
      backupsession: session,
      "include-namespaces": shop,
      "include-resources": only,
    };
    expect(await world.job("kubedump-backup", "manifest", flags, { kube })).toBe(3);
    const { phase, proof } = await componentOf(snapshot);
    expect(phase).toBe("Failed");
    expect(proof?.objects).toBe(4);
    expect(proof?.missing).toEqual([expect.stringMatching(/^roles\.rbac.* in namespace .*403 Forbidden/)]);
  });

  it("a wrong password is said in restic's words, with restic's exit code and without the password", async () => {
    await world.kube.mergePatch(
      builtIn.Secret,
      { namespace: world.vault, name: "restic-key" },
      { data: { RESTIC_PASSWORD: Buffer.from("another canary password").toString("base64") } },
      { manager: "test" },
    );
    const { session, snapshot } = await world.session({ repository: "shop-repo", at: 1005 });
    const flags = { namespace: world.vault, backupsession: session, "include-namespaces": shop };
    expect(await world.job("kubedump-backup", "manifest", flags)).toBe(12);
    const component = await componentOf(snapshot);
    expect(component).toMatchObject({ phase: "Failed", error: expect.stringMatching(/password/i) });
    const said = [JSON.stringify(component), await world.terminationMessage(), ...world.log].join("\n");
    expect(said).not.toContain("another canary password");
  });
});

async function componentOf(snapshot: string): Promise<SnapshotComponent> {
  return await world.component(snapshot, "manifest");
}

function idOf({ resticStats }: SnapshotComponent): string {
  return resticStats?.[0]?.summary?.id ?? "";
}

async function fillShop(world: MoverWorld, namespace: string): Promise<void> {
  const settings = await world.create(builtIn.ConfigMap, {
    metadata: { name: "settings", namespace, labels: { app: "web" } },
    data: { mode: "on", octal: "0644", date: "2024-01-01", text: "two\nlines\n", empty: "" },
  });
  await world.create(builtIn.ConfigMap, {
    metadata: {
      name: "child",
      namespace,
      ownerReferences: [
        { apiVersion: "v1", kind: "ConfigMap", name: "settings", uid: settings.metadata.uid ?? "" },
      ],
    },
    data: { a: "1" },
  });
  await world.create(builtIn.Secret, {
    metadata: { name: "login", namespace },
    data: { password: Buffer.from("s3cret").toString("base64") },
  });
  await world.create(builtIn.ServiceAccount, { metadata: { name: "web", namespace } });
  await world.create(builtIn.Role, {
    metadata: { name: "system:reader", namespace },
    rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get"] }],
  });
  await world.create(builtIn.PersistentVolumeClaim, {
    metadata: { name: "data", namespace },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "none",
      resources: { requests: { storage: "1Gi" } },
    },
  });
  await world.create(services, {
    metadata: { name: "web", namespace },
    spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await world.create(builtIn.Deployment, {
    metadata: { name: "web", namespace },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          serviceAccountName: "web",
          containers: [{ name: "web", image: "registry.example.com/web:1", command: ["on"] }],
        },
      },
    },
  });
}

/** What a person would miss: every object of the shop without what a server makes anew. */
async function shopObjects(world: MoverWorld, namespace: string): Promise<Readonly<Record<string, unknown>>> {
  const found: Record<string, unknown> = {};
  const kinds = [
    builtIn.ConfigMap,
    builtIn.Secret,
    builtIn.ServiceAccount,
    builtIn.Role,
    builtIn.PersistentVolumeClaim,
    services,
    builtIn.Deployment,
  ];
  for (const resource of kinds) {
    for await (const page of world.kube.list(resource, { namespace })) {
      for (const item of page.items) found[`${item.kind} ${item.metadata.name}`] = contentOf(item);
    }
  }
  return found;
}

function contentOf({ metadata, status: _status, ...object }: KubeObject): unknown {
  const { name, namespace, labels, annotations } = metadata;
  const { "deployment.kubernetes.io/revision": _revision, ...kept } = annotations ?? {};
  return { ...object, metadata: { name, namespace, labels, annotations: kept } };
}
