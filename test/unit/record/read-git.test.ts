import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type ClusterState, stateMap } from "../../../src/api/own-notes.ts";
import { observedFrom } from "../../../src/pass/observed/observed.ts";
import { askAgainMs, type GitView, readGit } from "../../../src/pass/read-git.ts";
import { openRemote } from "../../../src/ports/git/open-remote.ts";
import { createGitopsRemote } from "../../support/gitops-remote.ts";
import { manualClock } from "../../support/manual-clock.ts";

const home = mkdtempSync(join(tmpdir(), "holdfast-read-git-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const namespace = "holdfast";
const policy = {
  apiVersion: "storage.kubestash.com/v1alpha1",
  kind: "RetentionPolicy",
  metadata: { name: "keep", namespace: "vault" },
  spec: { maxRetentionPeriod: "1mo", successfulSnapshots: { last: 2 } },
};
let count = 0;

/** A remote whose record is at the place that holdfast.yaml names, and a process that can be restarted without its cache. */
function lab(record: string) {
  count += 1;
  const at = join(home, String(count));
  mkdirSync(at);
  const git = createGitopsRemote(at);
  const clock = manualClock(Date.parse("2026-03-01T12:00:00Z"));
  const settings = (place: string) => `clusters:\n  lab:\n    path: clusters/lab\nrecord: ${place}\n`;
  git.commit("Declare", { "holdfast.yaml": settings(record), "clusters/lab/keep.yaml": policy });
  let caches = 0;
  let remote = openRemote({ url: git.bare, cacheDirectory: join(at, "cache-0") });
  return {
    git,
    clock,
    settings,
    branch: (name: string) => git.git("branch", name, "main"),
    tip: (name: string) => git.git("rev-parse", name).trim(),
    loseCache() {
      caches += 1;
      remote = openRemote({ url: git.bare, cacheDirectory: join(at, `cache-${caches}`) });
    },
    away: (away: boolean) =>
      away ? renameSync(git.bare, `${git.bare}.away`) : renameSync(`${git.bare}.away`, git.bare),
    read(noted: ClusterState, previous?: GitView, acceptRewritten: readonly string[] = []) {
      const map = stateMap({ cluster: "lab", namespace }, noted);
      const ports = { remote, clock, signal: new AbortController().signal };
      const request = { cluster: "lab", branch: "main", acceptRewritten, ...(previous && { previous }) };
      return readGit(ports, request, { observed: observedFrom([map], "uid-1"), namespace });
    },
  };
}

test("a declaration that was lost with the cache is in force again when the remote is back at the same tip", async () => {
  const { branch, read, loseCache, away, clock, tip } = lab("{branch: kept}");
  branch("kept");
  const before = await read({});
  expect(before.target?.branch).toBe("kept");

  loseCache();
  away(true);
  const lost = await read(before.state);
  expect(lost.declared.problems).toMatchObject([{ reason: "DeclarationUnknown" }]);
  expect(lost.desired.objects.size).toBe(0);
  expect(lost.desired.complete).toBe(false);
  expect(lost.target).toBeUndefined();
  expect(lost.state).toMatchObject({ ...before.state, away: {} });

  away(false);
  clock.advance(askAgainMs);
  const back = await read(lost.state, lost);
  expect([...back.desired.objects.keys()]).toEqual([...before.desired.objects.keys()]);
  expect(back.desired.objects.size).toBe(1);
  expect(back.declared.problems).toEqual([]);
  expect(back.target).toEqual({ cluster: "lab", branch: "kept", folder: "" });
  expect(back.record.tip).toBe(tip("kept"));
  expect(back.state).toEqual(before.state);
});

test.each([
  ["{branch: kept}", "{branch: other}", "other", /the branch other, .* the branch kept at/],
  ["{folder: one}", "{folder: two}", "main", /the folder two of main, .* the folder one of main at/],
  ["{folder: one}", "{branch: other}", "other", /the branch other, .* the folder one of main at/],
])("a record that moves from %s to %s is refused until it is accepted", async (from, to, branch, message) => {
  const { git, read, settings } = lab(from);
  git.git("branch", "kept", "main");
  git.git("branch", "other", "main");
  const before = await read({});
  const commit = git.commit("Move the record", { "holdfast.yaml": settings(to) });
  const refusal = { reason: "RecordMoved", disposition: "stall", message: expect.stringMatching(message) };
  await expect(read(before.state)).rejects.toMatchObject(refusal);
  await expect(read(before.state, before)).rejects.toMatchObject(refusal);
  await expect(read(before.state, before, ["a".repeat(40)])).rejects.toMatchObject(refusal);
  const taken = await read(before.state, before, [commit]);
  expect(taken.target?.branch).toBe(branch);
  expect((await read(taken.state)).target).toEqual(taken.target);
});
