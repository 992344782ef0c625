import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeObject, Resource } from "../../src/api/meta.ts";
import { connectKube, type KubeConnection } from "../../src/ports/kube/connect-kube.ts";
import { type Canaries, canariesBelow, canariesIn, newCanary } from "../support/canary.ts";
import { eventually } from "../support/eventually.ts";
import { type GitRepository, type GitServer, startGitServer } from "../support/git-remote.ts";
import { createGitopsRemote, type GitopsRemote } from "../support/gitops-remote.ts";
import { holdfast } from "../support/holdfast-command.ts";
import { resourceFor } from "../support/holdfast-world.ts";
import { type Samples, startSampler } from "../support/process-sampler.ts";
import { requireOrSkip } from "../support/real-parts.ts";
import { type Reaper, startReaper } from "../support/reaper.ts";
import { type S3Server, startS3 } from "../support/s3.ts";
import { configuration, namespaceObject, phase, restore, retentionPolicy, secretObject } from "./lab.ts";

const entry = fileURLToPath(new URL("../../bin/holdfast.mjs", import.meta.url));
const secrets: Resource = { group: "", version: "v1", kind: "Secret", plural: "secrets", namespaced: true };
const bucket = "backups";

let home: string;
let reaper: Reaper;
let s3: S3Server;
let server: GitServer;
let repository: GitRepository;
let remote: GitopsRemote;
let up: ChildProcess;
let kube: KubeConnection;
let kubeconfig: string;
let canaries: Canaries;
/** Standard output and error of every command, by what it was. */
const said: Record<string, string> = {};
let samples: Samples;
/** Every object of the cluster but Secrets, as JSON, just before its end. */
let objects: string;
let git: Buffer;

const url = (userinfo: string) => `${server.url.replace("://", `://${userinfo}@`)}/repo-1.git`;
const percent = (text: string) => encodeURIComponent(text);

/** The process tree's environment: folders of its own, and the remote with its credentials in the URL. */
const environment = () => ({
  PATH: process.env["PATH"] ?? "",
  HOME: home,
  TMPDIR: join(home, "tmp"),
  XDG_CACHE_HOME: join(home, "cache"),
  HOLDFAST_REMOTE: url(`holdfast:${percent(server.password)}`),
  HOLDFAST_CLUSTER: "lab",
});

function commit(message: string, files: Parameters<GitopsRemote["commit"]>[1]): void {
  remote.commit(message, files);
  repository.git("fetch", "--quiet", remote.bare, "+main:main");
}

async function command(
  name: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<number | null> {
  const { code, stdout, stderr } = await holdfast(args, { cwd: home, env: { ...environment(), ...env } });
  said[name] = stdout + stderr;
  return code;
}

const create = (object: KubeObject) => kube.create(resourceFor(object), object, { manager: "test" });

async function list(
  kind: string,
  apiVersion = "core.kubestash.com/v1alpha1",
): Promise<readonly KubeObject[]> {
  const found: KubeObject[] = [];
  const resource = resourceFor({ apiVersion, kind, metadata: { name: "x" } });
  for await (const page of kube.list(resource)) found.push(...page.items);
  return found;
}

/** Waits until as many objects of a kind have ended, and answers their phases. */
function ended(kind: string, count: number): Promise<readonly unknown[]> {
  return eventually(async () => {
    const phases = (await list(kind)).map(phase).filter((each) => each === "Succeeded" || each === "Failed");
    if (phases.length < count) throw new Error(`${kind}: ${phases.join(", ")}\n${said["up"]?.slice(-3000)}`);
    return phases;
  }, 90_000);
}

async function breakSecret(name: string, values: Readonly<Record<string, string>>): Promise<void> {
  await kube.mergePatch(secrets, { namespace: "vault", name }, { stringData: values }, { manager: "test" });
}

function storage(name: string, described: object): KubeObject {
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "BackupStorage",
    metadata: { name, namespace: "vault" },
    spec: { storage: described, usagePolicy: { allowedNamespaces: { from: "All" } } },
  };
}

/** Two repositories for one session: one in S3, one in a folder. */
function twoBackends(): KubeObject {
  const one = configuration();
  const spec = one["spec"] as { sessions: { repositories: object[] }[] };
  const reference = { retentionPolicy: { name: "keep", namespace: "vault" } };
  return {
    ...one,
    spec: {
      ...spec,
      backends: ["store", "far"].map((name) => ({
        name: name === "store" ? "main" : name,
        storageRef: { name, namespace: "vault" },
        ...reference,
      })),
      sessions: spec.sessions.map((session) => ({
        ...session,
        repositories: session.repositories.flatMap((each) => [
          each,
          { ...each, name: "app-far", backend: "far" },
        ]),
      })),
    },
  };
}

