import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { builtIn } from "../../src/api/built-in.ts";
import { resourceOf } from "../../src/api/kinds.ts";
import { eventually } from "../support/eventually.ts";
import { holdfast } from "../support/holdfast-command.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { pathOf } from "../support/real-parts.ts";
import { backendFolder, configMap, field, password, secretObject, settle, triggerSession } from "./lab.ts";

let world: HoldfastWorld;
let first: string;
let second: string;
let options: readonly string[];
const settings = "manifest/kubestash-tmp/manifest";

beforeAll(async () => {
  world = await openWorld();
  await settle(world);
  await world.create(secretObject("app", "token", { changed: "canary-one", kept: "canary-two" }));
  await world.run();
  [first = ""] = (await world.list("Snapshot", "vault")).map((one) => one.metadata.name);
  const manager = { manager: "test" };
  await world.kube.mergePatch(
    builtIn.ConfigMap,
    { namespace: "app", name: "settings" },
    { data: { mode: "0600" } },
    manager,
  );
  await world.kube.mergePatch(
    builtIn.Secret,
    { namespace: "app", name: "token" },
    { stringData: { changed: "canary-two" } },
    manager,
  );
  await world.create(configMap("app", "extra", { some: "thing" }));
  await triggerSession(world);
  await world.run();
  second =
    (await world.list("Snapshot", "vault")).map((one) => one.metadata.name).find((one) => one !== first) ??
    "";
  options = ["--kubeconfig", world.kubeconfigPath];
}, 120_000);

afterAll(async () => {
  await world?.close();
});

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

async function changeStatus(patch: Readonly<Record<string, unknown>>): Promise<void> {
  const name = { namespace: "vault", name: first };
  await world.kube.mergePatch(
    resourceOf("Snapshot"),
    name,
    { status: patch },
    { manager: "test", subresource: "status" },
  );
}

test("a Snapshot comes to a folder, counted and compared with what was proven after the backup", async () => {
  const to = join(world.home, "here");
  const done = await holdfast(["download", `vault/${first}`, "--to", to, "-o", "json", ...options]);
  expect(done).toMatchObject({ code: 0, stderr: "" });
  const proof = field(
    await world.get("Snapshot", "vault", first),
    "status",
    "components",
    "manifest",
    "proof",
  );
  const said = JSON.parse(done.stdout);
  expect(said).toMatchObject({
    to,
    failed: [],
    partial: null,
    files: field(proof, "files"),
    bytes: field(proof, "bytes"),
  });
  expect(filesBelow(to)).toHaveLength(said.files);
  const [settingsFile = ""] = filesBelow(to).filter((name) => name.endsWith("settings.yaml"));
  expect(settingsFile.startsWith(settings)).toBe(true);
  expect(readFileSync(join(to, settingsFile), "utf8")).toContain("mode: '0644'");
  expect(statSync(to).mode & 0o777).toBe(0o700);
  const refused = await holdfast(["download", `vault/${first}`, "--to", to, ...options]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(`${to} is not empty`);
  // A link where a folder is to be written leads out of the folder.
  const outside = join(world.home, "outside");
  mkdirSync(outside);
  renameSync(join(to, "manifest", "kubestash-tmp"), join(world.home, "aside"));
  symlinkSync(outside, join(to, "manifest", "kubestash-tmp"));
  const forced = await holdfast(["download", `vault/${first}`, "--to", to, "--force", ...options]);
  expect(forced.code).toBe(1);
  expect(forced.stderr).toContain("kubestash-tmp is a symbolic link, which is not followed");
  expect(readdirSync(outside)).toEqual([]);
}, 60_000);

test("one file of it can be had alone", async () => {
  const all = await holdfast(["diff", first, second, "-n", "vault", "-o", "json", ...options]);
  const [path = ""] = JSON.parse(all.stdout)
    .changes.map((one: { path: string }) => one.path)
    .filter((one: string) => one.endsWith("/settings.yaml"));
  const to = join(world.home, "one");
  const done = await holdfast([
    "download",
    second,
    "-n",
    "vault",
    "--path",
    path,
    "--component",
    "manifest",
    "--to",
    to,
    ...options,
  ]);
  expect(done).toMatchObject({ code: 0, stderr: "" });
  expect(filesBelow(to)).toEqual([`manifest${path}`]);
  expect(readFileSync(join(to, `manifest${path}`), "utf8")).toContain("mode: '0600'");
}, 60_000);

test("a diff tells content of equal size apart, leaves out files that were only written again, and ends with 4", async () => {
  const done = await holdfast(["diff", `vault/${first}`, `vault/${second}`, "--exit-code", ...options]);
  expect(done).toMatchObject({ code: 4, stderr: "" });
  const lines = done.stdout.split("\n");
  expect(lines[0]).toBe(`vault/${first} -> vault/${second}`);
  const told = lines.filter((line) => /^ {2}[-+M] .*\.yaml/.test(line));
  expect(told.some((line) => /^ {2}M .*\/settings\.yaml/.test(line))).toBe(true);
  expect(told.some((line) => /^ {2}\+ .*\/extra\.yaml/.test(line))).toBe(true);
  expect(lines[lines.findIndex((line) => line.includes("/settings.yaml")) + 1]).toBe(
    '      .data.mode: "0644" -> "0600"',
  );
  expect(done.stdout).toMatch(/^1 files added \([1-9].*\), 0 removed \(0 B\), \d changed \(/m);
  const same = await holdfast(["diff", `vault/${first}`, `vault/${first}`, "--exit-code", ...options]);
  expect(same).toMatchObject({ code: 0 });
  expect(same.stdout).toContain("Nothing differs.");
}, 60_000);

/** What a Secret's values could be recognised by. */
const canaries = [
  "canary",
  Buffer.from("canary-one").toString("base64"),
  Buffer.from("canary-two").toString("base64"),
];

test.each(["text", "json", "markdown"])(
  "a diff in %s shows digests in place of a Secret's values",
  async (format) => {
    const done = await holdfast(["diff", `vault/${first}`, `vault/${second}`, "-o", format, ...options]);
    expect(done.code).toBe(0);
    for (const canary of canaries) expect(done.stdout).not.toContain(canary);
    expect(done.stdout).toContain(".data.changed");
    expect(done.stdout).not.toContain(".data.kept");
    expect(done.stdout).toMatch(/digest [0-9a-f]{12}/);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("holdfast-diff-"))).toEqual([]);
  },
  60_000,
);

