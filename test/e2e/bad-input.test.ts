import { afterEach, beforeEach, expect, test } from "vitest";
import { holdfast } from "../support/holdfast-command.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import {
  configuration,
  localStorage,
  phase,
  retentionPolicy,
  secretObject,
  settle,
  triggerSession,
} from "./lab.ts";

let world: HoldfastWorld;

beforeEach(async () => {
  world = await openWorld();
}, 60_000);

afterEach(async () => {
  await world?.close();
});

const flags = () => ["--remote", world.remote.bare, "--cluster", "lab", "--kubeconfig", world.kubeconfigPath];
const run = () => holdfast(["run", ...flags(), "--timeout", "60s"]);

test("broken files each give one error with file and line, and the rest is reconciled", async () => {
  await settle(world);
  world.remote.commit("Make four mistakes", {
    "clusters/lab/syntax.yaml": "apiVersion: v1\nkind: [\n",
    "clusters/lab/unknown-field.yaml": [
      {
        ...retentionPolicy(),
        metadata: { name: "typo", namespace: "vault" },
        spec: { sucessfulSnapshots: { last: 1 }, maxRetentionPeriod: "1d" },
      },
    ],
    "clusters/lab/twice.yaml": [
      { ...retentionPolicy(), metadata: { name: "twin", namespace: "vault" } },
      { ...retentionPolicy(), metadata: { name: "twin", namespace: "vault" } },
    ],
    "clusters/lab/secret.yaml": secretObject("vault", "leak", { PASSWORD: "planted-canary-value" }),
  });
  const { code, stdout, stderr } = await run();
  expect(code).toBe(1);
  expect(stderr).toMatch(/error: clusters\/lab\/syntax\.yaml:\d+: /);
  expect(stderr).toMatch(/error: clusters\/lab\/unknown-field\.yaml:7: .*sucessfulSnapshots/);
  expect(stderr).toMatch(/error: clusters\/lab\/twice\.yaml:\d+: .*twin/);
  expect(stderr).toMatch(/error: clusters\/lab\/secret\.yaml:1: /);
  expect(
    stdout + stderr + world.remote.git("log", "-p", "--all", "--", ":!clusters/lab/secret.yaml"),
  ).not.toContain("planted-canary-value");
  expect(await world.get("Secret", "vault", "leak")).toBeUndefined();
  expect(await world.get("RetentionPolicy", "vault", "twin")).toBeUndefined();
  expect((await world.list("BackupSession", "vault")).map(phase)).toEqual(["Succeeded"]);

  const checked = await holdfast([
    "validate",
    "--remote",
    world.remote.bare,
    "--cluster",
    "lab",
    "--output",
    "json",
  ]);
  expect(checked.code).toBe(1);
  const { problems } = JSON.parse(checked.stdout);
  expect(
    problems.filter((one: { severity: string }) => one.severity === "error").length,
  ).toBeGreaterThanOrEqual(4);
});

test("a holdfast.yaml that cannot be followed is named with its line, and backups go on as declared before", async () => {
  await settle(world);
  await world.run();
  const before = world.remote.recordLog().length;
  world.remote.commit("Misspell", { "holdfast.yaml": "clusters:\n  lab:\n    pahh: clusters/lab\n" });
  const session = await triggerSession(world);
  const { code, stderr } = await run();
  expect(stderr).toMatch(
    /^error: holdfast\.yaml:3: unknown field .*; commit [0-9a-f]{12} stays in force \(SettingsInvalid\)$/m,
  );
  expect(code).toBe(1);
  expect(phase(await world.get("BackupSession", "vault", session))).toBe("Succeeded");
  expect(world.remote.recordLog().length).toBeGreaterThan(before);
  const status = () => holdfast(["status", "--kubeconfig", world.kubeconfigPath]);
  const refused =
    /^The branch's tip is refused for lab: holdfast\.yaml:2: .*holdfast\.yaml:3: unknown field .* stays in force$/m;
  expect(await status()).toMatchObject({ code: 1, stdout: expect.stringMatching(refused) });
  world.remote.commit("Spell it", { "holdfast.yaml": "clusters:\n  lab:\n    path: clusters/lab\n" });
  await run();
  expect(await status()).toMatchObject({ code: 0, stdout: expect.not.stringContaining("is refused") });
});

