import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GitServer, startGitServer } from "../../support/git-remote.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { placeOn } from "./remote-fixture.ts";
import type { WriterTask } from "./writer-process.ts";

const run = promisify(execFile);
const script = fileURLToPath(new URL("writer-process.ts", import.meta.url));

/** A sample in CI, 200 in `npm run test:long`. */
const entries = Math.min(200, Math.max(30, Math.ceil(Number(process.env["HOLDFAST_FUZZ_RUNS"] ?? 0) / 25)));

describe.runIf(requireOrSkip("git"))("two processes that write one record", () => {
  let server: GitServer;
  beforeAll(async () => {
    server = await startGitServer({ filter: true });
  });
  afterAll(() => server.close());

  test(`push ${entries} entries each, lose none, and leave one line of commits`, {
    timeout: 600_000,
  }, async () => {
    const { username, password } = server;
    const transport = {
      repository: () => server.repository(),
      options: { credentials: { username, password } },
      close: () => server.close(),
    };
    const { repository, pushed } = placeOn(transport);
    await pushed({ "format.yaml": "version: 1\n" });
    const write = (name: string) => {
      const cacheDirectory = mkdtempSync(join(repository.directory, "cache-"));
      const task: WriterTask = {
        options: { url: repository.url, cacheDirectory, ...transport.options },
        name,
        entries,
      };
      return run(process.execPath, [script, JSON.stringify(task)]);
    };
    const moved = (await Promise.all([write("left"), write("right")])).map(({ stdout }) => Number(stdout));
    expect(moved.reduce((sum, times) => sum + times)).toBeGreaterThan(0);
    const { git } = repository;
    const files = git("ls-tree", "-r", "--name-only", "main", "sessions").trim().split("\n");
    expect(files).toHaveLength(2 * entries);
    expect(git("rev-list", "--merges", "main")).toBe("");
    const subjects = git("log", "--format=%s", "--reverse", "main").trim().split("\n").slice(1);
    expect(subjects).toHaveLength(2 * entries);
    for (const name of ["left", "right"])
      expect(subjects.filter((subject) => subject.startsWith(name))).toEqual(
        Array.from({ length: entries }, (_, n) => `${name} ${n}`),
      );
    expect(git("fsck", "--strict", "--full", "--no-dangling")).toBe("");
  });
});