async function begin(): Promise<void> {
  home = mkdtempSync(join(tmpdir(), "holdfast-canary-"));
  reaper = startReaper();
  reaper.watchDirectory(home);
  for (const folder of ["tmp", "backend"]) mkdirSync(join(home, folder));
  [s3, server] = await Promise.all([startS3(), startGitServer({ filter: true })]);
  await s3.createBucket(bucket);
  repository = server.repository();
  remote = createGitopsRemote(mkdtempSync(join(home, "gitops-")));
  canaries = {
    "git password": server.password,
    "S3 secret key": s3.secretAccessKey,
    "restic password": newCanary(),
    "application Secret": newCanary(),
    "wrong restic password": newCanary(),
    "wrong S3 secret key": newCanary(),
    "wrong git token": newCanary(),
    "userinfo of an unreachable remote": newCanary(),
    "userinfo of an endpoint": newCanary(),
    "Secret in Git": newCanary(),
  };
}

const value = (name: string) => canaries[name] ?? "";

async function startUp(): Promise<void> {
  commit("Look often", { "holdfast.yaml": "clusters: {lab: {path: clusters/lab}}\npoll: 1s\n" });
  const args = ["up", "--state", join(home, "state")];
  up = spawn(process.execPath, [entry, ...args], {
    cwd: home,
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  reaper.watchProcess(up);
  said["up"] = "";
  for (const stream of [up.stdout, up.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said["up"] += text;
    });
  kubeconfig = await eventually(async () => {
    const path = /export KUBECONFIG=(.*)/.exec(said["up"] ?? "")?.[1];
    if (path === undefined) throw new Error(`no cluster: ${said["up"]}`);
    return path;
  });
  kube = await connectKube({ kubeconfigPath: kubeconfig });
}

async function backUpAndRestore(): Promise<void> {
  const application = secretObject("app", "database", { password: value("application Secret") });
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(application) };
  for (const object of [
    namespaceObject("vault"),
    namespaceObject("app"),
    secretObject("vault", "restic-password", { RESTIC_PASSWORD: value("restic password") }),
    secretObject("vault", "s3-credentials", {
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    }),
    { ...application, metadata: { ...application.metadata, annotations } },
  ])
    await create(object);
  const s3Described = {
    endpoint: s3.endpoint,
    bucket,
    prefix: "lab",
    region: s3.region,
    secretName: "s3-credentials",
  };
  commit("Declare two backends", {
    "clusters/lab/app.yaml": [
      storage("store", {
        provider: "local",
        local: { hostPath: { path: join(home, "backend") }, mountPath: "/backend" },
      }),
      storage("far", { provider: "s3", s3: s3Described }),
      retentionPolicy(),
      twoBackends(),
    ],
    "clusters/lab/secret.yaml": secretObject("vault", "leak", {
      [value("Secret in Git")]: value("Secret in Git"),
    }),
  });
  expect(await ended("BackupSession", 1)).toEqual(["Succeeded"]);
  commit("Restore", {
    "clusters/lab/restore.yaml": [
      restore("near"),
      restore("far", { dataSource: { repository: "app-far", snapshot: "latest" } }),
    ],
  });
  expect(await ended("RestoreSession", 2)).toEqual(["Succeeded", "Succeeded"]);
}

async function failInEveryWay(): Promise<void> {
  const trigger = () => command("backup", ["backup", "vault/app-manifests", "--kubeconfig", kubeconfig]);
  await breakSecret("restic-password", { RESTIC_PASSWORD: value("wrong restic password") });
  await create(
    storage("leaky", {
      provider: "s3",
      s3: {
        endpoint: `http://user:${percent(value("userinfo of an endpoint"))}@127.0.0.1:9`,
        bucket,
        secretName: "s3-credentials",
      },
    }),
  );
  await trigger();
  expect(await ended("BackupSession", 2)).toContain("Failed");
  await breakSecret("restic-password", { RESTIC_PASSWORD: value("restic password") });
  await breakSecret("s3-credentials", { AWS_SECRET_ACCESS_KEY: value("wrong S3 secret key") });
  await trigger();
  // The Snapshot waits for its document in the backend; that restic was refused is told at once.
  await eventually(async () => {
    const snapshots = JSON.stringify(await list("Snapshot", "storage.kubestash.com/v1alpha1"));
    if (!snapshots.includes("Access Denied")) throw new Error(snapshots);
  }, 60_000);
  const at = ["--kubeconfig", kubeconfig];
  expect(await command("status", ["status", ...at])).toBe(1);
  expect(said["status"]).toMatch(/wrong password/);
  expect(said["status"]).toMatch(/Access ?Denied/);
  expect(await command("plan", ["plan", ...at, "--output", "json"])).toBe(1);
  expect(await command("validate", ["validate"])).toBe(1);
  expect(said["validate"]).toMatch(/secret\.yaml:1: .*a Secret with values stands in Git/);
  expect(await command("log", ["log"])).toBe(0);
  const unreachable = `http://user:${percent(value("userinfo of an unreachable remote"))}@127.0.0.1:9/x.git`;
  expect(await command("unreachable", ["validate"], { HOLDFAST_REMOTE: unreachable })).toBe(1);
  const broken = `ssh://user:${percent(value("userinfo of an unreachable remote"))}@-x/y z`;
  expect(await command("broken URL", ["validate"], { HOLDFAST_REMOTE: broken })).toBe(1);
  expect(await command("wrong token", ["validate"], { HOLDFAST_GIT_TOKEN: value("wrong git token") })).toBe(
    1,
  );
  expect(said["wrong token"]).toMatch(/refused the credentials/);
}

async function lookAtTheCluster(): Promise<string> {
  const { resources } = await kube.discover();
  const found: unknown[] = [];
  for (const resource of resources.filter(({ verbs, kind }) => verbs.includes("list") && kind !== "Secret")) {
    for await (const page of kube.list(resource)) found.push(...page.items);
  }
  return JSON.stringify(found);
}

async function stop(): Promise<void> {
  if (up === undefined || up.exitCode !== null) return;
  const gone = new Promise((resolve) => up.once("close", resolve));
  up.kill("SIGTERM");
  await gone;
}

async function story(): Promise<void> {
  await begin();
  const stopSampling = startSampler(canaries);
  const decoy = spawn("tail", ["--follow", "/dev/null"], { env: { DECOY: value("git password") } });
  reaper.watchProcess(decoy);
  try {
    await startUp();
    await backUpAndRestore();
    await failInEveryWay();
    objects = await lookAtTheCluster();
  } finally {
    decoy.kill();
    await stop();
    samples = await stopSampling();
  }
  git = execFileSync("git", ["-C", repository.directory, "cat-file", "--batch-all-objects", "--batch"], {
    maxBuffer: 2 ** 28,
  });
}

describe.runIf(requireOrSkip("restic", "git", "versitygw"))("no canary", () => {
  beforeAll(story, 300_000);
  afterAll(async () => {
    await stop();
    await kube?.close();
    await server?.close();
    await s3?.stop();
    await reaper?.close();
  });

  test("is missed by the search and the sampler of these tests", () => {
    const planted = join(home, "planted");
    mkdirSync(planted);
    const secret = value("restic password");
    writeFileSync(join(planted, "plain"), `x${secret}`);
    writeFileSync(join(planted, "url"), percent(secret));
    writeFileSync(join(planted, "base64"), Buffer.from(`user:${secret}`).toString("base64"));
    expect(canariesBelow(planted, canaries)).toEqual(
      ["base64", "plain", "url"].map((name) => `${name}: restic password`),
    );
    rmSync(planted, { recursive: true });
    expect(samples.environments).toContain("tail --follow /dev/null: git password");
    expect(samples.commands.join("\n")).toMatch(/^restic .* backup /m);
    expect(samples.commands.join("\n")).toMatch(/^restic .* restore /m);
    expect(samples.environments.join("\n")).toMatch(/^restic .*: restic password$/m);
    expect(samples.environments.join("\n")).toMatch(/^restic .*: wrong S3 secret key$/m);
  });

  test("is in an argument of any process", () => {
    expect(canariesIn(samples.commands.join("\n"), canaries)).toEqual([]);
  });

  test("is in the environment of a process that has no use for it", () => {
    const uses = [
      /^restic .*: .*(restic password|S3 secret key)$/,
      /^\S*versitygw .*: S3 secret key$/,
      /holdfast\.mjs (?!job ).*: .*(git|remote)/,
      /^tail --follow/,
    ];
    const others = samples.environments.filter((line) => !uses.some((use) => use.test(line)));
    expect(others).toEqual([]);
  });

  test("is in what any command or Job said", () => {
    expect(Object.keys(said)).toContain("wrong token");
    expect(canariesIn(JSON.stringify(said), canaries)).toEqual([]);
  });

  test("is in an object of the cluster that is no Secret", () => {
    expect(objects).toContain('"kind":"Snapshot"');
    expect(canariesIn(objects, { ...canaries, "userinfo of an endpoint": "no-such-canary" })).toEqual([]);
  });

  test("is in Git, but for what was committed there", () => {
    expect(git.includes("kind: Snapshot")).toBe(true);
    expect(canariesIn(git, canaries)).toEqual(["Secret in Git"]);
    const record = repository.git("log", "-p", "holdfast-record");
    expect(canariesIn(record, canaries)).toEqual([]);
  });

  test("is left in a file, but for the store of the cluster and the copy of what was committed", () => {
    const found = canariesBelow(home, canaries).filter(
      (line) => !line.startsWith("state/api/") && !/^(gitops-|cache\/).*: Secret in Git$/.test(line),
    );
    expect(found).toEqual([]);
    expect(canariesBelow(s3.directory, canaries)).toEqual([]);
  });
});