test("a missing storage and a missing Secret are named, and everything else is reconciled", async () => {
  await settle(world);
  const elsewhere = configuration({ name: "lost", repository: "lost", directory: "/lost" });
  const backends = [
    {
      name: "main",
      storageRef: { name: "nowhere", namespace: "vault" },
      retentionPolicy: { name: "keep", namespace: "vault" },
    },
  ];
  world.remote.commit("Refer to what is not there", {
    "clusters/lab/lost.yaml": [
      { ...elsewhere, spec: { ...(elsewhere["spec"] as object), backends } },
      {
        ...localStorage(world, {
          storage: {
            provider: "s3",
            s3: { endpoint: "http://127.0.0.1:9", bucket: "none", secretName: "no-such-secret" },
          },
        }),
        metadata: { name: "keyless", namespace: "vault" },
      },
    ],
  });
  const { code, stderr } = await run();
  expect(code).toBe(1);
  expect(stderr).toContain("Secret vault/no-such-secret does not exist");
  expect(stderr).toMatch(/BackupConfiguration vault\/lost: .*BackupStorage vault\/nowhere does not exist/);
  expect(phase(await world.get("BackupConfiguration", "vault", "lost"))).toBe("NotReady");
  expect((await world.list("BackupSession", "vault")).map(phase)).toEqual(["Succeeded"]);
});

test("a wrong restic password fails the backup in restic's own words, and nothing is overwritten", async () => {
  await settle(world);
  await world.run();
  await world.kube.mergePatch(
    { group: "", version: "v1", kind: "Secret", plural: "secrets", namespaced: true },
    { namespace: "vault", name: "restic-password" },
    { stringData: { RESTIC_PASSWORD: "not the password" } },
    { manager: "test" },
  );
  const triggered = await holdfast(["backup", "vault/app-manifests", "--kubeconfig", world.kubeconfigPath]);
  expect(triggered).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Created BackupSession vault\/app-manifests-often-/),
  });
  const { code, stderr } = await run();
  expect(code).toBe(1);
  expect(stderr).toMatch(/BackupSession vault\/app-manifests-often-\d+: Failed: .*wrong password/);
  const [failed] = (await world.list("Snapshot", "vault")).filter((one) => phase(one) === "Failed");
  expect(JSON.stringify(failed?.["status"])).toMatch(/wrong password/);
  expect(JSON.stringify(failed)).not.toContain("not the password");
  const status = await holdfast(["status", "--kubeconfig", world.kubeconfigPath]);
  expect(status.code).toBe(1);
  expect(status.stdout).toMatch(/wrong password/);
});

test("mistakes on the command line end with code 2 and say what to do", async () => {
  const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
    [["plan", "--bogus"], /unknown option '--bogus'/],
    [["frobnicate"], /unknown command 'frobnicate'/],
    [["plan", "--remote", world.remote.bare], /no cluster is named[\s\S]*--cluster NAME/],
    [["run", ...flags(), "--timeout", "soon"], /--timeout soon is not a duration/],
    [["restore"], /a restore needs a name and --repository, or --again/],
    [
      ["backup", "vault/none", "--kubeconfig", world.kubeconfigPath],
      /BackupConfiguration vault\/none does not exist/,
    ],
    [
      ["restore", "x", "--repository", "vault/none", "--kubeconfig", world.kubeconfigPath],
      /Repository vault\/none does not exist/,
    ],
  ];
  for (const [args, words] of mistakes) {
    const { code, stderr } = await holdfast(args);
    expect(stderr).toMatch(words);
    expect([args, code]).toEqual([args, 2]);
  }
  const unknown = await holdfast([
    "plan",
    "--remote",
    world.remote.bare,
    "--cluster",
    "nope",
    "--kubeconfig",
    world.kubeconfigPath,
  ]);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toMatch(/nope/);
  const mistyped = await holdfast([
    "controller",
    "--remote",
    world.remote.bare,
    "--cluster",
    "nope",
    "--kubeconfig",
    world.kubeconfigPath,
  ]);
  expect(mistyped.code).toBe(1);
  expect(mistyped.stderr).toMatch(/nope/);
  const nowhere = await holdfast([
    "plan",
    "--remote",
    `${world.home}/no-such.git`,
    "--cluster",
    "lab",
    "--kubeconfig",
    world.kubeconfigPath,
  ]);
  expect(nowhere.code).toBe(1);
  expect(nowhere.stderr).toMatch(/no-such\.git/);
});

