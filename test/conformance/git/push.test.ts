import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { gitDirectory } from "../../support/git-remote.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { asChanges, at, author, commitWithGit, type Open, onEveryServer, placeOn } from "./remote-fixture.ts";

onEveryServer({
  "writing files": writingFiles,
  "writing folders": writingFolders,
  "writing a branch that moves": writingABranchThatMoves,
  "writing to what dies": writingToWhatDies,
  "writing what is refused": writingWhatIsRefused,
});

function writingFiles(open: Open): void {
  test("the first commit of an empty repository makes the branch", async () => {
    const { repository, pushed, remote } = open();
    const commit = await pushed(
      { "a/b.yaml": "b\n" },
      { branch: "holdfast-record", expect: undefined, message: "first\n\nTrailer: x" },
    );
    expect(await remote.tip("holdfast-record")).toBe(commit);
    expect(repository.git("rev-parse", "refs/heads/holdfast-record").trim()).toBe(commit);
    expect(repository.git("cat-file", "commit", commit).replace(/^tree .*\n/, "")).toBe(
      "author Holdfast <holdfast@example.org> 1795168800 +0000\n" +
        "committer Holdfast <holdfast@example.org> 1795168800 +0000\n\nfirst\n\nTrailer: x\n",
    );
    expect(fsck(repository)).toBe("");
  });

  test("files are added, changed and removed, and everything else stays as it is", async () => {
    const { repository, pushed } = open();
    const oid = repository.gitWith("run", "hash-object", "-w", "--stdin").trim();
    commitWithGit(repository, {
      "a/keep": "k",
      "a/change": "old",
      "a/b/gone": "g",
      "a/run": { mode: "100755", oid },
      "a/link": { mode: "120000", oid },
      z: "z",
    });
    await pushed({
      "a/change": "new",
      "a/b/gone": null,
      "a/run": "run 2",
      "n/e/w": "ü\n",
      absent: null,
      "absent/too": null,
    });
    expect(
      repository.git("ls-tree", "-r", "--format=%(objectmode) %(path)", "main").trim().split("\n"),
    ).toEqual([
      "100644 a/change",
      "100644 a/keep",
      "120000 a/link",
      "100755 a/run",
      "100644 n/e/w",
      "100644 z",
    ]);
    expect(repository.git("show", "main:a/change", "main:n/e/w", "main:a/run")).toBe("newü\nrun 2");
    expect(repository.git("ls-tree", "main:a")).not.toContain("\tb");
    expect(fsck(repository)).toBe("");
  });
}

function writingFolders(open: Open): void {
  test("the last file of every folder goes and takes the folders with it", async () => {
    const { repository, pushed } = open();
    await pushed({ "a/b/c/d": "1", e: "2" });
    await pushed({ "a/b/c/d": null });
    expect(repository.git("ls-tree", "-rt", "--name-only", "main")).toBe("e\n");
    await pushed({ e: null });
    expect(repository.git("ls-tree", "main")).toBe("");
    expect(fsck(repository)).toBe("");
  });

  test("a folder 40 levels deep, names that sort oddly and names that are not UTF-8 survive", async () => {
    const { repository, pushed, remote } = open();
    const blob = repository.gitWith("x", "hash-object", "-w", "--stdin").trim();
    const odd = Buffer.concat([Buffer.from("100644 caf"), Buffer.from([0xe9, 0]), Buffer.from(blob, "hex")]);
    const tree = repository.gitWith(odd, "hash-object", "-t", "tree", "-w", "--stdin").trim();
    const commit = repository.gitWith("odd\n", "commit-tree", tree).trim();
    repository.git("update-ref", "refs/heads/main", commit);
    const deep = `${"d/".repeat(40)}end`;
    const names = [
      "a",
      "a.b",
      "a-b",
      "a0",
      "ab/c",
      "ab.c",
      "ab0",
      "\uff21",
      "😀",
      "back\\slash",
      "sp ace",
      deep,
    ];
    await pushed(Object.fromEntries(names.map((name) => [name, name])), { expect: commit });
    const listed = repository.git("ls-tree", "-rz", "--name-only", "main").split("\0");
    expect(listed).toEqual(expect.arrayContaining(names));
    expect(repository.git("ls-tree", "main")).toContain('"caf\\351"');
    expect((await remote.files((await remote.tip("main")) ?? "", ""))?.length).toBe(names.length + 1);
    expect(fsck(repository)).toBe("");
  });
}

