import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { type RecordAt, type RecordTarget, readRecord } from "../../../src/pass/record/read-record.ts";
import type { RecordInterest } from "../../../src/pass/record/recorded.ts";
import { writeRecord } from "../../../src/pass/record/write-record.ts";
import { openRemote } from "../../../src/ports/git/open-remote.ts";
import type { Oid, Remote } from "../../../src/ports/git/remote.ts";
import { createGitopsRemote } from "../../support/gitops-remote.ts";

const home = mkdtempSync(join(tmpdir(), "holdfast-read-record-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const { signal } = new AbortController();
const sessions = "clusters/lab/sessions/app/web/2026";
const lists = (path: string, days: readonly string[]) => days.map((day) => `${path}/${day}/s.yaml`);

/** What `main` of a repository holds is the record in these tests, in a folder of its own. */
const target: RecordTarget = { cluster: "lab", branch: "main", folder: "kept/record" };
let count = 0;

/** A remote with these entries in its record, and which folders were asked of it. */
function recordOf(paths: readonly string[]) {
  count += 1;
  const at = join(home, String(count));
  const git = createGitopsRemote(at);
  const commit = (changes: Readonly<Record<string, string | null>>) =>
    git.commit(
      "Change the record",
      Object.fromEntries(Object.entries(changes).map(([path, text]) => [`kept/record/${path}`, text])),
    );
  commit(Object.fromEntries(paths.map((path) => [path, `kind: ${path.length}\n`])));
  const asked: Oid[] = [];
  const real = openRemote({ url: git.bare, cacheDirectory: join(at, "cache") });
  const remote: Remote = {
    ...real,
    trees: (oids, given) => {
      asked.push(...oids);
      return real.trees(oids, given);
    },
  };
  const read = (interest: RecordInterest, previous?: RecordAt) =>
    readRecord(remote, target, { interest, signal, ...(previous ? { previous } : {}) });
  return { git, commit, remote, read, foldersAsked: () => asked.splice(0).length };
}

function interestIn(paths: readonly string[], parents: readonly string[] = []): RecordInterest {
  return { paths: new Set(paths), parents: new Set(parents) };
}

const all = [
  ...lists(sessions, ["06/01", "06/02", "07/01"]),
  "clusters/lab/sessions/gone/web/2026/06/01/s.yaml",
  "clusters/lab/snapshots/app/web/2026/06/01/s.yaml",
  "clusters/lab/configurations/app/web.yaml",
  "clusters/other/configurations/app/web.yaml",
];

describe("reading the record", () => {
  test("opens what is asked for, names the other days of a parent, and passes the rest by", async () => {
    const { read } = recordOf(all);
    const seen = await read(
      interestIn(
        [`${sessions}/07/01/new.yaml`],
        ["clusters/lab/sessions/app/web", "clusters/lab/sessions/no/one"],
      ),
    );
    expect(seen.paths()).toEqual(["clusters/lab/configurations/app/web.yaml", `${sessions}/07/01/s.yaml`]);
    expect(seen.otherDays()).toEqual([`${sessions}/06/01`, `${sessions}/06/02`]);
    expect(seen.entry(`${sessions}/07/01/new.yaml`)).toBeUndefined();
    expect(seen.entry(`${sessions}/06/01`)).toMatch(/^[0-9a-f]{40}$/);
    expect(seen.holds(`${sessions}/07/01/s.yaml`, { kind: `${sessions}/07/01/s.yaml`.length })).toBe(true);
  });

  test("reads again only folders that changed, and nothing while the tip stands", async () => {
    const { read, commit, foldersAsked } = recordOf(all);
    const interest = interestIn([`${sessions}/07/01/s.yaml`], ["clusters/lab/sessions/app/web"]);
    const first = await read(interest);
    expect(foldersAsked()).toBeGreaterThan(10);
    expect(await read(interest, first)).toBe(first);
    expect(foldersAsked()).toBe(0);
    commit({ [`${sessions}/07/01/next.yaml`]: "a: 1\n" });
    const second = await read(interest, first);
    // The root, kept, record, clusters, lab, sessions, app, web, 2026, 07, 01.
    expect(foldersAsked()).toBe(11);
    expect(second.paths()).toContain(`${sessions}/07/01/next.yaml`);
    const more = interestIn([...interest.paths, `${sessions}/06/02/s.yaml`], [...interest.parents]);
    expect((await read(more, second)).otherDays()).toEqual([`${sessions}/06/01`]);
    expect(foldersAsked()).toBe(1);
  });
});

describe("the record as read", () => {
  test("an entry's content is compared at every tip, in whatever order its fields come", async () => {
    const { git, commit, read } = recordOf([]);
    const path = "clusters/lab/configurations/app/web.yaml";
    commit({ [path]: "a: 1\nb: two\n" });
    const first = await read(interestIn([path]));
    expect(first.holds(path, { a: 1, b: "two" })).toBe(true);
    expect(first.holds(path, { b: "two", a: 1 })).toBe(true);
    expect(first.holds(path, { a: 2, b: "two" })).toBe(false);
    expect(first.holds(path, { a: 1, b: "two" })).toBe(true);
    commit({ [path]: "a: 2\nb: two\n" });
    const second = await read(interestIn([path]), first);
    expect(second.holds(path, { a: 1, b: "two" })).toBe(false);
    expect(second.holds(path, { a: 2, b: "two" })).toBe(true);
    expect(second.holds("clusters/lab/configurations/app/other.yaml", { a: 2 })).toBe(false);
    expect(git.git("fsck", "--strict")).toBe("");
  });

  test("a restore's entry that cannot be read answers for that one name, and says where to look", async () => {
    const { commit, read } = recordOf([]);
    const at = (name: string) => `clusters/lab/restores/app/${name}.yaml`;
    const record = { phase: "Claimed", specDigest: "d", clusterUid: "u", holder: "h" };
    const entry = (claimedAt: string) => JSON.stringify({ record: { ...record, claimedAt } });
    const spoiled: Readonly<Record<string, readonly [string, string]>> = {
      phaseless: ["record: {}\n", "it has no record.phase"],
      alias: ["a: &a 1\nb: *a\n", "it holds an alias"],
      large: [`a: ${"x".repeat(1_048_576)}\n`, "it is larger than 1 MiB"],
      listed: ["- 1\n", "it is no map"],
      timeless: [entry("soon"), "its record.claimedAt is no time"],
    };
    const names = Object.keys(spoiled);
    commit({
      [at("sound")]: entry("2026-11-20T12:00:00Z"),
      ...Object.fromEntries(names.map((name) => [at(name), spoiled[name]?.[0] ?? ""])),
    });
    const seen = await read(interestIn([at("sound")]));
    expect(seen.restore("app", "sound")).toMatchObject({ phase: "Claimed", holder: "h" });
    expect(seen.restore("app", "sound")?.unreadable).toBeUndefined();
    for (const name of names)
      expect(seen.restore("app", name)).toMatchObject({
        phase: "Unreadable",
        unreadable: `${spoiled[name]?.[1]}; on branch main look with git log -- kept/record/${at(name)}`,
      });
  });

  test("a restore's entry that is no file, or whose content is lost, holds that one name and stops no other", async () => {
    const { git, commit, read } = recordOf([]);
    const at = (name: string) => `clusters/lab/restores/app/${name}.yaml`;
    const record = { phase: "Claimed", specDigest: "d", clusterUid: "u", holder: "h" };
    const lost = "a: lost\n";
    const inTree = (...args: readonly string[]) => git.git("-C", git.tree, ...args).trim();
    commit({
      [at("sound")]: JSON.stringify({ record: { ...record, claimedAt: "2026-11-20T12:00:00Z" } }),
      [at("lost")]: lost,
      [`${at("folder")}/x`]: "a: 1\n",
    });
    const submodule = `160000,${"1".repeat(40)},kept/record/${at("submodule")}`;
    inTree("update-index", "--add", "--cacheinfo", submodule);
    inTree("commit", "--quiet", "--message", "Add a submodule");
    inTree("push", "--quiet", "origin", "main");
    const oid = git.git("rev-parse", `main:kept/record/${at("lost")}`).trim();
    rmSync(join(git.bare, "objects", oid.slice(0, 2), oid.slice(2)));
    const seen = await read(interestIn([at("sound")]));
    expect(seen.restore("app", "sound")?.unreadable).toBeUndefined();
    for (const [name, why] of [
      ["lost", "its content cannot be had"],
      ["submodule", "its content cannot be had"],
      ["folder", "it is no file"],
    ] as const)
      expect(seen.restore("app", name)).toMatchObject({
        phase: "Unreadable",
        unreadable: `${why}; on branch main look with git log -- kept/record/${at(name)}`,
      });
  });
});

describe("a day of the record", () => {
  test("leaves whole, unless somebody wrote into it meanwhile", async () => {
    const { read, remote, git, commit } = recordOf(all);
    const seen = await read(interestIn([], ["clusters/lab/sessions/app/web"]));
    const leave = (day: string) =>
      writeRecord(
        { remote, clock: systemClock, signal },
        {
          target,
          seen,
          entries: [{ path: `${sessions}/${day}`, content: undefined, folder: true, when: "soon" }],
          flush: true,
          version: "test",
          declaredCommit: "0".repeat(40),
        },
      );
    commit({ [`${sessions}/06/02/late.yaml`]: "a: 1\n" });
    expect(await leave("06/02")).toEqual({ kind: "replan" });
    expect(await leave("06/01")).toMatchObject({ kind: "written" });
    const left = git
      .git("ls-tree", "-r", "--name-only", "main", `kept/record/${sessions}/`)
      .trim()
      .split("\n");
    expect(left).toEqual(
      [`${sessions}/06/02/late.yaml`, `${sessions}/06/02/s.yaml`, `${sessions}/07/01/s.yaml`].map(
        (path) => `kept/record/${path}`,
      ),
    );
  });
});