test("a restore is written, read back as declared, runs, and is offered again under a new name", async () => {
  await settle(world);
  await world.run();
  const written = await holdfast([
    "restore",
    "vault-back",
    "--repository",
    "vault/app-manifests",
    ...flags(),
    "--commit",
  ]);
  expect(written).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("clusters/lab/restores/vault/vault-back.yaml"),
  });
  const planned = await holdfast(["plan", ...flags(), "--exit-code", "--output", "markdown"]);
  expect(planned).toMatchObject({
    code: 4,
    stdout: expect.stringContaining("RestoreSession vault/vault-back"),
  });
  expect((await run()).code).toBe(0);
  expect(phase(await world.get("RestoreSession", "vault", "vault-back"))).toBe("Succeeded");
  const again = await holdfast(["restore", "--again", "vault-back", ...flags()]);
  expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/name: vault-back-again-1\n/) });
  await refusedBeforeItRuns();
  await refusedInAClone();
  const log = await holdfast(["log", "--remote", world.remote.bare]);
  expect(log.stdout).toMatch(
    /restore vault\/vault-back: Succeeded[\s\S]*restore vault\/vault-back: Claimed[\s\S]*backup vault\/app-manifests: Succeeded/,
  );
  const restores = ["--limit", "1", "--cluster", "lab", "-n", "vault"];
  const lab = await holdfast(["log", "--remote", world.remote.bare, ...restores]);
  expect(lab.stdout).toMatch(/^\w{12} [^ ]+ restore vault\/vault-back: Succeeded[^\n]*\n$/);
  const other = await holdfast(["log", "--remote", world.remote.bare, "--cluster", "other"]);
  expect(other).toMatchObject({ code: 0, stdout: "" });
  const snapshots = await holdfast(["snapshots", "--kubeconfig", world.kubeconfigPath, "--output", "json"]);
  expect(JSON.parse(snapshots.stdout).snapshots).toMatchObject([
    { repository: "app-manifests", phase: "Succeeded" },
  ]);
});

/** A restore runs once under its name, so that what cannot mean anything is refused before it is declared. */
async function refusedBeforeItRuns(): Promise<void> {
  const again = () => holdfast(["restore", "--again", "vault-back", ...flags(), "--commit"]);
  expect((await again()).code).toBe(0);
  const twice = await again();
  expect(twice.stderr).toContain(
    "RestoreSession vault/vault-back-again-1 is declared on main and has not run yet",
  );
  expect(twice.code).toBe(2);
  const used = ["restore", "vault-back", "--repository", "vault/app-manifests", ...flags()];
  for (const where of [[], ["--file", `${world.home}/used.yaml`]]) {
    const { code, stdout, stderr } = await holdfast([...used, ...where]);
    expect(stderr).toContain("RestoreSession vault/vault-back is declared on main already");
    expect([code, stdout]).toEqual([2, ""]);
  }
  const fresh = ["restore", "x", "--repository", "vault/app-manifests", "--kubeconfig", world.kubeconfigPath];
  for (const [args, words] of [
    [
      ["--snapshot", "nope"],
      /Repository vault\/app-manifests has no Snapshot nope[\s\S]*it has app-manifests-/,
    ],
    [
      ["--component", "dump"],
      /no Snapshot of Repository vault\/app-manifests has component dump[\s\S]*manifest/,
    ],
  ] as const) {
    const { code, stderr } = await holdfast([...fresh, ...args]);
    expect(stderr).toMatch(words);
    expect(code).toBe(2);
  }
}

/** A clone has not the record's branch: planning by it would tell all of it again, and run restores twice. */
async function refusedInAClone(): Promise<void> {
  const clone = `${world.home}/clone`;
  world.remote.git("clone", "--quiet", world.remote.bare, clone);
  const plan = () =>
    holdfast(["plan", "--remote", clone, "--cluster", "lab", "--kubeconfig", world.kubeconfigPath]);
  const refused = await plan();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(
    /has no branch holdfast-record, and the repository that it is a clone of has one/,
  );
  world.remote.git("-C", clone, "fetch", "--quiet", "origin", "holdfast-record:holdfast-record");
  expect(await plan()).toMatchObject({ code: 0, stdout: expect.not.stringContaining("record backup") });
}
