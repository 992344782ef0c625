import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countBytes } from "../../support/count-bytes.ts";
import { type GitServer, startGitServer } from "../../support/git-remote.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { placeOn } from "./remote-fixture.ts";

const folders = 40;
const filesEach = 50;

/** What the last calls cost: requests and bytes of the replies. */
function meter(server: GitServer): () => { readonly requests: number; readonly bytes: number } {
  const bytes = countBytes(server);
  return () => ({ requests: server.requests.splice(0).length, bytes: bytes() });
}

function fillWithFiles({ gitWith }: { gitWith(input: string, ...args: readonly string[]): string }): void {
  const lines = Array.from({ length: folders * filesEach }, (_, n) => {
    const text = `entry ${n}\n${"x".repeat(200)}${n * 7_919}\n`;
    return `M 100644 inline records/${n % folders}/${n}.yaml\ndata ${text.length}\n${text}\n`;
  });
  const commit = "commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 0\n\n";
  gitWith(commit + lines.join(""), "fast-import", "--quiet");
}

describe.runIf(requireOrSkip("git"))("what a remote of 2,000 files costs", () => {
  const servers: GitServer[] = [];
  beforeAll(async () => {
    servers.push(await startGitServer({ filter: true }), await startGitServer({ filter: false }));
  });
  afterAll(() => Promise.all(servers.map((server) => server.close())));

  function start(filter: boolean) {
    const server = servers[filter ? 0 : 1];
    if (!server) throw new Error("the server is not up");
    const notices: string[] = [];
    const credentials = { username: server.username, password: server.password };
    const transport = {
      repository: () => server.repository(),
      options: { credentials },
      close: () => server.close(),
    };
    const place = placeOn(transport, { onNotice: (sentence) => notices.push(sentence) });
    fillWithFiles(place.repository);
    return { ...place, notices, cost: meter(server) };
  }

  test("with filter one more file costs a few objects, whatever else is there", async () => {
    const { pushed, cost, notices, repository } = start(true);
    await pushed({ "records/7/new.yaml": "new\n" });
    const cold = cost();
    expect(cold.requests).toBeLessThanOrEqual(7);
    expect(cold.bytes).toBeLessThan(8_000);
    await pushed({ "records/7/newer.yaml": "newer\n" });
    const warm = cost();
    expect(warm.requests).toBeLessThanOrEqual(2);
    expect(warm.bytes).toBeLessThan(400);
    expect(notices).toEqual([]);
    expect(repository.git("ls-tree", "-r", "--name-only", "main").trim().split("\n")).toHaveLength(2_002);
  });

  test("with filter a folder is read in a few requests, and again in none", async () => {
    const { remote, cost, pushed } = start(true);
    const tip = (await remote.tip("main")) ?? "";
    const files = (await remote.files(tip, "records")) ?? [];
    await remote.blobs(files.map(({ oid }) => oid));
    expect(files).toHaveLength(2_000);
    expect(cost().requests).toBeLessThanOrEqual(7);
    await remote.files(tip, "records");
    await remote.blobs(files.map(({ oid }) => oid));
    expect(cost()).toEqual({ requests: 0, bytes: 0 });
    await pushed({ "records/7/new.yaml": "new\n" });
    cost();
    expect(await remote.files((await remote.tip("main")) ?? "", "records")).toHaveLength(2_001);
    expect(cost().requests).toBe(1);
  });

  test("without filter the first read brings everything, later ones what is new, and the cure is told once", async () => {
    const { remote, cost, pushed, notices, another } = start(false);
    const tip = (await remote.tip("main")) ?? "";
    expect(await remote.files(tip, "records")).toHaveLength(2_000);
    expect(cost().bytes).toBeGreaterThan(50_000);
    await another().push({
      branch: "main",
      expect: tip,
      changes: [{ path: "records/7/new.yaml", content: "new\n" }],
      message: "new",
      author: { name: "Other", email: "other@example.org" },
      at: 0,
    });
    notices.splice(1);
    cost();
    expect(await remote.files((await remote.tip("main")) ?? "", "records")).toHaveLength(2_001);
    expect(cost().bytes).toBeLessThan(8_000);
    await pushed({ "records/7/newer.yaml": "newer\n" });
    expect(notices).toEqual([expect.stringContaining("uploadpack.allowFilter")]);
  });
});

describe.runIf(requireOrSkip("git"))("what it costs to find that a history was rewritten", () => {
  let server: GitServer;
  beforeAll(async () => {
    server = await startGitServer({ filter: true });
  });
  afterAll(() => server.close());

  function start() {
    const credentials = { username: server.username, password: server.password };
    const place = placeOn({
      repository: () => server.repository(),
      options: { credentials },
      close: () => server.close(),
    });
    return { ...place, cost: meter(server) };
  }

  test("is two requests, however long both histories are", async () => {
    const { another, repository, cost } = start();
    const lines = (branch: string, from: number) =>
      Array.from({ length: 3_000 }, (_, n) => {
        const text = `${branch} ${n}`;
        const who = `committer A <a@b> ${1_700_000_000 + from + n} +0000`;
        return `commit refs/heads/${branch}\n${who}\ndata ${text.length}\n${text}\n`;
      });
    repository.gitWith([...lines("old", 0), ...lines("anew", 0)].join(""), "fast-import", "--quiet");
    const old = repository.git("rev-parse", "old").trim();
    const tree = repository.git("rev-parse", "old^{tree}").trim();
    const onTopOf = (parent: string) =>
      repository.gitWith("more\n", "commit-tree", tree, "-p", parent).trim();
    const wentOn = onTopOf(onTopOf(old));
    const amended = onTopOf(repository.git("rev-parse", "old~1").trim());
    const reset = onTopOf(repository.git("rev-parse", "old~2900").trim());
    repository.git("update-ref", "refs/heads/kept", wentOn);
    repository.git("update-ref", "refs/heads/amended", amended);
    repository.git("update-ref", "refs/heads/reset", reset);
    const anew = repository.git("rev-parse", "anew").trim();
    const gone = "1234567890123456789012345678901234567890";
    for (const [older, newer, answer, bytes] of [
      [old, wentOn, true, 1_500],
      [old, amended, false, 1_500],
      [old, reset, false, 1_500],
      [gone, wentOn, false, 1_500],
      // Nothing is in common: the newest thousand are looked at in case the clocks were wrong.
      [old, anew, false, 400_000],
    ] as const) {
      const remote = another();
      cost();
      expect(await remote.isAncestor(older, newer)).toBe(answer);
      const { requests, bytes: down } = cost();
      expect(requests).toBeLessThanOrEqual(3);
      expect(down).toBeLessThan(bytes);
    }
  });

  test("clocks that went backwards do not make a history look rewritten", async () => {
    const { another, repository } = start();
    const commits = Array.from({ length: 20 }, (_, n) => {
      const who = `committer A <a@b> ${1_700_000_000 - n * 86_400} +0000`;
      return `commit refs/heads/back\n${who}\ndata 1\nx\n`;
    });
    repository.gitWith(commits.join(""), "fast-import", "--quiet");
    const [newest = "", ...older] = repository.git("rev-list", "--topo-order", "back").trim().split("\n");
    for (const one of [older[0], older[9], older[18]])
      expect(await another().isAncestor(one ?? "", newest)).toBe(true);
  });
});
