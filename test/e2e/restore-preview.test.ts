import { spawn } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { builtIn } from "../../src/api/built-in.ts";
import type { RestoreResults } from "../../src/api/restore-session.ts";
import type { ObjectOutcome } from "../../src/mover/manifests/object-outcome.ts";
import { eventually } from "../support/eventually.ts";
import { holdfast } from "../support/holdfast-command.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { configMap, field, restore, secretObject, settle } from "./lab.ts";

type Groups = NonNullable<RestoreResults["objects"]>;
type Told = Pick<ObjectOutcome, "type" | "namespace" | "name" | "did" | "changes">;

const manager = { manager: "test" };
/** What a Secret's values could be recognised by. */
const canaries = ["canary", Buffer.from("canary-one").toString("base64").slice(0, 10)];

let world: HoldfastWorld;

beforeAll(async () => {
  world = await openWorld();
  await settle(world);
  await world.create(secretObject("app", "token", { word: "canary-one" }));
  await world.create(configMap("app", "gone", { some: "thing" }));
  await world.create(configMap("app", "kept", { some: "thing" }));
  await world.run();
  const inApp = (name: string) => ({ namespace: "app", name });
  await world.kube.mergePatch(builtIn.ConfigMap, inApp("settings"), { data: { mode: "0600" } }, manager);
  await world.kube.mergePatch(
    builtIn.Secret,
    inApp("token"),
    { stringData: { word: "canary-two" } },
    manager,
  );
  await world.kube.delete(builtIn.ConfigMap, inApp("gone"));
}, 120_000);

afterAll(async () => {
  await world?.close();
});

async function restoreCommand(name: string, ...args: readonly string[]) {
  const from = ["--repository", "vault/app-manifests", "--kubeconfig", world.kubeconfigPath];
  return await holdfast(["restore", name, ...from, ...args]);
}

async function preview(name: string, ...args: readonly string[]): Promise<readonly Told[]> {
  const done = await restoreCommand(name, "--dry-run", "-o", "json", ...args);
  expect(done).toMatchObject({ code: 0, stderr: "" });
  for (const canary of canaries) expect(done.stdout).not.toContain(canary);
  return JSON.parse(done.stdout).objects;
}

async function versions(): Promise<readonly unknown[]> {
  const kinds = ["ConfigMap", "Secret", "ServiceAccount", "RestoreSession", "Snapshot"] as const;
  const lists = await Promise.all(
    kinds.flatMap((kind) => ["app", "vault"].map((namespace) => world.list(kind, namespace))),
  );
  return lists.flat().map(({ kind, metadata }) => [kind, metadata.name, metadata.resourceVersion]);
}

/** What became of each object by name, of those that the test made. */
function fates(objects: readonly Told[]): Readonly<Record<string, string>> {
  const own = objects.filter(({ name }) => ["settings", "token", "gone", "kept"].includes(name));
  return Object.fromEntries(own.map(({ name, did }) => [name, did]));
}

test("a dry run tells what a restore would do with every object, and changes nothing", async () => {
  const before = await versions();
  const objects = await preview("back");
  expect(fates(objects)).toEqual({ settings: "conflict", token: "conflict", gone: "created", kept: "same" });
  expect(objects).toContainEqual(
    expect.objectContaining({
      name: "settings",
      changes: [{ path: ".data.mode", from: "0600", to: "0644" }],
    }),
  );
  const text = await restoreCommand("back", "--dry-run", "--param", "OverrideResources=true");
  expect(text).toMatchObject({ code: 0, stderr: "" });
  expect(text.stdout).toContain('  change configmaps app/settings\n      .data.mode: "0600" -> "0644"\n');
  expect(text.stdout).toMatch(
    / {2}change secrets app\/token\n {6}\.data\.word: \(digest \w{12}\) -> \(digest \w{12}\)\n/,
  );
  expect(text.stdout).toMatch(/^1 create, 2 change, \d+ same/m);
  for (const canary of canaries) expect(text.stdout).not.toContain(canary);
  expect(await versions()).toEqual(before);
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith("holdfast-preview-"))).toEqual([]);
}, 120_000);