test("one Snapshot is compared with the cluster: what changed since, what is gone, and nothing else", async () => {
  const versions = async () =>
    (await world.list("ConfigMap", "app")).map(({ metadata }) => [metadata.name, metadata.resourceVersion]);
  const before = await versions();
  const since = await holdfast(["diff", `vault/${first}`, "--cluster", "-o", "json", ...options]);
  expect(since).toMatchObject({ code: 0, stderr: "" });
  const { to, changes } = JSON.parse(since.stdout);
  expect(to).toBe("cluster");
  expect(changes.map(({ path }: { path: string }) => path.split("/").at(-1)).sort()).toEqual([
    "settings.yaml",
    "token.yaml",
  ]);
  expect(changes).toContainEqual(
    expect.objectContaining({ fields: [{ path: ".data.mode", from: "0644", to: "0600" }] }),
  );
  for (const canary of canaries) expect(since.stdout).not.toContain(canary);
  const now = await holdfast(["diff", `vault/${second}`, "--cluster", "--exit-code", ...options]);
  expect(now).toMatchObject({ code: 0, stderr: "" });
  expect(now.stdout).toContain("Nothing differs.");
  expect(await versions()).toEqual(before);
  const neither = await holdfast(["diff", `vault/${second}`, ...options]);
  expect(neither.code).toBe(2);
}, 60_000);

test("a component whose name leads out of the folder is refused by name, and the others come", async () => {
  const name = "../../../planted";
  const component = field(await world.get("Snapshot", "vault", first), "status", "components", "manifest");
  await changeStatus({ components: { [name]: component } });
  try {
    const to = join(world.home, "a/b/c");
    const done = await holdfast(["download", `vault/${first}`, "--to", to, ...options]);
    expect(done.code).toBe(3);
    expect(done.stderr).toContain(`has a component "${name}", which is no plain name of a folder`);
    expect(readdirSync(to)).toEqual(["manifest"]);
    expect(existsSync(join(world.home, "planted"))).toBe(false);
    const diff = await holdfast(["diff", `vault/${first}`, `vault/${second}`, ...options]);
    expect(diff).toMatchObject({ code: 1, stdout: "" });
    expect(diff.stderr).toContain(`has a component "${name}"`);
  } finally {
    await changeStatus({ components: { [name]: null } });
  }
}, 60_000);

