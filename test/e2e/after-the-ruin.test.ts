import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { builtIn } from "../../src/api/built-in.ts";
import type { KubeObject } from "../../src/api/meta.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import {
  conditionMessage,
  configuration,
  field,
  localStorage,
  namespaceObject,
  password,
  phase,
  retentionPolicy,
  secretObject,
  triggerSession,
  webDeployment,
} from "./lab.ts";

const target = { apiGroup: "apps", kind: "Deployment", name: "web", namespace: "shop" };

const claim: KubeObject = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "web-data", namespace: "shop" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};

let world: HoldfastWorld;
let before: string;

async function volume(): Promise<string> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const bound = await world.get("PersistentVolumeClaim", "shop", "web-data");
    const name = field(bound, "spec", "volumeName");
    const path =
      typeof name === "string"
        ? field(await world.get("PersistentVolume", "", name), "spec", "hostPath", "path")
        : undefined;
    if (typeof path === "string" && field(bound, "status", "phase") === "Bound") return path;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the claim was not bound");
}

/** The shop's backups, of which one is kept. */
function declared(annotations: Readonly<Record<string, string>> = {}) {
  const tasks = [{ name: "logical-backup", params: { paths: "/data" } }];
  return {
    "clusters/lab/shop.yaml": [
      localStorage(world),
      retentionPolicy({ successfulSnapshots: { last: 1 } }),
      configuration({
        namespace: "shop",
        name: "web",
        target,
        repository: "web",
        directory: "/web",
        addon: { name: "workload-addon", tasks },
        annotations,
      }),
    ],
  };
}

const orders = Buffer.from('{"order":1}\n'.repeat(1000));

beforeAll(async () => {
  world = await openWorld();
  for (const object of [
    namespaceObject("vault"),
    namespaceObject("shop"),
    secretObject("vault", "restic-password", { RESTIC_PASSWORD: password }),
    claim,
    webDeployment("shop"),
  ])
    await world.create(object);
  mkdirSync(join(await volume(), "orders"));
  for (const name of ["a.json", "b.json", "c.json"])
    writeFileSync(join(await volume(), "orders", name), orders);
  world.remote.commit("Back up the shop, and keep one snapshot", declared());
  await world.run();
  [before = ""] = (await world.list("Snapshot", "shop")).map((one) => one.metadata.name);
  // The ruin: the namespace goes with its volume, and is made again with an empty one.
  await world.kube.delete(builtIn.Namespace, { name: "shop" });
  for (let attempt = 0; (await world.get("Namespace", "", "shop")) !== undefined; attempt += 1) {
    expect(attempt).toBeLessThan(300);
    await world.pass();
  }
  for (const object of [namespaceObject("shop"), claim, webDeployment("shop")]) await world.create(object);
  await volume();
  await world.run();
}, 240_000);

afterAll(async () => {
  await world?.close();
});

async function latestOf(): Promise<readonly KubeObject[]> {
  return [...(await world.list("Snapshot", "shop"))].sort((a, b) =>
    String(field(a, "status", "snapshotTime")) < String(field(b, "status", "snapshotTime")) ? 1 : -1,
  );
}

test("the Snapshot from before comes back from the backend, and no initial backup is made over it", async () => {
  expect((await world.list("Snapshot", "shop")).map((one) => [one.metadata.name, phase(one)])).toEqual([
    [before, "Succeeded"],
  ]);
  expect(await world.list("BackupSession", "shop")).toEqual([]);
});

test("two schedules that fire before anybody restores are kept as shrunk, and remove nothing", async () => {
  for (const _time of [1, 2]) {
    const session = await triggerSession(world, "shop", "web");
    const { problems } = await world.run();
    expect(phase(await world.get("BackupSession", "shop", session))).toBe("Succeeded");
    expect(problems.find((problem) => problem.reason === "SourceShrunk")?.next ?? "").toContain(
      "holdfast.dev/accept-shrink",
    );
  }
  const snapshots = await latestOf();
  expect(snapshots).toHaveLength(3);
  const shrunk = snapshots.filter((one) => one.metadata.name !== before);
  for (const one of shrunk)
    expect(conditionMessage(one, "SourceShrunk")).toMatch(/^True SourceMuchSmallerThanBefore: .*dump/);
  expect(snapshots.at(-1)?.metadata.name).toBe(before);
});

test("latest is still the Snapshot from before, and it restores every byte", async () => {
  world.remote.commit("Bring the shop's files back", {
    "clusters/lab/restores/web-back.yaml": {
      apiVersion: "core.kubestash.com/v1alpha1",
      kind: "RestoreSession",
      metadata: { name: "web-back", namespace: "shop" },
      spec: {
        target,
        dataSource: { repository: "web", snapshot: "latest" },
        addon: { name: "workload-addon", tasks: [{ name: "logical-backup-restore" }] },
      },
    },
  });
  const { failures } = await world.run();
  expect(failures).toEqual([]);
  const directory = await volume();
  for (const name of ["a.json", "b.json", "c.json"])
    expect(readFileSync(join(directory, "orders", name)).equals(orders)).toBe(true);
  const [job] = (await world.list("Job", "shop")).filter((one) => one.metadata.name === "web-back");
  expect(job?.metadata.annotations?.["holdfast.dev/snapshot"]).toBe(before);
});

test("once a person accepts the shrunk ones retention goes on, and keeps the last good one", async () => {
  const shrunk = (await world.list("Snapshot", "shop"))
    .map((one) => one.metadata.name)
    .filter((name) => name !== before);
  world.remote.commit(
    "Accept what the source is now",
    declared({ "holdfast.dev/accept-shrink": shrunk.join(",") }),
  );
  await world.run();
  for (const name of shrunk)
    expect(conditionMessage(await world.get("Snapshot", "shop", name), "SourceShrunk")).toMatch(
      /^False ShrinkAccepted/,
    );
  const session = await triggerSession(world, "shop", "web");
  const { failures } = await world.run();
  expect(failures).toEqual([]);
  const left = await latestOf();
  expect(left.map((one) => field(one, "spec", "backupSession"))).toEqual([session]);
  const forgotten = join(world.remote.tree, "..", "backend", "web", "snapshots", `${before}.yaml`);
  expect(existsSync(forgotten)).toBe(false);
  expect(world.remote.git("ls-tree", "-r", "--name-only", "holdfast-record")).not.toContain(
    `/${before}.yaml`,
  );
  expect(world.remote.git("log", "--name-only", "--format=", "holdfast-record")).toContain(`/${before}.yaml`);
});
