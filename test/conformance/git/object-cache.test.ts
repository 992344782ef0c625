import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { openRemote } from "../../../src/ports/git/open-remote.ts";
import type { Remote } from "../../../src/ports/git/remote.ts";
import { gitDirectory, startGitServer } from "../../support/git-remote.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import type { ReaderTask } from "./reader-process.ts";
import { commitWithGit, textOf } from "./remote-fixture.ts";

describe.runIf(requireOrSkip("git"))("the object cache of a remote", () => {
  const root = gitDirectory();
  afterAll(() => root.close());

  test("what it holds is not asked for again, also by another process", async () => {
    const repository = root.repository();
    const cacheDirectory = join(repository.directory, "cache");
    const commit = commitWithGit(repository, { "a/b": "b", c: "c" });
    const first = openRemote({ url: repository.url, cacheDirectory });
    const files = (await first.files(commit, "")) ?? [];
    await first.blobs(files.map(({ oid }) => oid));
    rmSync(join(repository.directory, "objects"), { recursive: true });
    const second = openRemote({ url: repository.url, cacheDirectory });
    expect(await second.files(commit, "")).toEqual(files);
    expect((await second.blobs(files.map(({ oid }) => oid))).size).toBe(2);
  });

  test.each([
    ["cut", (file: string) => truncateSync(file, 5)],
    ["emptied", (file: string) => truncateSync(file, 0)],
    ["changed", (file: string) => writeFileSync(file, flipLast(readFileSync(file)))],
    ["swapped for another object", (file: string, other: string) => writeFileSync(file, readFileSync(other))],
  ])("an object that was %s is fetched again", async (_name, spoil) => {
    const repository = root.repository();
    const cacheDirectory = join(repository.directory, "cache");
    const commit = commitWithGit(repository, { a: "content of a", b: "content of b" });
    const read = async () => {
      const remote = openRemote({ url: repository.url, cacheDirectory });
      const files = (await remote.files(commit, "")) ?? [];
      return Promise.all(files.map(({ oid }) => textOf(remote, oid)));
    };
    expect(await read()).toEqual(["content of a", "content of b"]);
    const all = objectsIn(cacheDirectory);
    expect(all).toHaveLength(4);
    for (const [n, file] of all.entries()) {
      spoil(file, all[(n + 1) % all.length] ?? file);
      expect(await read()).toEqual(["content of a", "content of b"]);
    }
  });

  test("it does not grow without bound", async () => {
    const repository = root.repository();
    const cacheDirectory = join(repository.directory, "cache");
    const names = Array.from({ length: 40 }, (_, n) => n);
    const commit = commitWithGit(
      repository,
      Object.fromEntries(names.map((n) => [`f${n}`, noise(n, 20_000)])),
    );
    const remote = openRemote({ url: repository.url, cacheDirectory, maxCacheBytes: 200_000 });
    for (const { oid } of (await remote.files(commit, "")) ?? [])
      expect((await textOf(remote, oid)).length).toBe(20_000);
    const bytes = objectsIn(cacheDirectory).reduce((sum, file) => sum + readFileSync(file).length, 0);
    expect(bytes).toBeLessThan(230_000);
    expect(bytes).toBeGreaterThan(100_000);
  });

  test("one that is smaller than what is read is only slower", async () => {
    const repository = root.repository();
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, noise(n, 20_000)]));
    const commit = commitWithGit(repository, files);
    const remote = openRemote({
      url: repository.url,
      cacheDirectory: join(repository.directory, "cache"),
      maxCacheBytes: 50_000,
    });
    expect(await readAll(remote, commit)).toEqual(files);
  });
});

describe.runIf(requireOrSkip("git"))("an object cache that cannot be written", () => {
  const root = gitDirectory();
  afterAll(() => root.close());

  test("is told once, and breaks neither a read nor a push", async () => {
    const repository = root.repository();
    const files = { a: "a", "b/c": "x".repeat(2 ** 20 - 1) };
    const commit = commitWithGit(repository, files);
    const cacheDirectory = join(repository.directory, "file");
    writeFileSync(cacheDirectory, "in the way");
    const notices: string[] = [];
    const remote = openRemote({
      url: repository.url,
      cacheDirectory,
      onNotice: (sentence) => notices.push(sentence),
    });
    expect(await readAll(remote, commit)).toEqual(files);
    const pushed = await remote.push({
      branch: "main",
      expect: commit,
      changes: [{ path: "new", content: "n" }],
      message: "new",
      author: { name: "A", email: "a@example.org" },
      at: 0,
    });
    expect(await readAll(remote, pushed.kind === "pushed" ? pushed.commit : "")).toEqual({
      ...files,
      new: "n",
    });
    expect(notices).toEqual([expect.stringContaining("cannot be written")]);
  });

  test("because its disk is full breaks no read", async () => {
    const repository = root.repository();
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`f${n}`, noise(n, 5_000)]));
    const commit = commitWithGit(repository, files);
    const home = join(repository.directory, "small");
    mkdirSync(home);
    const cacheDirectory = join(home, "cache");
    const task: ReaderTask = { options: { url: repository.url, cacheDirectory }, commit, rounds: 3 };
    // A file system of 128 KiB that only this process and its children see.
    const mounted = 'mount -t tmpfs -o size=128k tmpfs "$0" && exec "$@"';
    const asRoot = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
    const { stdout, stderr } = await run("unshare", [
      "--mount",
      ...asRoot,
      "sh",
      "-c",
      mounted,
      home,
      process.execPath,
      readerScript,
      JSON.stringify(task),
    ]);
    expect(stderr).toContain("ENOSPC");
    expect(stdout.trim().split("\n")).toEqual(Array.from({ length: 3 }, () => digestOf(files)));
  });
});

