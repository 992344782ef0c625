import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resourceOf } from "../../src/api/kinds.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { backendFolder, configuration, field, restore, settle } from "./lab.ts";

let world: HoldfastWorld;

beforeEach(async () => {
  world = await openWorld();
  await settle(world);
  await world.run();
}, 120_000);

afterEach(async () => {
  await world?.close();
});

const manager = { manager: "somebody" };

test("a kubectl edit is shown by the plan as drift and undone by the next pass", async () => {
  const policy = { namespace: "vault", name: "keep" };
  await world.kube.mergePatch(
    resourceOf("RetentionPolicy"),
    policy,
    { spec: { successfulSnapshots: { last: 99 } } },
    manager,
  );
  const { plan } = await world.pass({ planOnly: true });
  expect(plan.steps).toMatchObject([
    { kind: "apply", change: "configure", drift: ["spec.successfulSnapshots.last"] },
  ]);
  expect(plan.steps[0]?.because).toMatch(/^drift: .*clusters\/lab\/storage\.yaml:/);
  await world.run();
  expect(
    field(await world.get("RetentionPolicy", "vault", "keep"), "spec", "successfulSnapshots", "last"),
  ).toBe(5);
});

test("an object whose file is gone is pruned, and its backup data stays", async () => {
  const kept = join(backendFolder(world), "app/manifests/repository/v1/often/manifest/config");
  expect(existsSync(kept)).toBe(true);
  world.remote.commit("Stop backing up", { "clusters/lab/app.yaml": null });
  await world.run();
  expect(await world.get("BackupConfiguration", "vault", "app-manifests")).toBeUndefined();
  expect(await world.list("CronJob", "vault")).toEqual([]);
  expect(existsSync(kept)).toBe(true);
  expect(existsSync(join(backendFolder(world), "app/manifests/repository.yaml"))).toBe(true);
});

test("WipeOut without consent in an earlier commit acts as Delete and says so; with it the data goes", async () => {
  const wiping = (annotations: Readonly<Record<string, string>>) =>
    configuration({ repositoryFields: { deletionPolicy: "WipeOut" }, annotations });
  const data = join(backendFolder(world), "app/manifests");
  world.remote.commit("Wish for WipeOut", { "clusters/lab/app.yaml": wiping({}) });
  await world.run();
  world.remote.commit("Remove it", { "clusters/lab/app.yaml": null });
  const told: string[] = [];
  for (let passes = 0; passes < 20; passes += 1)
    told.push(...(await world.pass()).problems.map((problem) => problem.reason));
  expect(told).toContain("WipeOutNotAllowed");
  expect(await world.list("Repository", "vault")).toEqual([]);
  expect(existsSync(data)).toBe(true);

  world.remote.commit("Back up again, with consent", {
    "clusters/lab/app.yaml": wiping({ "holdfast.dev/allow-wipe-out": "app-manifests" }),
  });
  await world.run();
  world.remote.commit("Remove it for good", { "clusters/lab/app.yaml": null });
  await world.run();
  expect(await world.list("Repository", "vault")).toEqual([]);
  expect(existsSync(data)).toBe(false);
});

test("a broken file, a symlink or an emptied folder prunes nothing", async () => {
  world.remote.commit("Break a file and lose another", {
    "clusters/lab/app.yaml": null,
    "clusters/lab/broken.yaml": "kind: [\n",
  });
  const { problems } = await world.run();
  expect(problems.map((problem) => problem.reason)).toContain("PruneHeld");
  expect(await world.get("BackupConfiguration", "vault", "app-manifests")).toBeDefined();

  world.remote.commit("Empty the folder", {
    "clusters/lab/broken.yaml": null,
    "clusters/lab/storage.yaml": null,
    "clusters/lab/README.md": "Nothing is declared.\n",
  });
  const emptied = await world.run();
  expect(emptied.problems.map((problem) => problem.reason)).toContain("PruneHeld");
  expect(await world.get("BackupConfiguration", "vault", "app-manifests")).toBeDefined();
  expect(await world.get("BackupStorage", "vault", "store")).toBeDefined();
});

test("an object that Argo CD or Flux tracks is left alone and named", async () => {
  const tracked = [
    [{ annotations: { "argocd.argoproj.io/tracking-id": "apps:x" } }, "Argo CD"],
    [{ labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } }, "Flux"],
  ] as const;
  for (const [metadata, owner] of tracked) {
    await world.kube.mergePatch(
      resourceOf("RetentionPolicy"),
      { namespace: "vault", name: "keep" },
      { metadata: { annotations: null, labels: null } },
      manager,
    );
    await world.kube.mergePatch(
      resourceOf("RetentionPolicy"),
      { namespace: "vault", name: "keep" },
      { metadata, spec: { successfulSnapshots: { last: 42 } } },
      manager,
    );
    const { problems } = await world.run();
    const problem = problems.find((one) => one.reason === "OwnedByOther");
    expect(problem?.message).toContain(owner);
    expect(problem?.object).toBe("RetentionPolicy vault/keep");
    expect(
      field(await world.get("RetentionPolicy", "vault", "keep"), "spec", "successfulSnapshots", "last"),
    ).toBe(42);
  }
});

test("what two runs on an unchanged world write is nothing, in the cluster and in Git", async () => {
  world.remote.commit("Restore once", { "clusters/lab/restores/back.yaml": restore("back") });
  await world.run();
  const versions = async () =>
    (
      await Promise.all(
        [
          "BackupStorage",
          "Repository",
          "RetentionPolicy",
          "BackupConfiguration",
          "BackupSession",
          "Snapshot",
          "RestoreSession",
          "CronJob",
          "Job",
        ].map((kind) => world.list(kind)),
      )
    )
      .flat()
      .map((object) => `${object.kind} ${object.metadata.name} ${object.metadata.resourceVersion}`);
  const [before, tip] = [await versions(), world.remote.recordTip()];
  const { last } = await world.run({ instance: "another" });
  await world.run();
  expect(last.plan.steps).toEqual([]);
  expect(last.plan.entries).toEqual([]);
  expect(await versions()).toEqual(before);
  expect(world.remote.recordTip()).toBe(tip);
});
