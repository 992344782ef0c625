import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resourceOf } from "../../../src/api/kinds.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { initialiseStorage } from "../../../src/mover/storage/initialise-storage.ts";
import { removeSnapshotFile, wipe } from "../../../src/mover/storage/snapshot-file.ts";
import type { Objects } from "../../../src/ports/objects/objects.ts";
import { openObjects } from "../../../src/ports/objects/open-objects.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { type MoverWorld, startMoverWorld } from "./mover-world.ts";

const runs = requireOrSkip("kube-apiserver", "etcd", "kube-controller-manager", "restic");
let world: MoverWorld;
let objects: Objects;
let backend: string;
let app: string;

beforeAll(async () => {
  if (!runs) return;
  world = await startMoverWorld();
  backend = join(world.root, "backend");
  objects = openObjects({ provider: "local", directory: backend });
  app = `app-${world.tag}`;
  await world.makeNamespace(app);
}, 60_000);
afterAll(async () => {
  await world?.close();
});

const storageFlags = () => ({ namespace: world.vault, name: "main" });

async function stored(key: string): Promise<unknown> {
  return load(await readFile(join(backend, key), "utf8"));
}

async function makeRepository(name: string): Promise<KubeObject> {
  return await world.create(resourceOf("Repository"), {
    metadata: {
      name,
      namespace: app,
      finalizers: ["kubestash.com/cleanup"],
      annotations: { "holdfast.dev/declared-in": "prod/x", note: "kept" },
    },
    spec: {
      appRef: { apiGroup: "na", name: "na" },
      storageRef: { name: "main", namespace: world.vault },
      path: `/${name}`,
      encryptionSecret: { name: "restic-key", namespace: world.vault },
    },
  });
}

async function makeSnapshot(repository: string, at: number): Promise<KubeObject> {
  const name = `${repository}-bc-nightly-${at}`;
  await world.create(resourceOf("Snapshot"), {
    metadata: {
      name,
      namespace: app,
      finalizers: ["kubestash.com/cleanup"],
      labels: { "kubestash.com/repo-name": repository },
    },
    spec: {
      snapshotID: `01${at}`,
      repository,
      session: "nightly",
      version: "v1",
      backupSession: `bc-nightly-${at}`,
    },
  });
  const status = {
    phase: "Succeeded",
    size: "1.000 KiB",
    totalComponents: 1,
    components: { dump: { phase: "Succeeded", path: "repository/v1/nightly/dump", driver: "Restic" } },
  };
  return await world.kube.mergePatch(
    resourceOf("Snapshot"),
    { namespace: app, name },
    { status },
    { manager: "test", subresource: "status" },
  );
}

/** Deletes objects as if the whole cluster had gone: without any finalizer's work. */
async function lose(kind: "Repository" | "Snapshot", name: string): Promise<void> {
  const resource = resourceOf(kind);
  await world.kube.mergePatch(
    resource,
    { namespace: app, name },
    { metadata: { finalizers: null } },
    { manager: "test" },
  );
  await world.kube.delete(resource, { namespace: app, name });
}

describe.runIf(runs)("a backend", () => {
  it("that is empty gets metadata.yaml, once", async () => {
    expect(await world.job("storage-initialize", "", storageFlags())).toBe(0);
    expect(await world.terminationMessage()).toContain("is initialised");
    const meta = await stored("metadata.yaml");
    expect(meta).toMatchObject({
      apiVersion: "config.kubestash.com/v1alpha1",
      kind: "BackendMeta",
      operatorVersion: "test",
      repositories: [],
    });
    expect(await world.job("storage-initialize", "", storageFlags())).toBe(0);
    expect(await stored("metadata.yaml")).toEqual(meta);
  });

  it("gets repository.yaml and a line in metadata.yaml, without what only its cluster knows", async () => {
    await makeRepository("shop-repo");
    const flags = { ...storageFlags(), repository: `${app}/shop-repo` };
    expect(await world.job("storage-upload", "", flags)).toBe(0);
    const file = await stored("shop-repo/repository.yaml");
    expect(file).toMatchObject({
      kind: "Repository",
      metadata: { name: "shop-repo", namespace: app, annotations: { note: "kept" } },
    });
    expect(JSON.stringify(file)).not.toMatch(
      /"(uid|resourceVersion|managedFields|holdfast.dev\/declared-in)"/,
    );
    expect(await stored("metadata.yaml")).toMatchObject({
      repositories: [{ name: "shop-repo", namespace: app, path: "/shop-repo" }],
    });
  });

  it("gets a file per Snapshot", async () => {
    await makeSnapshot("shop-repo", 1);
    await makeSnapshot("shop-repo", 2);
    for (const at of [1, 2]) {
      const flags = { ...storageFlags(), snapshot: `${app}/shop-repo-bc-nightly-${at}` };
      expect(await world.job("storage-upload", "", flags)).toBe(0);
    }
    expect(await readdir(join(backend, "shop-repo", "snapshots"))).toEqual([
      "shop-repo-bc-nightly-1.yaml",
      "shop-repo-bc-nightly-2.yaml",
    ]);
  });

  it("refuses a directory that is another repository's", async () => {
    await makeRepository("other-repo");
    const file = await readFile(join(backend, "shop-repo/repository.yaml"), "utf8");
    await objects.put("other-repo/repository.yaml", Buffer.from(file));
    const flags = { ...storageFlags(), repository: `${app}/other-repo` };
    expect(await world.job("storage-upload", "", flags)).toBe(1);
    expect(await world.terminationMessage()).toContain(`belongs to Repository ${app}/shop-repo`);
    await wipe(objects, "other-repo");
    await lose("Repository", "other-repo");
  });
});

