import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { requireOrSkip } from "../support/real-parts.ts";
import { type S3Server, startS3 } from "../support/s3.ts";
import {
  backendFolder,
  configMap,
  configuration,
  localStorage,
  namespaceObject,
  password,
  retentionPolicy,
  secretObject,
} from "./lab.ts";

const bucket = "backups";
let s3: S3Server;
let world: HoldfastWorld;

const local = () => backendFolder(world);
const remote = () => join(s3.directory, bucket, "lab");

/** Files of a backend's tree, with what differs by its nature (names of packs, sessions) made equal. */
function shapeOf(directory: string): readonly string[] {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
  const shape = names.map((name) =>
    name
      .replace(/(data)\/.*/, "$1/…")
      .replace(/\/(index|keys|snapshots|locks)\/[0-9a-f]{64}$/, "/$1/…")
      .replace(/app-(far|manifests)-app-manifests-often-\d+/, "REPOSITORY-SESSION"),
  );
  return [...new Set(shape)].sort();
}

async function open(): Promise<void> {
  s3 = await startS3();
  await s3.createBucket(bucket);
  world = await openWorld();
  for (const object of [
    namespaceObject("vault"),
    namespaceObject("app"),
    secretObject("vault", "restic-password", { RESTIC_PASSWORD: password }),
    secretObject("vault", "s3-credentials", {
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    }),
    configMap("app", "settings", { mode: "0644", multiline: "one\ntwo\n" }),
  ])
    await world.create(object);
  const twoBackends = configuration();
  const spec = twoBackends["spec"] as { backends: object[]; sessions: { repositories: object[] }[] };
  const reference = { retentionPolicy: { name: "keep", namespace: "vault" } };
  world.remote.commit("Back up to two backends at once", {
    "clusters/lab/both.yaml": [
      localStorage(world),
      {
        ...localStorage(world, {
          storage: {
            provider: "s3",
            s3: {
              endpoint: s3.endpoint,
              bucket,
              prefix: "lab",
              region: s3.region,
              secretName: "s3-credentials",
            },
          },
        }),
        metadata: { name: "object-store", namespace: "vault" },
      },
      retentionPolicy(),
      {
        ...twoBackends,
        spec: {
          ...spec,
          backends: [
            { name: "main", storageRef: { name: "store", namespace: "vault" }, ...reference },
            { name: "far", storageRef: { name: "object-store", namespace: "vault" }, ...reference },
          ],
          sessions: spec.sessions.map((session) => ({
            ...session,
            repositories: [
              ...session.repositories,
              {
                name: "app-far",
                backend: "far",
                directory: "/app/manifests",
                encryptionSecret: { name: "restic-password", namespace: "vault" },
              },
            ],
          })),
        },
      },
    ],
  });
  const { failures, problems } = await world.run();
  expect({ failures, problems: problems.filter((one) => one.severity === "error") }).toEqual({
    failures: [],
    problems: [],
  });
}

async function close(): Promise<void> {
  await world?.close();
  await s3?.stop();
}

const recordedPaths: readonly unknown[] = [
  "format.yaml",
  "clusters/lab/storages/vault/store.yaml",
  "clusters/lab/repositories/vault/app-far.yaml",
  "clusters/lab/configurations/vault/app-manifests.yaml",
  expect.stringMatching(
    /^clusters\/lab\/sessions\/vault\/app-manifests\/\d{4}\/\d\d\/\d\d\/app-manifests-often-\d+\.yaml$/,
  ),
  expect.stringMatching(
    /^clusters\/lab\/snapshots\/vault\/app-far\/\d{4}\/\d\d\/\d\d\/app-far-app-manifests-often-\d+\.yaml$/,
  ),
];

describe.runIf(requireOrSkip("restic", "git", "versitygw"))("a local and an S3 backend", () => {
  beforeAll(open, 240_000);
  afterAll(close);

  test("the local and the S3 backend hold the same tree", () => {
    expect(shapeOf(local())).toEqual(shapeOf(remote()));
    expect(shapeOf(local())).toEqual(
      expect.arrayContaining([
        "metadata.yaml",
        "app/manifests/repository.yaml",
        "app/manifests/repository/v1/often/manifest/config",
      ]),
    );
  });

  test.each([
    ["local", () => join(local(), "app/manifests/repository/v1/often/manifest")],
    ["S3", () => `s3:${s3.endpoint}/${bucket}/lab/app/manifests/repository/v1/often/manifest`],
  ])(
    "a plain restic with the password lists, checks and restores what was written to the %s backend",
    (_name, url) => {
      const target = mkdtempSync(join(world.home, "restic-"));
      const restic = (...args: readonly string[]) => {
        const { status, stdout, stderr } = spawnSync("restic", ["-r", url(), "--no-cache", ...args], {
          encoding: "utf8",
          env: {
            PATH: process.env["PATH"],
            HOME: world.home,
            RESTIC_PASSWORD: password,
            AWS_ACCESS_KEY_ID: s3.accessKeyId,
            AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
          },
        });
        expect({ args, status, stderr: status === 0 ? "" : stderr }).toEqual({ args, status: 0, stderr: "" });
        return stdout;
      };
      expect(JSON.parse(restic("snapshots", "--json"))).toHaveLength(1);
      restic("check", "--read-data");
      restic("restore", "latest", "--target", target);
      const saved = readFileSync(
        join(target, "kubestash-tmp/manifest/configmaps/namespaces/app/settings.yaml"),
        "utf8",
      );
      expect(saved).toContain("mode: '0644'");
      rmSync(target, { recursive: true });
    },
  );

  test("one backup into two repositories is at most two commits, tells its story and holds together", () => {
    const log = world.remote.recordLog();
    expect(
      log.filter((line) => line.startsWith("backup vault/app-manifests: Succeeded, 2 components, ")),
    ).toHaveLength(1);
    expect(log.length).toBeLessThanOrEqual(3);
    expect(world.remote.git("fsck", "--strict", "--no-dangling")).toBe("");
    const message = world.remote.git("log", "-1", "--format=%B", "holdfast-record");
    expect(message).toMatch(/Holdfast-Cluster: lab\nHoldfast-Declared: [0-9a-f]{40}\nHoldfast-Version: /);
    const paths = world.remote.git("ls-tree", "-r", "--name-only", "holdfast-record").trim().split("\n");
    expect(paths).toEqual(expect.arrayContaining([...recordedPaths]));
    const snapshot = world.remote.recordFile(paths.find((path) => path.includes("/snapshots/")) ?? "") ?? "";
    for (const proof of [
      /commit: "?[0-9a-f]{40}/,
      /repositoryID: /,
      /tree: /,
      /clusterUid: /,
      /hostPath: \/kubestash-tmp\/manifest/,
    ])
      expect(snapshot).toMatch(proof);
    expect(snapshot).not.toContain("managedFields");
  });
});
