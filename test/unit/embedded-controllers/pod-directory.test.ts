import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  buildRoots,
  podDirectory,
  removeRoots,
} from "../../../src/embedded/controllers/kubelet/pod-directory.ts";
import type { VolumeSource } from "../../../src/embedded/controllers/kubelet/volume-sources.ts";

let state: string;
let volume: string;

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "holdfast-pod-"));
  volume = join(state, "volume");
  await mkdir(volume);
});

afterEach(() => rm(state, { recursive: true, force: true }));

type Mount = { readonly name: string; readonly mountPath: string; readonly subPath?: string };

function podOf(mounts: readonly Mount[], init: readonly Mount[] = []) {
  const initContainers = init.length === 0 ? [] : [{ name: "init", volumeMounts: init }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "n", uid: "uid-1" },
    spec: { containers: [{ name: "main", volumeMounts: mounts }], initContainers },
  };
}

const secret: VolumeSource = {
  kind: "files",
  files: new Map([
    ["password", { content: Buffer.from("s3cret"), mode: 0o400 }],
    ["tls/key", { content: Buffer.from("k"), mode: 0o644 }],
  ]),
};

async function build(mounts: readonly Mount[], init: readonly Mount[] = []): Promise<string> {
  const pod = podOf(mounts, init);
  const directory = podDirectory(state, pod);
  const sources = new Map<string, VolumeSource>([
    ["data", { kind: "path", path: volume }],
    ["tmp", { kind: "empty" }],
    ["secret", secret],
  ]);
  await buildRoots(pod, directory, sources, new Map());
  return directory.path;
}

test("a claim is a link, an emptyDir a real directory where it is mounted first, a Secret files of its mode", async () => {
  const path = await build(
    [
      { name: "data", mountPath: "/var/lib/data" },
      { name: "tmp", mountPath: "/scratch" },
      { name: "secret", mountPath: "/etc/secret" },
    ],
    [{ name: "tmp", mountPath: "/work" }],
  );
  expect(await readlink(join(path, "root/var/lib/data"))).toBe(volume);
  expect((await lstat(join(path, "root/scratch"))).isDirectory()).toBe(true);
  expect(await readlink(join(path, "root.init/work"))).toBe(join(path, "root/scratch"));
  expect((await stat(join(path, "root/etc/secret/password"))).mode & 0o777).toBe(0o400);
  expect(await readFile(join(path, "root/etc/secret/tls/key"), "utf8")).toBe("k");
});

test("it can be built again, and what was written stays", async () => {
  const mounts = [
    { name: "data", mountPath: "/data" },
    { name: "secret", mountPath: "/etc/secret" },
  ];
  const path = await build(mounts);
  await mkdir(join(path, "root/data/kept"));
  await build(mounts);
  expect(await readdir(volume)).toEqual(["kept"]);
});

test("one file of a Secret is a file, a part of a volume a link to it", async () => {
  const path = await build([
    { name: "secret", mountPath: "/etc/app/password", subPath: "password" },
    { name: "data", mountPath: "/part", subPath: "a/b" },
  ]);
  expect(await readFile(join(path, "root/etc/app/password"), "utf8")).toBe("s3cret");
  expect((await stat(join(volume, "a/b"))).isDirectory()).toBe(true);
  expect(await readlink(join(path, "root/part"))).toBe(join(volume, "a/b"));
});

test("a claim may be mounted at /tmp", async () => {
  const path = await build([{ name: "data", mountPath: "/tmp" }]);
  expect(await readlink(join(path, "root/tmp"))).toBe(volume);
});

test.each(["../outside", "/absolute", "a/../../b"])("the subPath %s is refused", async (subPath) => {
  await expect(build([{ name: "data", mountPath: "/data", subPath }])).rejects.toThrow("leaves the volume");
});

test("a subPath that leaves its volume through a link is refused", async () => {
  await symlink(state, join(volume, "way-out"));
  const mounts = [{ name: "data", mountPath: "/data", subPath: "way-out" }];
  await expect(build(mounts)).rejects.toThrow("leaves the volume through a symbolic link");
});

test("a mountPath with .. stays inside of the root", async () => {
  const path = await build([{ name: "tmp", mountPath: "/../../etc/x" }]);
  expect((await stat(join(path, "root/etc/x"))).isDirectory()).toBe(true);
});

test("a Secret at the place of a claim is refused and never written into it", async () => {
  const mounts = [
    { name: "data", mountPath: "/data" },
    { name: "secret", mountPath: "/data" },
  ];
  await expect(build(mounts)).rejects.toThrow("cannot nest mounts");
  await expect(build(mounts.toReversed())).rejects.toThrow("cannot nest mounts");
  expect(await readdir(volume)).toEqual([]);
});

test("taking the roots away leaves what they linked to", async () => {
  const path = await build([{ name: "data", mountPath: "/data" }]);
  await mkdir(join(volume, "kept"));
  await removeRoots(podOf([]), podDirectory(state, podOf([])));
  expect(await readdir(path)).toEqual([]);
  expect(await readdir(volume)).toEqual(["kept"]);
});
