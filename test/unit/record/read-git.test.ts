import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type ClusterState, stateMap } from "../../../src/api/own-notes.ts";
import { observedFrom } from "../../../src/pass/observed/observed.ts";
import { askAgainMs, type GitView, readGit } from "../../../src/pass/read-git.ts";
import { openRemote, type RemoteOptions } from "../../../src/ports/git/open-remote.ts";
import { createGitopsRemote } from "../../support/gitops-remote.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { startTlsFront } from "../../support/tls-front.ts";

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
  const open = (options: Partial<RemoteOptions> = {}) =>
    openRemote({ url: git.bare, cacheDirectory: join(at, `cache-${caches}`), ...options });
  let remote = open();
  return {
    git,
    clock,
    settings,
    branch: (name: string) => git.git("branch", name, "main"),
    tip: (name: string) => git.git("rev-parse", name).trim(),
    loseCache() {
      caches += 1;
      remote = open();
    },
    /** A process that reaches its remote in another way, with the cache of the one before. */
    reach(options: Partial<RemoteOptions>) {
      remote = open(options);
    },
    away: (away: boolean) =>
      away ? renameSync(git.bare, `${git.bare}.away`) : renameSync(`${git.bare}.away`, git.bare),
    read(noted: ClusterState, previous?: GitView, acceptRewritten: readonly string[] = []) {
      const map = stateMap({ cluster: "lab", namespace }, noted);
      const ports = { remote, clock, signal: new AbortController().signal };
      const request = { cluster: "lab", branch: "main", acceptRewritten, ...(previous && { previous }) };
      return readGit(ports, request, { observed: observedFrom([map], "uid-1"), namespace, outbox: [] });
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

type Lab = ReturnType<typeof lab>;

/** What is in force and named when the remote cannot be had in some way, also by a process that begins then. */
async function expectAway({ read, clock }: Lab, before: GitView, because: RegExp): Promise<void> {
  for (const previous of [before, undefined]) {
    const view = await read(before.state, previous);
    expect([...view.desired.objects.keys()]).toEqual([...before.desired.objects.keys()]);
    expect(view.desired.objects.size).toBe(1);
    expect(view.state).toMatchObject({ ...before.state, away: { because: expect.stringMatching(because) } });
    clock.advance(askAgainMs);
  }
}

test.runIf(requireOrSkip("openssl"))(
  "with a certificate that is no longer trusted the remote is away, and what was accepted stays in force",
  async () => {
    const one = lab("{branch: kept}");
    const before = await one.read({});
    const front = await startTlsFront("http://127.0.0.1:1");
    one.reach({ url: `${front.url}/remote.git`, environment: {} });
    await expectAway(one, before, /The certificate of .* is not trusted/);
    await front.close();
  },
);

const noGit = { PATH: "/nowhere" };
const noHostKey = { ...process.env, GIT_SSH_COMMAND: sshThatSays("Host key verification failed.") };

/** What `ssh` says when it does not know the host's key, without a host. */
function sshThatSays(words: string): string {
  const file = join(home, "ssh");
  writeFileSync(file, `#!/bin/sh\necho '${words}' >&2\nexit 255\n`, { mode: 0o755 });
  return file;
}

test.each<[string, Partial<RemoteOptions>, RegExp]>([
  ["a host key that is not known", { url: "ssh://git@h/r.git", environment: noHostKey }, /host key/i],
  ["a proxy that is none", { url: "http://h/r.git", environment: { http_proxy: "socks5://p" } }, /proxy/],
  [
    "a file of certificates that is gone",
    { url: "https://h/r.git", environment: { GIT_SSL_CAINFO: "/gone" } },
    /GIT_SSL_CAINFO/,
  ],
  ["a git that is gone", { environment: noGit }, /git/],
])("with %s the remote is away, and what was accepted stays in force", async (_what, options, because) => {
  const one = lab("{branch: kept}");
  const before = await one.read({});
  one.reach(options);
  await expectAway(one, before, because);
});

test("a server that hands out plain files is away, and what was accepted stays in force", async () => {
  const one = lab("{branch: kept}");
  const before = await one.read({});
  const server = createServer((_request, response) =>
    response.setHeader("content-type", "text/plain").end(`${one.tip("main")}\trefs/heads/main\n`),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  one.reach({ url: `http://127.0.0.1:${port}/remote.git`, environment: {} });
  await expectAway(one, before, /dumb HTTP/);
  server.close();
});

test("a branch that is gone is a remote that is away, and is taken in again when it comes back", async () => {
  const one = lab("{branch: kept}");
  const before = await one.read({});
  const tip = one.tip("main");
  one.git.git("update-ref", "-d", "refs/heads/main");
  await expectAway(one, before, /has no branch main/);
  one.git.git("update-ref", "refs/heads/main", tip);
  expect((await one.read(before.state)).state).toEqual(before.state);
});

test("a commit whose holdfast.yaml cannot be followed is named with its line, and the one before stays in force", async () => {
  const { git, branch, read, settings, tip } = lab("{branch: kept}");
  branch("kept");
  const before = await read({});
  git.commit("Misspell", { "holdfast.yaml": "clusters:\n  lab:\n    pahh: x\n" });
  const refused = {
    severity: "error",
    reason: "SettingsInvalid",
    place: { path: "holdfast.yaml", line: 3 },
    message: expect.stringContaining(`commit ${before.declared.revision.commit.slice(0, 12)} stays in force`),
  };
  for (const previous of [before, undefined]) {
    const view = await read(before.state, previous);
    expect(view.refused).toContainEqual(expect.objectContaining(refused));
    expect([...view.desired.objects.keys()]).toEqual([...before.desired.objects.keys()]);
    expect(view.target).toEqual(before.target);
    expect(view.record.tip).toBe(tip("kept"));
    const note = expect.stringMatching(/^holdfast\.yaml:2: .* stays in force$/);
    expect(view.state).toEqual({ ...before.state, refused: note });
  }
  const commit = git.commit("Mend", { "holdfast.yaml": settings("{branch: kept}") });
  const mended = await read(before.state, before);
  expect(mended.refused).toBeUndefined();
  expect(mended.state.declared?.commit).toBe(commit);
});

test("a first commit whose holdfast.yaml cannot be followed ends the pass", async () => {
  const { git, read } = lab("{branch: kept}");
  git.commit("Misspell", { "holdfast.yaml": "clusters: {lab: {pahh: x}}\n" });
  await expect(read({})).rejects.toMatchObject({ reason: "SettingsInvalid", disposition: "stall" });
});
