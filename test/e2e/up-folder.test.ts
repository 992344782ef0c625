import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { builtIn } from "../../src/api/built-in.ts";
import { resourceOf } from "../../src/api/kinds.ts";
import { connectKube, type KubeConnection } from "../../src/ports/kube/connect-kube.ts";
import { eventually } from "../support/eventually.ts";
import { holdfast } from "../support/holdfast-command.ts";
import { type Reaper, startReaper } from "../support/reaper.ts";
import { namespaceObject } from "./lab.ts";

const entry = fileURLToPath(new URL("../../bin/holdfast.mjs", import.meta.url));
let home: string;
let reaper: Reaper;
let folder: string;
let up: ChildProcess;
let said = "";
let kube: KubeConnection;

function policy(last: number): string {
  return `apiVersion: storage.kubestash.com/v1alpha1\nkind: RetentionPolicy\nmetadata: {name: keep, namespace: vault}\nspec:\n  successfulSnapshots: {last: ${last}}\n  usagePolicy: {allowedNamespaces: {from: All}}\n`;
}

function until<T>(what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  return eventually(async () => {
    const answer = await ask();
    if (answer === undefined) throw new Error(`${what} did not come:\n${said}`);
    return answer;
  });
}

async function last(): Promise<unknown> {
  const found = await kube.get(resourceOf("RetentionPolicy"), { namespace: "vault", name: "keep" });
  return JSON.stringify(found?.["spec"] ?? null).match(/"last":(\d+)/)?.[1];
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "holdfast-up-"));
  reaper = startReaper();
  reaper.watchDirectory(home);
  folder = join(home, "manifests");
  mkdirSync(folder);
  writeFileSync(join(folder, "keep.yaml"), policy(3));
  writeFileSync(join(home, "secret.yaml"), "outside: yes\n");
  symlinkSync(join(home, "secret.yaml"), join(folder, "link.yaml"));
  const args = ["up", "--remote", folder, "--cluster", "lab", "--state", join(home, "state")];
  up = spawn(process.execPath, [entry, ...args], {
    env: { ...process.env, XDG_CACHE_HOME: join(home, "cache") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  reaper.watchProcess(up);
  for (const stream of [up.stdout, up.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const kubeconfig = await until(
    "the address of the cluster",
    () => /export KUBECONFIG=(.+)/.exec(said)?.[1],
  );
  kube = await connectKube({ kubeconfigPath: kubeconfig });
  await kube.create(builtIn.Namespace, namespaceObject("vault"), { manager: "test" });
}, 60_000);

afterAll(async () => {
  await kube?.close();
  if (up.exitCode === null) {
    const ended = new Promise((resolve) => up.once("close", resolve));
    up.kill("SIGTERM");
    await ended;
  }
  await reaper.close();
});

test("a plain folder declares: it is said where its commits are, and the object comes", async () => {
  await until("the object", async () => ((await last()) === "3" ? true : undefined));
  expect(said).toContain(`${folder} is no Git repository: its YAML files are committed to`);
  const bare = join(home, "state", "folder.git");
  const git = (...args: readonly string[]) => execFileSync("git", args, { cwd: bare, encoding: "utf8" });
  expect(git("ls-tree", "-r", "--name-only", "main")).toBe("keep.yaml\n");
  expect(existsSync(join(folder, ".git"))).toBe(false);
}, 60_000);

test("a saved file is taken at once, and one that cannot be read leaves the last commit in force", async () => {
  writeFileSync(join(folder, "keep.yaml"), policy(4));
  await until("the change", async () => ((await last()) === "4" ? true : undefined));
  rmSync(join(folder, "keep.yaml"));
  writeFileSync(join(folder, "bad.yaml"), Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
  await until("the complaint", () => (said.includes("bad.yaml: it is not UTF-8 text") ? true : undefined));
  expect(await last()).toBe("4");
}, 60_000);

test("a folder without a manifest is refused before anything is passed", async () => {
  const empty = join(home, "empty");
  mkdirSync(empty);
  const done = await holdfast(["up", "--remote", empty, "--cluster", "lab", "--state", join(home, "other")]);
  expect(done.code).toBe(2);
  expect(done.stderr).toContain(`${empty} holds no YAML file`);
}, 60_000);

test("a state folder inside of the folder is refused by name, also through a link", async () => {
  const inside = join(home, "inside");
  symlinkSync(folder, inside);
  const state = join(inside, "state", "lab");
  const done = await holdfast(["up", "--remote", folder, "--cluster", "lab", "--state", state]);
  expect(done.code).toBe(2);
  expect(done.stderr).toContain(`--state ${state} is inside of ${folder}`);
  expect(existsSync(state)).toBe(false);
}, 60_000);