describe.runIf(runs)("a backend of a lost cluster", () => {
  const reattach = async () =>
    await initialiseStorage({
      kube: world.kube,
      objects,
      storage: await world.get(resourceOf("BackupStorage"), world.vault, "main"),
      clock: systemClock,
      operatorVersion: "test",
    });

  it("brings back Repository and Snapshots with their status, and leaves those that are there", async () => {
    for (const at of [1, 2]) await lose("Snapshot", `shop-repo-bc-nightly-${at}`);
    await lose("Repository", "shop-repo");
    expect(await reattach()).toEqual({
      created: false,
      snapshotsCreated: 2,
      repositories: [{ name: "shop-repo", namespace: app, path: "/shop-repo", synced: true }],
    });
    const repository = await world.get(resourceOf("Repository"), app, "shop-repo");
    const snapshot = await world.get(resourceOf("Snapshot"), app, "shop-repo-bc-nightly-2");
    expect(snapshot).toMatchObject({
      metadata: {
        finalizers: ["kubestash.com/cleanup"],
        labels: { "kubestash.com/repo-name": "shop-repo" },
        ownerReferences: [
          { kind: "Repository", name: "shop-repo", uid: repository.metadata.uid, controller: true },
        ],
      },
      status: { phase: "Succeeded", components: { dump: { phase: "Succeeded" } } },
    });
    expect(await reattach()).toMatchObject({ snapshotsCreated: 0 });
    expect(await world.get(resourceOf("Snapshot"), app, "shop-repo-bc-nightly-2")).toEqual(snapshot);
  });

  it("fills in the status that a killed run did not write", async () => {
    const name = "shop-repo-bc-nightly-1";
    const whole = await world.get(resourceOf("Snapshot"), app, name);
    await lose("Snapshot", name);
    const { status: _status, ...bare } = whole;
    const { uid: _uid, resourceVersion: _version, ...metadata } = bare.metadata;
    await world.kube.create(resourceOf("Snapshot"), { ...bare, metadata }, { manager: "test" });
    expect(await reattach()).toMatchObject({ snapshotsCreated: 0, repositories: [{ synced: true }] });
    expect((await world.get(resourceOf("Snapshot"), app, name))["status"]).toEqual(whole["status"]);
  });

  it("finds a repository that the list in metadata.yaml lacks", async () => {
    await lose("Repository", "shop-repo");
    const meta = (await stored("metadata.yaml")) as object;
    await writeFile(join(backend, "metadata.yaml"), JSON.stringify({ ...meta, repositories: [] }));
    expect(await reattach()).toMatchObject({ repositories: [{ name: "shop-repo", synced: true }] });
    expect(await stored("metadata.yaml")).toMatchObject({ repositories: [{ name: "shop-repo" }] });
  });

  it("says which repositories cannot come back, and why", async () => {
    const gone = `gone-${world.tag}`;
    const file = await readFile(join(backend, "shop-repo/repository.yaml"), "utf8");
    await objects.put(
      "lost/repository.yaml",
      Buffer.from(file.replaceAll(app, gone).replaceAll("shop-repo", "lost")),
    );
    await objects.put("broken/repository.yaml", Buffer.from("kind: [Repository"));
    await objects.put("shop-repo/snapshots/shop-repo-bc-nightly-9.yaml", Buffer.from("a: b"));
    const { repositories } = await reattach();
    expect(
      Object.fromEntries(repositories.map(({ name, synced, error }) => [name, { synced, error }])),
    ).toEqual({
      lost: { synced: false, error: expect.stringContaining(`namespace ${gone} does not exist`) },
      broken: { synced: false, error: expect.stringContaining("not readable YAML") },
      "shop-repo": { synced: false, error: expect.stringContaining("1 of 3 snapshots did not come back") },
    });
  });
});

describe.runIf(runs)("what is removed from a backend", () => {
  it("is one Snapshot's file, and nothing when it is gone", async () => {
    const repository = await world.get(resourceOf("Repository"), app, "shop-repo");
    await removeSnapshotFile(objects, repository, "shop-repo-bc-nightly-9");
    await removeSnapshotFile(objects, repository, "shop-repo-bc-nightly-9");
    expect(await readdir(join(backend, "shop-repo", "snapshots"))).toHaveLength(2);
    await expect(removeSnapshotFile(objects, repository, "../repository")).rejects.toThrow(
      /not a usable path/,
    );
  });

  it("is one directory with its line in metadata.yaml, and nothing beside it", async () => {
    await objects.put("shop-repo-2/repository.yaml", Buffer.from("kind: x"));
    expect(await world.job("storage-clean", "", { ...storageFlags(), directory: "/shop-repo" })).toBe(0);
    expect((await readdir(backend)).toSorted()).toEqual(["broken", "lost", "metadata.yaml", "shop-repo-2"]);
    expect(await stored("metadata.yaml")).toMatchObject({ repositories: [] });
  });

  it("is everything when no directory is named", async () => {
    expect(await world.job("storage-clean", "", { ...storageFlags(), directory: "" })).toBe(0);
    expect(await readdir(backend)).toEqual([]);
  });
});
