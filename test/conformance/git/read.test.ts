import { globSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commitWithGit, type Open, onEveryServer, textOf, toArray } from "./remote-fixture.ts";

const absent = "1234567890123456789012345678901234567890";

onEveryServer({
  "reading files": readingFiles,
  "reading entries": readingEntries,
  "reading much": readingMuch,
  "reading history": readingHistory,
  "a history of merges": mergedHistory,
  "moving on": movingOn,
  "reading what is missing, large or evil": readingWhatIsMissingLargeOrEvil,
});

function readingFiles(open: Open): void {
  test("an empty repository has no tip", async () => {
    expect(await open().remote.tip("main")).toBeUndefined();
  });

  test("a branch is found by its whole name only", async () => {
    const { repository, remote } = open();
    const commit = commitWithGit(repository, { a: "a" }, { branch: "release/one" });
    expect(await remote.tip("release/one")).toBe(commit);
    expect(await remote.tip("release/on")).toBeUndefined();
    expect(await remote.tip("release")).toBeUndefined();
  });

  test("a clone knows where a branch stood at its origin, and nobody else does", async () => {
    const { repository, remote } = open();
    const commit = commitWithGit(repository, { a: "a" }, { branch: "record" });
    expect(await remote.originTip("record")).toBeUndefined();
    expect(await remote.isClone()).toBe(false);
    repository.git("update-ref", "refs/remotes/origin/taken", commit);
    expect(await remote.originTip("taken")).toBe(commit);
    expect(await remote.tip("taken")).toBeUndefined();
    expect(await remote.isClone()).toBe(true);
  });

  test("files and contents are those that git sees, in git's order", async () => {
    const { repository, remote } = open();
    const files = new Map(
      Object.entries({
        "b/c.yaml": "c\n",
        "b.yaml": "",
        "b-c": "x",
        "ü/😀.yaml": "grün\n",
        "\uff21": "A",
        "b/d/e/f": "deep",
      }),
    );
    const commit = commitWithGit(repository, Object.fromEntries(files));
    const listed = await remote.files(commit, "");
    const expected = repository.git("ls-tree", "-r", "-z", commit).split("\0").filter(Boolean);
    expect(listed?.map(({ path, oid }) => `100644 blob ${oid}\t${path}`)).toEqual(expected);
    const contents = await remote.blobs(listed?.map(({ oid }) => oid) ?? []);
    for (const { path, oid } of listed ?? []) {
      expect(Buffer.from(contents.get(oid) ?? "?").toString("utf8")).toBe(files.get(path));
    }
  });
}

function readingEntries(open: Open): void {
  test("a folder is listed by paths from the root, and one that is absent or a file is none", async () => {
    const { repository, remote } = open();
    const commit = commitWithGit(repository, {
      "clusters/prod/a.yaml": "a",
      "clusters/prod/b/c.yaml": "c",
      other: "o",
    });
    const paths = async (folder: string) => (await remote.files(commit, folder))?.map(({ path }) => path);
    expect(await paths("clusters/prod")).toEqual(["clusters/prod/a.yaml", "clusters/prod/b/c.yaml"]);
    expect(await paths("clusters/prod/")).toEqual(["clusters/prod/a.yaml", "clusters/prod/b/c.yaml"]);
    expect(await paths("./clusters/prod/b")).toEqual(["clusters/prod/b/c.yaml"]);
    expect(await paths("clusters/test")).toBeUndefined();
    expect(await paths("other")).toBeUndefined();
    expect(await paths("other/below")).toBeUndefined();
  });

  test("executables, symlinks and submodules are named as such and not followed", async () => {
    const { repository, remote } = open();
    const oid = repository.gitWith("target", "hash-object", "-w", "--stdin").trim();
    const first = commitWithGit(repository, { a: "a" });
    const commit = commitWithGit(repository, {
      link: { mode: "120000", oid },
      module: { mode: "160000", oid: first },
      plain: { mode: "100644", oid },
      run: { mode: "100755", oid },
    });
    expect((await remote.files(commit, ""))?.map(({ path, type }) => [path, type])).toEqual([
      ["link", "symlink"],
      ["module", "submodule"],
      ["plain", "file"],
      ["run", "executable"],
    ]);
  });

  test("a commit is read with its parents, message, author and time", async () => {
    const { repository, remote } = open();
    const one = commitWithGit(repository, { a: "a" });
    const two = commitWithGit(repository, { a: "b" }, { parent: one, message: "zwei: größer\n\nBody.\n" });
    expect(await remote.commit(two)).toEqual({
      oid: two,
      parents: [one],
      tree: repository.git("rev-parse", `${two}^{tree}`).trim(),
      message: "zwei: größer\n\nBody.\n",
      author: "A Person <person@example.org>",
      committedAt: 1_700_000_000_000,
    });
  });
}