test("nothing stays on disk of a dry run that is told to end", async () => {
  const folder = join(world.home, "tmp");
  mkdirSync(folder);
  const entry = fileURLToPath(new URL("../../bin/holdfast.mjs", import.meta.url));
  const args = ["restore", "back", "--repository", "vault/app-manifests", "--dry-run"];
  const child = spawn(process.execPath, [entry, ...args, "--kubeconfig", world.kubeconfigPath], {
    env: { ...process.env, TMPDIR: folder, XDG_CACHE_HOME: join(world.home, "cache") },
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  await eventually(async () =>
    expect(readdirSync(folder).some((name) => name.startsWith("holdfast-preview-"))).toBe(true),
  );
  child.kill("SIGTERM");
  expect(await ended).toBe(130);
  expect(readdirSync(folder)).toEqual([]);
}, 60_000);

test.each([
  { param: "OverrideResources", says: /is not of the form NAME=VALUE/ },
  {
    param: "OverrideResource=true",
    says: /no parameter OverrideResource\n {2}did you mean OverrideResources\?/,
  },
  { param: "OverrideResources=maybe", says: /OverrideResources/ },
])("the parameter $param is refused before anything is written", async ({ param, says }) => {
  const done = await restoreCommand("back", "--param", param);
  expect(done).toMatchObject({ code: 2, stdout: "" });
  expect(done.stderr).toMatch(says);
});

test("a plan tells the same of a restore that it lets run, without values, and goes on where it cannot", async () => {
  const dataSource = { repository: "app-manifests", snapshot: "latest" };
  const encryptionSecret = { name: "not-there", namespace: "vault" };
  world.remote.commit("Restore", {
    "clusters/lab/planned.yaml": restore("planned"),
    "clusters/lab/closed.yaml": restore("closed", { dataSource: { ...dataSource, encryptionSecret } }),
  });
  const before = await versions();
  const remote = ["--remote", world.remote.bare, "--cluster", "lab", "--kubeconfig", world.kubeconfigPath];
  const done = await holdfast(["plan", ...remote]);
  expect(done).toMatchObject({ code: 0, stderr: "" });
  expect(done.stdout).toMatch(/^RestoreSession vault\/planned would restore from Snapshot vault\/\S+:$/m);
  expect(done.stdout).toMatch(/^ {2}conflict configmaps app\/settings: .*\n {6}\.data\.mode: differs$/m);
  expect(done.stdout).toMatch(
    /^RestoreSession vault\/closed: what it would do .* is not known: .*not-there/m,
  );
  const json = await holdfast(["plan", "-o", "json", ...remote]);
  const { restores } = JSON.parse(json.stdout);
  expect(restores).toHaveLength(2);
  const known = restores.find((one: { restore: string }) => one.restore.endsWith("/planned"));
  expect(fates(known.objects)).toMatchObject({ settings: "conflict", gone: "created", kept: "same" });
  for (const canary of [...canaries, "0600"]) expect(`${done.stdout}${json.stdout}`).not.toContain(canary);
  expect(await versions()).toEqual(before);
  world.remote.commit("Think again", {
    "clusters/lab/planned.yaml": null,
    "clusters/lab/closed.yaml": null,
  });
}, 120_000);

test("a restore then does to every object what its dry run told", async () => {
  const params = ["--param", "OverrideResources=true", "--param", "ExcludeResources=serviceaccounts"];
  const told = await preview("back", ...params);
  const written = await restoreCommand(
    "back",
    "-o",
    "json",
    "--remote",
    world.remote.bare,
    "--cluster",
    "lab",
    ...params,
  );
  expect(written).toMatchObject({ code: 0, stderr: "" });
  world.remote.commit("Restore", { "clusters/lab/back.yaml": JSON.parse(written.stdout) });
  const { problems, failures } = await world.run();
  expect({ problems, failures }).toEqual({ problems: [], failures: [] });
  const done = await world.get("RestoreSession", "vault", "back");
  expect(field(done, "status")).toMatchObject({ phase: "Succeeded" });
  const groups = field(done, "status", "components", "manifest", "results", "objects") as Groups;
  const became = groups.flatMap(({ type, did, names }) => names.map((name) => `${type} ${name}: ${did}`));
  const foretold = told.map(({ type, namespace = "", name, did }) => `${type} ${namespace}/${name}: ${did}`);
  expect(foretold.toSorted()).toEqual(became.toSorted());
  expect(world.remote.recordFile("clusters/lab/restores/vault/back.yaml")).toMatch(
    /did: updated\n.*names:\n +- app\/settings\n/,
  );
  const status = await holdfast(["status", "-o", "json", "--kubeconfig", world.kubeconfigPath]);
  const rows: readonly { kind: string; results?: unknown }[] = JSON.parse(status.stdout).objects;
  expect(rows.find(({ kind }) => kind === "RestoreSession")?.results).toMatchObject({
    manifest: { objects: groups },
  });
  expect(fates(told)).toEqual({ settings: "updated", token: "updated", gone: "created", kept: "same" });
}, 120_000);