function writingABranchThatMoves(open: Open): void {
  test("a branch that moved meanwhile is left alone and its tip told", async () => {
    const { repository, push, pushed } = open();
    const one = await pushed({ a: "1" });
    const two = await pushed({ a: "2" });
    expect(await push({ a: "3" }, { expect: one })).toEqual({ kind: "moved", tip: two });
    expect(await push({ a: "3" }, { expect: undefined })).toEqual({ kind: "moved", tip: two });
    repository.git("update-ref", "-d", "refs/heads/main");
    expect(await push({ a: "3" }, { expect: two })).toEqual({ kind: "moved", tip: undefined });
    expect(repository.git("for-each-ref")).toBe("");
  });

  test("changes that change nothing push nothing", async () => {
    const { repository, push, pushed } = open();
    const one = await pushed({ a: "1" });
    expect(await push({ a: "1", gone: null })).toEqual({ kind: "pushed", commit: one });
    expect(await push({})).toEqual({ kind: "pushed", commit: one });
    const two = await pushed({ a: "2" });
    expect(await push({ a: "1" }, { expect: one })).toEqual({ kind: "moved", tip: two });
    expect(repository.git("rev-list", "--count", "main").trim()).toBe("2");
    await expect(push({ b: null }, { branch: "new", expect: undefined })).rejects.toThrow(
      "would hold no file",
    );
  });

  test("the same push made again is recognised, also below the commits of others", async () => {
    const { repository, push, pushed, another } = open();
    const base = await pushed({ a: "1" });
    const request = {
      branch: "main",
      expect: base,
      changes: asChanges({ b: "2" }),
      message: "b",
      author,
      at,
    };
    const first = await another().push(request);
    expect(await another().push(request)).toEqual(first);
    await push({ c: "3" });
    expect(await another().push(request)).toEqual(first);
    expect(repository.git("rev-list", "--count", "main").trim()).toBe("3");
  });

  test("two writers at the same time lose none", async ({ signal }) => {
    const { repository, another, pushed } = open();
    await pushed({ start: "s" });
    const write = async (name: string) => {
      const remote = another();
      for (let n = 0; n < 3; n++) {
        while (!signal.aborted) {
          const expectedTip = await remote.tip("main");
          const changes = asChanges({ [`${name}/${n}`]: `${name} ${n}` });
          const result = await remote.push({
            branch: "main",
            expect: expectedTip,
            changes,
            message: `${name} ${n}`,
            author,
            at,
          });
          if (result.kind === "pushed") break;
        }
      }
    };
    await Promise.all([write("left"), write("right")]);
    expect(repository.git("ls-tree", "-r", "--name-only", "main").trim().split("\n")).toHaveLength(7);
    expect(repository.git("rev-list", "--count", "main").trim()).toBe("7");
    expect(repository.git("rev-list", "--merges", "main")).toBe("");
    const subjects = repository.git("log", "--format=%s", "main").trim().split("\n");
    expect(new Set(subjects).size).toBe(7);
    expect(fsck(repository)).toBe("");
  });
}

function writingToWhatDies(open: Open): void {
  test("a push is recognised whose server died after it had accepted it", async () => {
    const { repository, pushed, push } = open({ clock: hurriedClock() });
    const base = await pushed({ a: "1" });
    const hook = join(repository.directory, "hooks", "post-receive");
    // The hook's parent is receive-pack, which has moved the branch and not answered yet.
    writeFileSync(hook, "#!/bin/sh\nkill -9 $PPID\n");
    chmodSync(hook, 0o755);
    const result = await push({ a: "2" }, { expect: base });
    expect(result).toEqual({ kind: "pushed", commit: repository.git("rev-parse", "main").trim() });
    expect(repository.git("rev-list", "--count", "main").trim()).toBe("2");
  });
}

