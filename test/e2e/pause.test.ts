import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { holdfast } from "../support/holdfast-command.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { configuration, field, settle } from "./lab.ts";

let world: HoldfastWorld;
let kubeconfig: readonly string[];
let git: readonly string[];
const file = "clusters/lab/app.yaml";

beforeAll(async () => {
  world = await openWorld();
  await settle(world);
  await world.run();
  kubeconfig = ["--kubeconfig", world.kubeconfigPath];
  git = ["--remote", world.remote.bare, "--cluster", "lab"];
}, 60_000);

afterAll(async () => {
  await world?.close();
});

async function paused(kind: string, name: string): Promise<unknown> {
  return field(await world.get(kind, "vault", name), "spec", "paused");
}

test("an object that Git declares is paused by a commit that touches one line, and the next pass obeys", async () => {
  const before = world.remote.git("show", `main:${file}`);
  const done = await holdfast(["pause", "backupconfiguration/app-manifests", ...git, "--commit"]);
  expect(done).toMatchObject({ code: 0, stderr: "" });
  expect(done.stdout).toMatch(
    /^Committed clusters\/lab\/app\.yaml as [0-9a-f]{12}: it is paused with the next pass\.$/m,
  );
  expect(world.remote.git("show", `main:${file}`)).toBe(before.replace("spec:\n", "spec:\n  paused: true\n"));
  expect(world.remote.git("log", "-1", "--format=%s", "main").trim()).toBe(
    "Pause BackupConfiguration vault/app-manifests",
  );
  const again = await holdfast(["pause", "BackupConfiguration/app-manifests", ...git, "--commit"]);
  expect(again).toMatchObject({ code: 0, stdout: `${file} says so already: nothing was committed.\n` });
  await world.run();
  expect(await paused("BackupConfiguration", "app-manifests")).toBe(true);
  const resumed = await holdfast([
    "resume",
    "backupconfigurations/app-manifests",
    "-n",
    "vault",
    ...git,
    "--commit",
  ]);
  expect(resumed.stdout).toContain("it goes on with the next pass");
  await world.run();
  expect(await paused("BackupConfiguration", "app-manifests")).toBe(false);
}, 60_000);

test("a declared object is never patched behind Git's back", async () => {
  const done = await holdfast(["pause", "backupconfiguration/app-manifests", "-n", "vault", ...kubeconfig]);
  expect(done.code).toBe(2);
  expect(done.stderr).toContain(
    "is declared in Git (lab/clusters/lab/app.yaml): a change in the cluster alone",
  );
  expect(done.stderr).toContain("--cluster lab");
  expect(await paused("BackupConfiguration", "app-manifests")).toBe(false);
});

test("an object that Git does not declare is patched, once, and a pass leaves it so", async () => {
  const pause = ["pause", "repository/app-manifests", "-n", "vault", ...git, ...kubeconfig];
  const done = await holdfast(pause);
  expect(done).toMatchObject({
    code: 0,
    stdout:
      "Git does not declare Repository vault/app-manifests, so it was changed in the cluster: it is paused now.\n",
  });
  const before = await world.get("Repository", "vault", "app-manifests");
  expect((await holdfast(pause)).stdout).toContain("is paused already: nothing was changed");
  await world.run();
  const after = await world.get("Repository", "vault", "app-manifests");
  expect(field(after, "spec", "paused")).toBe(true);
  expect(field(after, "metadata", "generation")).toBe(field(before, "metadata", "generation"));
  await holdfast(["resume", "repository/app-manifests", "-n", "vault", ...kubeconfig]);
  expect(await paused("Repository", "app-manifests")).toBe(false);
}, 60_000);

test("in a working copy the file is written and nothing is committed; a link in its place is refused", async () => {
  const { tree } = world.remote;
  execFileSync("git", ["pull", "--quiet", "origin", "main"], { cwd: tree });
  const before = readFileSync(join(tree, file), "utf8");
  const options = ["--remote", tree, "--cluster", "lab"];
  const head = execFileSync("git", ["rev-parse", "HEAD"], { cwd: tree, encoding: "utf8" });
  const done = await holdfast(["pause", "backupconfiguration/app-manifests", ...options]);
  expect(done).toMatchObject({ code: 0, stderr: "" });
  expect(done.stdout).toBe(`Wrote ${file}: it is paused once it is committed and pushed to main.\n`);
  expect(readFileSync(join(tree, file), "utf8")).toBe(before.replace("paused: false", "paused: true"));
  expect(execFileSync("git", ["rev-parse", "HEAD"], { cwd: tree, encoding: "utf8" })).toBe(head);
  expect(execFileSync("git", ["status", "--porcelain"], { cwd: tree, encoding: "utf8" })).toBe(
    ` M ${file}\n`,
  );
  const outside = join(world.home, "outside.yaml");
  writeFileSync(outside, before);
  rmSync(join(tree, file));
  symlinkSync(outside, join(tree, file));
  const refused = await holdfast(["pause", "backupconfiguration/app-manifests", ...options]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(`${file} is no file of the working copy`);
  expect(readFileSync(outside, "utf8")).toBe(before);
  execFileSync("git", ["checkout", "--quiet", "--", file], { cwd: tree });
});

test("what cannot be edited safely is named with its line, and with what to write by hand", async () => {
  const odd = (name: string, spec: string) =>
    `- apiVersion: core.kubestash.com/v1alpha1\n  kind: BackupConfiguration\n  metadata: {name: ${name}, namespace: vault}\n  spec: ${spec}\n`;
  const spec = JSON.stringify(configuration()["spec"]);
  world.remote.commit("Share a spec", {
    "clusters/lab/odd.yaml": `apiVersion: v1\nkind: List\nitems:\n${odd("odd", `&shared ${spec}`)}${odd("same", "*shared")}`,
  });
  const before = world.remote.git("rev-parse", "main");
  for (const [name, line] of [
    ["odd", 4],
    ["same", 8],
  ] as const) {
    const done = await holdfast(["pause", `backupconfiguration/${name}`, ...git, "--commit"]);
    expect(done.code).toBe(1);
    expect(done.stderr).toContain(
      `clusters/lab/odd.yaml:${line}: spec.paused of ${name} cannot be set here without touching something else`,
    );
    expect(done.stderr).toContain(
      `write paused: true into the spec of BackupConfiguration vault/${name} by hand`,
    );
  }
  expect(world.remote.git("rev-parse", "main")).toBe(before);
});
