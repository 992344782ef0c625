import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { builtIn } from "../../src/api/built-in.ts";
import { createGitopsRemote } from "../support/gitops-remote.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { conditionMessage, configMap, phase, restore, settle } from "./lab.ts";

const worlds: HoldfastWorld[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function open(options: Parameters<typeof openWorld>[0] = {}): Promise<HoldfastWorld> {
  const world = await openWorld(options);
  worlds.push(world);
  return world;
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "holdfast-once-"));
  folders.push(made);
  return made;
}

/** A world with a backup, whose ConfigMap is gone and whose restore is declared. */
async function ruined(world: HoldfastWorld): Promise<void> {
  await settle(world);
  await world.run();
  await world.kube.delete(builtIn.ConfigMap, { namespace: "app", name: "settings" });
  world.remote.commit("Restore", { "clusters/lab/restores/back.yaml": restore("back") });
}

async function restoreJobs(world: HoldfastWorld): Promise<number> {
  return (await world.list("Job", "vault")).filter(
    (job) => job.metadata.labels?.["app.kubernetes.io/component"] === "kubestash-restore",
  ).length;
}

test("a restore whose object is deleted comes back as it ended, and does not run again", async () => {
  const world = await open();
  await ruined(world);
  await world.run();
  expect(phase(await world.get("RestoreSession", "vault", "back"))).toBe("Succeeded");
  await world.kube.delete(builtIn.ConfigMap, { namespace: "app", name: "settings" });
  await world.kube.delete(
    {
      group: "core.kubestash.com",
      version: "v1alpha1",
      kind: "RestoreSession",
      plural: "restoresessions",
      namespaced: true,
    },
    { namespace: "vault", name: "back" },
  );
  const commits = world.remote.recordLog().length;
  await world.run({ instance: "another-run" });
  const again = await world.get("RestoreSession", "vault", "back");
  expect(phase(again)).toBe("Succeeded");
  expect(conditionMessage(again, "Held")).toMatch(/^True AlreadyRun: .*already run/);
  expect(await world.get("ConfigMap", "app", "settings")).toBeUndefined();
  expect(await restoreJobs(world)).toBe(0);
  expect(world.remote.recordLog()).toHaveLength(commits);
});

test("a run that is killed between claim and Job leaves a restore that is held as Unknown, never run by itself", async () => {
  const world = await open();
  await ruined(world);
  const killed = "a-run-that-is-killed";
  for (
    let passes = 0;
    !world.remote.recordLog().some((line) => line.endsWith("back: Claimed"));
    passes += 1
  ) {
    expect(passes).toBeLessThan(20);
    await world.pass({ instance: killed });
  }
  expect(await restoreJobs(world)).toBe(0);
  const { failures } = await world.run({ instance: "the-next-run", timeoutMs: 60_000 });
  const held = await world.get("RestoreSession", "vault", "back");
  expect(phase(held)).toBe("Unknown");
  expect(conditionMessage(held, "Held")).toMatch(/^True ClaimWithoutOutcome: .*cannot be found/);
  const why = [expect.stringMatching(/^ClaimWithoutOutcome: .*cannot be found/)];
  expect(failures).toEqual([{ object: "RestoreSession vault/back", phase: "Unknown", partial: false, why }]);
  expect(await restoreJobs(world)).toBe(0);
  expect(await world.get("ConfigMap", "app", "settings")).toBeUndefined();
});

test("two runs that claim at once start one Job, and it runs to its end", async () => {
  const world = await open();
  await ruined(world);
  const outcomes = await Promise.all([world.run({ instance: "one" }), world.run({ instance: "two" })]);
  expect(outcomes.map(({ end }) => end)).toEqual(["done", "done"]);
  expect(phase(await world.get("RestoreSession", "vault", "back"))).toBe("Succeeded");
  expect(await restoreJobs(world)).toBe(1);
  expect(world.remote.recordLog().filter((line) => line === "restore vault/back: Claimed")).toHaveLength(1);
  expect(
    world.remote.recordLog().filter((line) => line.startsWith("restore vault/back: Succeeded")),
  ).toHaveLength(1);
});

test("a changed spec under the name of a restore that ran is refused, with the way out", async () => {
  const world = await open();
  await ruined(world);
  await world.run();
  await world.kube.delete(builtIn.ConfigMap, { namespace: "app", name: "settings" });
  const changed = {
    ...restore("back"),
    spec: { ...(restore("back")["spec"] as object), restoreTimeout: "5m" },
  };
  world.remote.commit("Change the restore", { "clusters/lab/restores/back.yaml": changed });
  await world.kube.delete(
    {
      group: "core.kubestash.com",
      version: "v1alpha1",
      kind: "RestoreSession",
      plural: "restoresessions",
      namespaced: true,
    },
    { namespace: "vault", name: "back" },
  );
  const { problems } = await world.run();
  expect(phase(await world.get("RestoreSession", "vault", "back"))).toBe("Invalid");
  expect(problems.find((problem) => problem.reason === "SpecChanged")).toMatchObject({
    severity: "error",
    next: expect.stringContaining("restore --again back"),
  });
  expect(await world.get("ConfigMap", "app", "settings")).toBeUndefined();
});

test("a rebuilt cluster of the same name holds a restore that the old one ran, and runs it under a new name", async () => {
  const home = folder();
  const remote = createGitopsRemote(home);
  const old = await open({ remote });
  await ruined(old);
  await old.run();
  expect(phase(await old.get("RestoreSession", "vault", "back"))).toBe("Succeeded");
  cpSync(join(remote.tree, "../backend"), join(home, "copy"), { recursive: true });

  const rebuilt = await open({ remote });
  for (const object of [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "vault" } },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "app" } },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "restic-password", namespace: "vault" },
      stringData: { RESTIC_PASSWORD: "a password of the tests" },
    },
  ])
    await rebuilt.create(object);
  const { problems } = await rebuilt.run();
  const held = await rebuilt.get("RestoreSession", "vault", "back");
  expect(phase(held)).toBe("Pending");
  expect(conditionMessage(held, "Held")).toContain("ClaimedByAnotherCluster");
  expect(problems.find((problem) => problem.reason === "ClaimedByAnotherCluster")?.next).toContain(
    "restore --again back",
  );
  expect(await restoreJobs(rebuilt)).toBe(0);
  // Repositories and Snapshots came back from bucket and Git alone.
  expect((await rebuilt.list("Snapshot", "vault")).map(phase)).toEqual(["Succeeded"]);

  remote.commit("Restore once more", { "clusters/lab/restores/back-again-1.yaml": restore("back-again-1") });
  await rebuilt.run();
  expect(phase(await rebuilt.get("RestoreSession", "vault", "back-again-1"))).toBe("Succeeded");
  expect((await rebuilt.get("ConfigMap", "app", "settings"))?.["data"]).toEqual(
    configMap("app", "settings", { mode: "0644" })["data"],
  );
});