function writingWhatIsRefused(open: Open): void {
  test("a hook that refuses stops the push with its own words", async () => {
    const { repository, push } = open();
    const hook = join(repository.directory, "hooks", "pre-receive");
    writeFileSync(hook, "#!/bin/sh\necho 'only on Fridays' >&2\nexit 1\n");
    chmodSync(hook, 0o755);
    const refused = expect.objectContaining({ reason: "PushRefused", disposition: "stall" });
    await expect(push({ a: "1" })).rejects.toEqual(refused);
    await expect(push({ a: "1" })).rejects.toThrow("only on Fridays");
    expect(repository.git("for-each-ref")).toBe("");
  });

  test("a push to the branch that is checked out there is refused with that cause, and not as forbidden", async () => {
    const { repository, push } = open();
    const before = commitWithGit(repository, { a: "a" });
    repository.git("config", "core.bare", "false");
    const next = expect.stringMatching(/main is checked out there, and receive\.denyCurrentBranch/);
    const refused = expect.objectContaining({ reason: "PushRefused", next });
    await expect(push({ a: "1" }, { expect: before })).rejects.toEqual(refused);
  });

  test("a branch whose name is in another branch's way is refused, not tried for ever", async () => {
    const { push, pushed } = open();
    await pushed({ a: "1" }, { branch: "record", expect: undefined });
    const refused = expect.objectContaining({ reason: "PushRefused" });
    await expect(push({ a: "1" }, { branch: "record/prod", expect: undefined })).rejects.toEqual(refused);
  });

  test("a file and a folder are never put in each other's place by accident", async () => {
    const { repository, push, pushed } = open();
    const oid = repository.gitWith("t", "hash-object", "-w", "--stdin").trim();
    commitWithGit(repository, { file: "f", "folder/x": "x", link: { mode: "120000", oid } });
    const conflict = expect.objectContaining({ reason: "PathConflict" });
    for (const changes of [
      { "file/below": "x" },
      { folder: "x" },
      { folder: null },
      { link: "x" },
      { n: "1", "n/m": "2" },
    ]) {
      await expect(push(changes)).rejects.toEqual(conflict);
    }
    await expect(push({}, { changes: [...asChanges({ a: "1" }), ...asChanges({ a: "2" })] })).rejects.toEqual(
      conflict,
    );
    await pushed({ file: null, "file/below": "now a folder", link: null });
    expect(repository.git("ls-tree", "-r", "--name-only", "main")).toBe("file/below\nfolder/x\n");
  });
}

describe.runIf(requireOrSkip("git"))("what is refused before anybody is asked", () => {
  const root = gitDirectory();
  afterAll(() => root.close());
  const open = () => placeOn({ repository: () => root.repository(), options: {}, close: () => root.close() });

  test.each(["../a", "/a", "a/../b", "a//b", ".git/config", "a/.GIT/b", "a\0b", "", "a/", "./a"])(
    "the path %j is not written",
    async (path) => {
      const { push, repository } = open();
      await expect(push({ [path]: "x" })).rejects.toEqual(expect.objectContaining({ reason: "UnsafePath" }));
      expect(repository.git("for-each-ref")).toBe("");
    },
  );

  test.each(["-x", "a..b", "a b", "a\nb", "refs\0", "x.lock", "/x", "x/", "@", ""])(
    "the branch name %j is refused",
    async (branch) => {
      const { push, remote } = open();
      const invalid = expect.objectContaining({ reason: "BranchNameInvalid" });
      await expect(remote.tip(branch)).rejects.toEqual(invalid);
      await expect(push({ a: "1" }, { branch, expect: undefined })).rejects.toEqual(invalid);
    },
  );
});

function fsck({ git }: { git(...args: readonly string[]): string }): string {
  return git("fsck", "--strict", "--full", "--no-dangling");
}