function readingMuch(open: Open): void {
  test("a thousand files in one folder come whole", async () => {
    const { repository, remote } = open();
    const files = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`f/${n}.yaml`, `n: ${n}\n`]));
    const lines = Object.entries(files).map(
      ([path, text]) => `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`,
    );
    const stream = `commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 0\n\n${lines.join("")}`;
    repository.gitWith(stream, "fast-import", "--quiet");
    const tip = (await remote.tip("main")) ?? "";
    const listed = (await remote.files(tip, "f")) ?? [];
    expect(listed).toHaveLength(1_000);
    const contents = await remote.blobs(listed.map(({ oid }) => oid));
    for (const { path, oid } of listed)
      expect(Buffer.from(contents.get(oid) ?? "").toString()).toBe(files[path]);
  });

  test("an object stored as a chain of deltas is made whole", async () => {
    const { repository, remote } = open();
    const text = (n: number) =>
      Array.from({ length: 400 }, (_, line) => `line ${line} ${line % 7 === n ? n : ""}\n`).join("");
    const files = Object.fromEntries([0, 1, 2, 3, 4].map((n) => [`f${n}`, text(n)]));
    const commit = commitWithGit(repository, files);
    repository.git("repack", "-adfq", "--depth=50");
    expect(repository.git("verify-pack", "-v", ...packsOf(repository.directory))).toContain("chain length");
    const listed = (await remote.files(commit, "")) ?? [];
    for (const { path, oid } of listed) expect(await textOf(remote, oid)).toBe(files[path]);
  });
}

function readingHistory(open: Open): void {
  test("the log follows first parents, newest first, up to where it is told", async () => {
    const { repository, remote } = open();
    const commits = historyOf(repository, 130);
    const ids = async (options?: Parameters<typeof remote.log>[1]) =>
      (await toArray(remote.log(commits[0] ?? "", options))).map(({ oid }) => oid);
    expect(await ids({ limit: 3 })).toEqual(commits.slice(0, 3));
    expect(await ids({ until: commits[4] ?? "" })).toEqual(commits.slice(0, 4));
    expect(await ids()).toEqual(commits);
  });

  test("an ancestor is told from a commit of a rewritten history", async () => {
    const { repository, another } = open();
    const commits = historyOf(repository, 12);
    const [newest = "", , , old = ""] = commits;
    expect(await another().isAncestor(old, newest)).toBe(true);
    expect(await another().isAncestor(newest, newest)).toBe(true);
    expect(await another().isAncestor(newest, old)).toBe(false);
    const rewritten = commitWithGit(repository, { a: "other" }, { parent: commits[6] ?? "" });
    expect(await another().isAncestor(old, rewritten)).toBe(false);
    const unrelated = commitWithGit(repository, { a: "alone" });
    expect(await another().isAncestor(old, unrelated)).toBe(false);
    expect(await another().isAncestor(absent, unrelated)).toBe(false);
  });

  test("an ancestor is found through the second parent of a merge", async () => {
    const { repository, remote } = open();
    const [main = "", , fork = ""] = historyOf(repository, 4);
    const side = commitWithGit(repository, { side: "s" }, { parent: fork, branch: "side" });
    const tree = repository.git("rev-parse", `${main}^{tree}`).trim();
    const merge = repository.gitWith("merge\n", "commit-tree", tree, "-p", main, "-p", side).trim();
    repository.git("update-ref", "refs/heads/main", merge);
    expect(await remote.isAncestor(side, merge)).toBe(true);
    expect(await remote.isAncestor(fork, merge)).toBe(true);
  });
}

function mergedHistory(open: Open): void {
  test("an ancestor is found below many merges of branches that began before it", async () => {
    const { repository, remote } = open();
    const commits = historyOf(repository, 12);
    const [older = ""] = commits;
    const tree = repository.git("rev-parse", `${older}^{tree}`).trim();
    let tip = older;
    for (const fork of commits.slice(2, 10)) {
      const side = commitWithGit(repository, { side: fork }, { parent: fork, branch: "side" });
      tip = repository.gitWith("merge\n", "commit-tree", tree, "-p", tip, "-p", side).trim();
    }
    repository.git("update-ref", "refs/heads/main", tip);
    expect(await remote.isAncestor(older, tip)).toBe(true);
    expect(await remote.isAncestor(tip, older)).toBe(false);
  });
}