test("a partial Snapshot comes and ends with 3; counts that differ from the proof are a failure", async () => {
  const to = (name: string) => ["--to", join(world.home, name), ...options];
  const condition = {
    type: "Partial",
    status: "True",
    reason: "SourceUnreadable",
    message: "/etc/shadow",
    lastTransitionTime: new Date().toISOString(),
  };
  const before = await world.get("Snapshot", "vault", first);
  const conditions = field(before, "status", "conditions");
  await changeStatus({ conditions: [...(Array.isArray(conditions) ? conditions : []), condition] });
  const partial = await holdfast(["download", `vault/${first}`, ...to("partial")]);
  expect(partial.code).toBe(3);
  expect(partial.stderr).toContain("the Snapshot is partial, a part of its source is not in it: /etc/shadow");
  const proof = field(before, "status", "components", "manifest", "proof");
  const snapshots = field(proof, "snapshots");
  const wrong = (Array.isArray(snapshots) ? snapshots : []).map((one) => ({ ...one, files: one.files + 1 }));
  await changeStatus({ conditions, components: { manifest: { proof: { snapshots: wrong } } } });
  const unproven = await holdfast(["download", `vault/${first}`, ...to("unproven")]);
  expect(unproven.code).toBe(1);
  expect(unproven.stderr).toContain("is not proven");
  await changeStatus({ components: { manifest: { proof: { snapshots } } } });
}, 60_000);

test("a wrong password and a missing repository end with restic's own codes, and leave no lock", async () => {
  const args = (name: string) => ["download", `vault/${first}`, "--to", join(world.home, name), ...options];
  const secret = { namespace: "vault", name: "restic-password" };
  const right = field(await world.get("Secret", "vault", "restic-password"), "data", "RESTIC_PASSWORD");
  const manager = { manager: "test" };
  await world.kube.mergePatch(
    builtIn.Secret,
    secret,
    { stringData: { RESTIC_PASSWORD: "not the password" } },
    manager,
  );
  const wrong = await holdfast(args("wrong"));
  expect(wrong.code).toBe(12);
  expect(`${wrong.stdout}${wrong.stderr}`).not.toContain("not the password");
  await world.kube.mergePatch(builtIn.Secret, secret, { data: { RESTIC_PASSWORD: right } }, manager);
  const repository = join(backendFolder(world), "app/manifests/repository/v1/often/manifest");
  expect(existsSync(join(repository, "config"))).toBe(true);
  renameSync(repository, `${repository}-away`);
  const none = await holdfast(args("none"));
  expect(none.code).toBe(10);
  renameSync(`${repository}-away`, repository);
  expect(execFileSync("ls", [join(repository, "locks")], { encoding: "utf8" })).toBe("");
}, 60_000);

test("a repository that another restic holds for itself ends with 11", async () => {
  const repository = join(backendFolder(world), "app/manifests/repository/v1/often/manifest");
  // So slow that it holds its exclusive lock as long as the test needs it.
  const holder = spawn(pathOf("restic"), ["check", "--read-data", "--limit-download=1", "--no-cache"], {
    env: { ...process.env, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password },
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => holder.once("close", resolve));
  try {
    await eventually(async () => expect(readdirSync(join(repository, "locks"))).not.toEqual([]));
    const done = await holdfast([
      "download",
      `vault/${first}`,
      "--to",
      join(world.home, "locked"),
      ...options,
    ]);
    expect(done.code).toBe(11);
    expect(done.stderr).toMatch(/already locked/);
  } finally {
    holder.kill("SIGINT");
    await ended;
  }
}, 60_000);

test.each([
  { args: ["nothing"], says: /Snapshot vault\/nothing does not exist/ },
  { args: ["$first", "--component", "dump"], says: /has no component dump\n {2}it has manifest/ },
  { args: ["$first", "--path", "data"], says: /--path data is no absolute path/ },
  { args: ["$first", "--path", "/data"], says: /holds no \/data\n {2}it holds \/kubestash-tmp\/manifest/ },
])("$args is refused with what there is", async ({ args, says }) => {
  const given = args.map((one) => (one === "$first" ? first : one));
  const done = await holdfast([
    "download",
    ...given,
    "-n",
    "vault",
    "--to",
    join(world.home, "refused"),
    ...options,
  ]);
  expect(done.code).toBe(2);
  expect(done.stderr).toMatch(says);
  expect(existsSync(join(world.home, "refused"))).toBe(false);
});
