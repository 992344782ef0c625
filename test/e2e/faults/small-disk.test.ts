import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { HoldfastError } from "../../../src/base/errors.ts";
import { type EmbeddedServer, startEmbedded } from "../../../src/embedded/server.ts";
import { openRemote } from "../../../src/ports/git/open-remote.ts";
import { createRestic } from "../../../src/ports/restic/create-restic.ts";
import { createGitopsRemote } from "../../support/gitops-remote.ts";
import { httpApi } from "../../support/http-api.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { mayMount, mountSmallDisk, type SmallDisk } from "../../support/small-disk.ts";

const full = /no space left on device/;
const available = requireOrSkip("restic", "git") && mayMount();

let home: string;
let disk: SmallDisk;

beforeEach(() => {
  if (!available) return;
  home = mkdtempSync(join(tmpdir(), "holdfast-small-"));
  disk = mountSmallDisk(join(home, "disk"), 2_000_000);
});

afterEach(() => {
  disk?.unmount();
  rmSync(home, { recursive: true, force: true });
});

async function failureOf(promise: Promise<unknown>): Promise<HoldfastError> {
  const thrown = await promise.then(
    () => new Error("it was not refused"),
    (error: unknown) => error,
  );
  if (thrown instanceof HoldfastError) return thrown;
  throw thrown;
}

async function saved() {
  const root = join(home, "root");
  mkdirSync(join(root, "data"), { recursive: true });
  writeFileSync(join(root, "data", "large"), randomBytes(600_000));
  const restic = createRestic({
    environment: { PATH: process.env["PATH"] ?? "", HOME: home, TMPDIR: home },
    clock: systemClock,
  });
  const repository = { url: join(home, "repository"), password: "a password of the tests", environment: {} };
  await restic.ensureRepository(repository);
  const request = { root, path: "/data", exclude: [], host: "tests", tags: [] };
  const { snapshotId } = await restic.backup(repository, request);
  return { root, restic, repository, request, snapshotId };
}

test.runIf(available)(
  "a restore into a full volume fails in restic's words, and the next one heals",
  async () => {
    const { root, restic, repository, snapshotId } = await saved();
    const request = { snapshotId, root: disk.path, path: "/data", include: [], exclude: [] };
    disk.fill(100_000);
    const failure = await failureOf(restic.restore(repository, request));
    expect(failure).toMatchObject({ reason: "DiskFull", disposition: "retry" });
    expect(failure.message).toMatch(full);
    expect(failure.message).toContain("/data/large");
    disk.makeRoom();
    expect(await restic.restore(repository, request)).toMatchObject({ files: 1 });
    const restored = readFileSync(join(disk.path, "data", "large"));
    expect(restored.equals(readFileSync(join(root, "data", "large")))).toBe(true);
  },
);

test.runIf(available)("a full cache folder is named or done without, and the next backup heals", async () => {
  const { restic, repository, request } = await saved();
  const cached = { ...repository, cacheDirectory: join(disk.path, "cache") };
  disk.fill();
  const outcome = await restic.backup(cached, request).catch((thrown: unknown) => thrown);
  const said =
    outcome instanceof HoldfastError ? `${outcome.reason}: ${outcome.message}` : JSON.stringify(outcome);
  // restic 0.14 goes on without its cache, newer ones end.
  expect(said).toMatch(/^DiskFull: .*no space left on device|"files":1\b/s);
  expect(said.includes(cached.cacheDirectory)).toBe(outcome instanceof HoldfastError);
  disk.makeRoom();
  expect(await restic.backup(cached, request)).toMatchObject({ partial: false, files: 1 });
  await restic.check(cached, { readData: true });
});

const path = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string, text: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data: { text },
});

async function names({ api }: EmbeddedServer): Promise<readonly string[]> {
  const { body } = await api.request({ method: "GET", path });
  return (body as { items: { metadata: { name: string } }[] }).items.map((one) => one.metadata.name).sort();
}

test.runIf(available)(
  "a full state folder refuses writes and names the file, and loses nothing",
  async () => {
    const directory = join(disk.path, "state");
    const open = () => startEmbedded({ directory, clock: systemClock });
    let server = await open();
    const api = httpApi({ url: server.url, ca: server.certificate, token: server.token });
    disk.fill(40_000);
    const kept: string[] = [];
    let refusal: unknown;
    for (let count = 0; refusal === undefined && count < 100; count += 1) {
      const body = configMap(`m${count}`, "x".repeat(3_000));
      const answer = await api.request({ method: "POST", path, body });
      if (answer.status === 201) kept.push(body.metadata.name);
      else refusal = answer.body;
    }
    expect(refusal).toMatchObject({ kind: "Status", code: 507, message: expect.stringMatching(full) });
    expect(JSON.stringify(refusal)).toContain(join(directory, "journal"));
    expect(kept.length).toBeGreaterThan(2);
    expect(await names(server)).toEqual([...kept].sort());
    disk.makeRoom();
    expect(await api.request({ method: "POST", path, body: configMap("later", "") })).toMatchObject({
      status: 201,
    });
    await api.close();
    await server.close();
    server = await open();
    expect(await names(server)).toEqual([...kept, "later"].sort());
    await server.close();
  },
);

test.runIf(available)("a full cache of Git objects stops no reading", async () => {
  const remote = createGitopsRemote(home);
  disk.fill();
  const opened = openRemote({ url: remote.bare, cacheDirectory: join(disk.path, "git") });
  const files = await opened.files((await opened.tip("main")) ?? "", "");
  expect(files?.map((one) => one.path)).toEqual(["holdfast.yaml"]);
  disk.makeRoom();
});