function movingOn(open: Open): void {
  test("moving on from a known tip brings what is new", async () => {
    const { repository, remote } = open();
    const one = commitWithGit(repository, { "a/b": "1", "c/d": "same" });
    await remote.files(one, "");
    const two = commitWithGit(repository, { "a/b": "2", "c/d": "same", "a/e": "new" }, { parent: one });
    const listed = (await remote.files(two, "")) ?? [];
    const contents = await Promise.all(
      listed.map(async ({ path, oid }) => [path, await textOf(remote, oid)]),
    );
    expect(contents).toEqual([
      ["a/b", "2"],
      ["a/e", "new"],
      ["c/d", "same"],
    ]);
  });

  test("a file that comes back as it was before the known tip is had", async () => {
    const { repository, remote } = open();
    const one = commitWithGit(repository, { a: "1", b: "b" });
    const two = commitWithGit(repository, { a: "2", b: "b" }, { parent: one });
    const three = commitWithGit(repository, { a: "1", b: "c" }, { parent: two });
    // With bitmaps a server leaves out whatever the known tip has ever held.
    repository.git("repack", "-adbq");
    await remote.files(two, "");
    expect(await remote.isAncestor(two, three)).toBe(true);
    const listed = (await remote.files(three, "")) ?? [];
    expect(await Promise.all(listed.map(({ oid }) => textOf(remote, oid)))).toEqual(["1", "c"]);
  });
}

function readingWhatIsMissingLargeOrEvil(open: Open): void {
  test("an object that the remote does not have is missing by name", async () => {
    const { pushed, remote, repository } = open();
    await pushed({ a: "a" });
    const missing = expect.objectContaining({ reason: "ObjectMissing", disposition: "stall" });
    await expect(remote.commit(absent)).rejects.toEqual(missing);
    await expect(remote.commit(absent)).rejects.toThrow(absent);
    const known = repository.git("rev-parse", "main:a").trim();
    await expect(remote.blobs([known, absent])).rejects.toThrow(absent);
  });

  test("a blob over the limit is refused by name", async () => {
    const { repository, remote } = open();
    const commit = commitWithGit(repository, { small: "s", large: "x".repeat(2 ** 20 + 1) });
    const [large, small] = (await remote.files(commit, "")) ?? [];
    const tooLarge = expect.objectContaining({ reason: "ObjectTooLarge", disposition: "stall" });
    await expect(remote.blobs([large?.oid ?? ""])).rejects.toEqual(tooLarge);
    await expect(remote.blobs([small?.oid ?? ""], { maxBytes: 0 })).rejects.toEqual(tooLarge);
    expect((await remote.blobs([large?.oid ?? ""], { maxBytes: 2 ** 21 })).size).toBe(1);
  });

  test.each([
    ["40000", ".."],
    ["100644", "../../a"],
    ["100777", "mode"],
  ])("an entry of mode %s named %j is listed as refused, and its neighbours are read", async (mode, name) => {
    const { repository, remote } = open();
    const write = (type: string, content: string | Buffer) =>
      repository.gitWith(content, "hash-object", "-t", type, "-w", "--literally", "--stdin").trim();
    const entry = (of: string, called: string, oid: string) =>
      Buffer.concat([Buffer.from(`${of} ${called}\0`), Buffer.from(oid, "hex")]);
    const blob = write("blob", "x");
    const target = mode === "40000" ? write("tree", entry("100644", "inner", blob)) : blob;
    const tree = write("tree", Buffer.concat([entry(mode, name, target), entry("100644", "z", blob)]));
    const commit = repository.gitWith("evil\n", "commit-tree", tree).trim();
    repository.git("update-ref", "refs/heads/main", commit);
    const listed = (await remote.files(commit, ""))?.map(({ path, type }) => [path, type]);
    expect(listed).toEqual([
      [name, "refused"],
      ["z", "file"],
    ]);
    await expect(remote.files(commit, "a/..")).rejects.toEqual(
      expect.objectContaining({ reason: "UnsafePath" }),
    );
  });

  test("a conversation ends when it is told to", async () => {
    const { pushed, remote } = open();
    await pushed({ a: "a" });
    const broken = expect.objectContaining({ reason: "Aborted" });
    await expect(remote.tip("main", AbortSignal.abort())).rejects.toEqual(broken);
  });
}

function historyOf(repository: Parameters<typeof commitWithGit>[0], count: number): readonly string[] {
  const commits = Array.from({ length: count }, (_, n) => {
    const text = `${n}`;
    return `commit refs/heads/main\ncommitter A <a@b> ${1_700_000_000 + n} +0000\ndata ${text.length}\n${text}\nM 100644 inline a\ndata ${text.length}\n${text}\n`;
  });
  repository.gitWith(commits.join(""), "fast-import", "--quiet");
  return repository.git("rev-list", "main").trim().split("\n");
}

function packsOf(directory: string): readonly string[] {
  return globSync(join(directory, "objects/pack/*.idx"));
}