describe.runIf(requireOrSkip("git"))("an object cache that was spoilt", () => {
  const root = gitDirectory();
  afterAll(() => root.close());

  test("by 500 flipped bytes never gives a wrong object", async () => {
    const { files, commit, options } = filledIn(root);
    const random = randomFrom(20_261_121);
    for (let round = 0; round < 10; round++) {
      expect(await readAll(openRemote(options), commit)).toEqual(files);
      expect(readdirSync(join(options.cacheDirectory, "bundles")).length).toBeGreaterThan(0);
      const all = filesIn(options.cacheDirectory).filter((file) => statSync(file).size > 0);
      for (let flips = 0; flips < 50; flips++) flipByte(all[random(all.length)] ?? "", random);
    }
    expect(await readAll(openRemote(options), commit)).toEqual(files);
  });

  test.each([
    ["empty", () => 0],
    ["half", (size: number) => size >> 1],
    ["without its end", (size: number) => size - 1],
  ])("by a bundle that is %s is healed", async (_what, lengthOf) => {
    const { files, commit, options } = filledIn(root);
    expect(await readAll(openRemote(options), commit)).toEqual(files);
    const bundles = filesIn(join(options.cacheDirectory, "bundles"));
    expect(bundles).not.toEqual([]);
    for (const file of bundles) truncateSync(file, lengthOf(statSync(file).size));
    expect(await readAll(openRemote(options), commit)).toEqual(files);
  });

  test("by flipped bytes is healed from a server without filter as well", async () => {
    const server = await startGitServer({ filter: false });
    onTestFinished(() => server.close());
    const { repository, files, commit, options } = filledIn(root);
    const served = server.repository();
    repository.git("push", "-q", served.directory, "main");
    const { username, password } = server;
    const over = { ...options, url: served.url, credentials: { username, password } };
    const random = randomFrom(7);
    for (let round = 0; round < 5; round++) {
      expect(await readAll(openRemote(over), commit)).toEqual(files);
      const all = filesIn(options.cacheDirectory).filter((file) => statSync(file).size > 0);
      for (let flips = 0; flips < 50; flips++) flipByte(all[random(all.length)] ?? "", random);
    }
  });
});

describe.runIf(requireOrSkip("git"))("an object cache of several processes", () => {
  const root = gitDirectory();
  afterAll(() => root.close());

  test("that were killed while they wrote it never gives a wrong object", async () => {
    const { files, commit, options } = filledIn(root);
    const random = randomFrom(3);
    for (let kills = 0; kills < 5; kills++) {
      const task: ReaderTask = { options: { ...options, maxCacheBytes: 20_000 }, commit, rounds: 1_000 };
      const reader = spawn(process.execPath, [readerScript, JSON.stringify(task)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      // Its first line says that it is at work, and that its loop of writing and sweeping goes on.
      await once(reader.stdout, "data");
      await sleep(random(30));
      reader.kill("SIGKILL");
      await once(reader, "exit");
      expect(await readAll(openRemote(options), commit)).toEqual(files);
    }
  });

  test("that sweep it under each other's hands gives each of them everything", async () => {
    const { files, commit, options } = filledIn(root);
    const task: ReaderTask = { options: { ...options, maxCacheBytes: 20_000 }, commit, rounds: 5 };
    const readers = [0, 1].map(() => run(process.execPath, [readerScript, JSON.stringify(task)]));
    const expected = Array.from({ length: 5 }, () => digestOf(files));
    for (const { stdout } of await Promise.all(readers)) expect(stdout.trim().split("\n")).toEqual(expected);
  });
});

function filledIn(root: ReturnType<typeof gitDirectory>) {
  const repository = root.repository();
  const files = Object.fromEntries(
    // Enough to come as one bundle, beside trees that are kept alone.
    Array.from({ length: 90 }, (_, n) => [`d${n % 7}/e${n % 3}/f${n}`, noise(n, 100 + n * 10)]),
  );
  const commit = commitWithGit(repository, files);
  const cacheDirectory = join(repository.directory, "cache");
  return { repository, files, commit, options: { url: repository.url, cacheDirectory } };
}

const run = promisify(execFile);
const readerScript = fileURLToPath(new URL("reader-process.ts", import.meta.url));

async function readAll(remote: Remote, commit: string): Promise<Readonly<Record<string, string>>> {
  const files = (await remote.files(commit, "")) ?? [];
  const contents = await remote.blobs(files.map(({ oid }) => oid));
  return Object.fromEntries(
    files.map(({ path, oid }) => [path, Buffer.from(contents.get(oid) ?? "missing").toString("utf8")]),
  );
}

/** What the reader prints for these files, which Git orders by path as long as no name is another one's beginning. */
function digestOf(files: Readonly<Record<string, string>>): string {
  const digest = createHash("sha256");
  for (const path of Object.keys(files).sort()) digest.update(`${path}\0`).update(files[path] ?? "");
  return digest.digest("hex");
}

function filesIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function flipByte(file: string, random: (below: number) => number): void {
  const bytes = readFileSync(file);
  const at = random(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 + random(255));
  writeFileSync(file, bytes);
}

/** The same numbers in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

function flipLast(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length - 30] = (copy.at(-30) ?? 0) ^ 0xff;
  return copy;
}

function objectsIn(cacheDirectory: string): readonly string[] {
  return filesIn(join(cacheDirectory, "objects"));
}

function noise(seed: number, length: number): string {
  let state = seed + 1;
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return String.fromCharCode(33 + (state % 90));
  }).join("");
}
