import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { openRemote } from "../../../src/ports/git/open-remote.ts";
import type { Remote } from "../../../src/ports/git/remote.ts";
import {
  commitFolder,
  type FolderMirror,
  followFolder,
  makeMirror,
} from "../../../src/shells/folder-mirror.ts";

const { signal } = new AbortController();
let home: string;
let repository: string;
let mirror: FolderMirror;

function git(...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: repository, encoding: "utf8" });
}

function save(path: string, content: string): void {
  writeFileSync(join(mirror.folder, path), content);
}

function policy(name: string): string {
  return `apiVersion: storage.kubestash.com/v1alpha1\nkind: RetentionPolicy\nmetadata: {name: ${name}, namespace: vault}\nspec:\n  maxRetentionPeriod: 30d\n`;
}

/** What is refused leaves not one object behind. */
async function expectRefused(why: RegExp): Promise<void> {
  await expect(commitFolder(mirror, signal)).rejects.toThrow(why);
  expect(git("count-objects")).toMatch(/^0 objects/);
}

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "holdfast-mirror-"));
  repository = join(home, "folder.git");
  const folder = join(home, "manifests");
  mkdirSync(folder);
  await makeMirror(repository, "main", signal);
  const remote = openRemote({ url: repository, cacheDirectory: join(home, "cache"), signal });
  mirror = { folder, remote, branch: "main", clock: systemClock };
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

test("only the owner may look into the repository", async () => {
  expect(statSync(repository).mode & 0o777).toBe(0o700);
});

test.each([
  ["values", 'kind: Secret\nmetadata: {name: key}\nstringData: {key: "hidden"}\n', 7],
  ["values beside a sops block", "kind: Secret\nsops: {}\ndata: {key: aGlkZGVu}\n", 7],
  ["values in a list", "kind: List\nitems:\n- kind: Secret\n  data: {key: aGlkZGVu}\n", 9],
  ["values and a mistake", "kind: Secret\ndata: {key: aGlkZGVu\n---\n", 0],
])("a Secret with %s is refused with file and line, and nothing is written", async (_what, secret, line) => {
  save("a.yaml", policy("a"));
  save("b.yaml", `${policy("b")}---\n${secret}`);
  await expectRefused(
    line === 0
      ? /b\.yaml:\d+: it cannot be read and speaks of a Secret/
      : new RegExp(`b\\.yaml:${line}: it is a Secret`),
  );
});

test("a Secret without values is no secret", async () => {
  save("a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: empty}\n");
  expect(await commitFolder(mirror, signal)).toBe(git("rev-parse", "main").trim());
});

test("record.folder is refused: the record would be removed with what is not in the folder", async () => {
  save("a.yaml", policy("a"));
  save("holdfast.yaml", "clusters: {lab: {path: .}}\nrecord: {folder: record}\n");
  await expectRefused(/holdfast\.yaml: record\.folder needs a Git repository/);
  save("holdfast.yaml", "clusters: {lab: {path: .}}\nrecord: {branch: record}\n");
  expect(await commitFolder(mirror, signal)).toBe(git("rev-parse", "main").trim());
});

test("a file is not read to find out that it is too large", async () => {
  save("a.yaml", "");
  // More than Node reads in one go, and nothing on the disk.
  truncateSync(join(mirror.folder, "a.yaml"), 3 * 1024 ** 3);
  await expectRefused(/a\.yaml: it is larger than 1048576 bytes/);
});

test("a branch that moves meanwhile is taken up again at once, and equal is told from moved", async () => {
  save("a.yaml", policy("a"));
  await commitFolder(mirror, signal);
  save("a.yaml", policy("b"));
  const moved = await commitFolder({ ...mirror, remote: withRival(mirror.remote, 1) }, signal);
  expect(moved).toBe(git("rev-parse", "main").trim());
  expect(git("show", "main:a.yaml")).toBe(policy("b"));
  expect(await commitFolder(mirror, signal)).toBeUndefined();
  save("a.yaml", policy("c"));
  const never = commitFolder({ ...mirror, remote: withRival(mirror.remote, 100) }, signal);
  await expect(never).rejects.toMatchObject({ reason: "FolderBranchMoves", disposition: "retry" });
});

/** The same remote, with somebody who pushes between looking at the tip and pushing. */
function withRival(remote: Remote, times: number): Remote {
  let left = times;
  return {
    ...remote,
    tip: async (branch, ending) => {
      const tip = await remote.tip(branch, ending);
      if (left > 0) {
        left -= 1;
        const tree = git("rev-parse", "main^{tree}").trim();
        const rival = ["-c", "user.name=rival", "-c", "user.email=rival@localhost", "commit-tree", tree];
        git("update-ref", "refs/heads/main", git(...rival, "-p", "main", "-m", `rival ${left}`).trim());
      }
      return tip;
    },
  };
}

/** A clock whose only sleeper wakes by `look`, which answers when it sleeps again. */
function lookingClock(): { readonly clock: Clock; readonly look: () => Promise<void> } {
  let wake: () => void = () => undefined;
  let slept: () => void = () => undefined;
  const sleep = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
      slept();
    });
  const look = () =>
    new Promise<void>((resolve) => {
      slept = resolve;
      wake();
    });
  return { clock: { now: () => Date.now(), sleep }, look };
}

test("a folder is taken when it looks the same twice, and what is wrong with it is told once", async () => {
  const { clock, look } = lookingClock();
  const ending = new AbortController();
  const commits: string[] = [];
  const errors: string[] = [];
  const events = {
    onCommit: (commit: string) => void commits.push(commit),
    onError: ({ message }: Error) => void errors.push(message),
  };
  const following = followFolder({ ...mirror, clock }, events, ending.signal);
  const taken: number[] = [];
  for (const content of [
    policy("a"),
    policy("bb"),
    policy("bb"),
    undefined,
    undefined,
    "kind: Secret\ndata: {k: aGk=}\n",
  ]) {
    if (content !== undefined) writeFileSync(join(mirror.folder, "a.yaml"), content);
    await look();
    taken.push(commits.length);
  }
  expect(taken).toEqual([0, 0, 0, 1, 1, 1]);
  for (const _ of [1, 2, 3]) await look();
  expect(errors).toEqual([expect.stringMatching(/a\.yaml:1: it is a Secret with values/)]);
  expect(commits).toEqual([git("rev-parse", "main").trim()]);
  expect(git("show", "main:a.yaml")).toBe(policy("bb"));
  ending.abort();
  void look();
  await following;
});
