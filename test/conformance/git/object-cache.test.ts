import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openRemote } from "../../../src/ports/git/open-remote.ts";
import { gitDirectory } from "../../support/git-remote.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
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

  test("one that cannot be written is named", async () => {
    const repository = root.repository();
    const commit = commitWithGit(repository, { a: "a" });
    const cacheDirectory = join(repository.directory, "file");
    writeFileSync(cacheDirectory, "in the way");
    const remote = openRemote({ url: repository.url, cacheDirectory });
    await expect(remote.files(commit, "")).rejects.toEqual(
      expect.objectContaining({ reason: "CacheUnwritable" }),
    );
  });
});

function flipLast(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length - 30] = (copy.at(-30) ?? 0) ^ 0xff;
  return copy;
}

function objectsIn(cacheDirectory: string): readonly string[] {
  return readdirSync(join(cacheDirectory, "objects"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function noise(seed: number, length: number): string {
  let state = seed + 1;
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return String.fromCharCode(33 + (state % 90));
  }).join("");
}
