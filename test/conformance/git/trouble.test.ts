import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openRemote, type RemoteOptions } from "../../../src/ports/git/open-remote.ts";
import { type GitServer, gitDirectory, sendReply, startGitServer } from "../../support/git-remote.ts";
import { startHttpProxy } from "../../support/http-proxy.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { asChanges, at, author, commitWithGit, placeOn, type Transport, textOf } from "./remote-fixture.ts";

const unreachable = expect.objectContaining({ reason: "RemoteUnreachable", disposition: "retry" });

describe.runIf(requireOrSkip("git"))("a remote over HTTP in trouble", () => {
  let server: GitServer;
  let transport: Transport;
  beforeAll(async () => {
    server = await startGitServer({ filter: true });
    const credentials = { username: server.username, password: server.password };
    transport = {
      repository: () => server.repository(),
      options: { credentials },
      lazy: true,
      close: () => server.close(),
    };
  });
  afterEach(() => {
    server.intercept = undefined;
  });
  afterAll(() => server.close());

  const place = (options: Partial<RemoteOptions> = {}) =>
    placeOn(transport, { clock: impatient, ...options });

  test("a push whose reply was cut after the server accepted it is recognised", async () => {
    const { repository, pushed, remote } = place();
    const base = await pushed({ a: "1" });
    server.intercept = cutAfter("/git-receive-pack");
    const commit = await pushed({ a: "2" }, { expect: base });
    expect(await remote.tip("main")).toBe(commit);
    expect(repository.git("rev-list", "--count", "main").trim()).toBe("2");
  });

  test("so it is when another writer was on top before anybody looked", async () => {
    const { repository, pushed, push, another } = place();
    const base = await pushed({ a: "1" });
    let others: Promise<unknown> | undefined;
    server.intercept = async ({ request, response, next }) => {
      const reply = await next();
      if (!request.url?.endsWith("/git-receive-pack") || others) return sendReply(response, reply);
      const expectedTip = repository.git("rev-parse", "main").trim();
      others = another().push({
        branch: "main",
        expect: expectedTip,
        changes: asChanges({ b: "b" }),
        message: "b",
        author,
        at,
      });
      await others;
      response.destroy();
    };
    const result = await push({ a: "2" }, { expect: base });
    expect(result.kind).toBe("pushed");
    expect(repository.git("log", "--format=%s", "main").trim().split("\n")).toEqual([
      "b",
      "change",
      "change",
    ]);
  });

  test("a push that never arrived is an error to try again, and the branch stays", async () => {
    const { repository, pushed, push } = place();
    const base = await pushed({ a: "1" });
    server.intercept = async ({ request, response, next }) => {
      if (request.url?.endsWith("/git-receive-pack")) response.destroy();
      else sendReply(response, await next());
    };
    await expect(push({ a: "2" }, { expect: base })).rejects.toEqual(unreachable);
    expect(repository.git("rev-parse", "main").trim()).toBe(base);
  });

  test("a server that is gone is unreachable, and nothing is known about the push", async () => {
    const { pushed, push } = place();
    const base = await pushed({ a: "1" });
    server.intercept = async ({ response }) => void response.destroy();
    await expect(push({ a: "2" }, { expect: base })).rejects.toEqual(unreachable);
  });

  test.each([502, 503, 429, 408])(
    "HTTP %d is a reason to try again, after what the server asks for",
    async (status) => {
      const { remote } = place();
      server.intercept = async ({ response }) =>
        sendReply(response, { status, headers: { "retry-after": "7" }, body: Buffer.from("no") });
      await expect(remote.tip("main")).rejects.toEqual(
        expect.objectContaining({ reason: "RemoteUnreachable", retryAfterMs: 7_000 }),
      );
    },
  );

  test("a wrong password is named, and never shown", async () => {
    const { remote } = place({ credentials: { username: "holdfast", password: "wr0ng-password" } });
    const error: unknown = await remote.tip("main").catch((thrown: unknown) => thrown);
    expect(error).toEqual(
      expect.objectContaining({ reason: "RemoteAuthenticationFailed", disposition: "stall" }),
    );
    expect(inspect(error, { depth: 9 })).not.toContain("wr0ng-password");
    expect(inspect(error, { depth: 9 })).not.toContain(
      Buffer.from("holdfast:wr0ng-password").toString("base64"),
    );
  });

  test("credentials in the URL are used, and shown nowhere", async () => {
    const repository = server.repository();
    const commit = commitWithGit(repository, { a: "a" });
    const url = repository.url.replace("//", `//holdfast:${encodeURIComponent(server.password)}@`);
    const remote = openRemote({ url, cacheDirectory: mkdtempSync(join(repository.directory, "cache-")) });
    expect(await remote.tip("main")).toBe(commit);
    expect(remote.where).toBe(repository.url);
    server.intercept = async ({ response }) =>
      sendReply(response, {
        status: 500,
        headers: { "content-type": "text/plain" },
        body: Buffer.from(`bad ${server.password}`),
      });
    const error: unknown = await remote.tip("main").catch((thrown: unknown) => thrown);
    expect(error).toEqual(unreachable);
    expect(inspect(error, { depth: 9 })).not.toContain(server.password);
  });

  test("a repository that is not there, and a server that is no Git server, are named", async () => {
    const { remote } = placeOn({
      ...transport,
      repository: () => ({ ...server.repository(), url: `${server.url}/nothing.git` }),
    });
    await expect(remote.tip("main")).rejects.toEqual(
      expect.objectContaining({ reason: "RemoteNotFound", disposition: "stall" }),
    );
    server.intercept = async ({ response }) =>
      sendReply(response, {
        status: 200,
        headers: { "content-type": "text/html" },
        body: Buffer.from("<html>"),
      });
    await expect(place().remote.tip("main")).rejects.toEqual(
      expect.objectContaining({ reason: "RemoteNotFound" }),
    );
  });

  test("a server of protocol version 0 and a repository with SHA-256 are refused by name", async () => {
    const { remote, repository } = place();
    server.intercept = async ({ request, response, next }) => {
      request.headers["git-protocol"] = "";
      sendReply(response, await next());
    };
    const refused = expect.objectContaining({ reason: "RemoteUnsupported", disposition: "stall" });
    await expect(remote.tip("main")).rejects.toEqual(refused);
    server.intercept = undefined;
    rmSync(join(repository.directory, "config"));
    repository.git("init", "-q", "--bare", "--object-format=sha256");
    await expect(remote.files("1".repeat(40), "")).rejects.toEqual(refused);
  });

  test("a renamed repository is followed on the same server, and never to another", async () => {
    const { repository, pushed, remote } = place();
    const commit = await pushed({ a: "a" });
    const name = new URL(repository.url).pathname;
    const moved = place().another({ url: `${server.url}/old.git` });
    const redirectTo = (base: string) => {
      server.intercept = async ({ request, response, next }) => {
        if (!request.url?.startsWith("/old.git")) return sendReply(response, await next());
        const location = `${base}${name}${request.url.slice("/old.git".length)}`;
        sendReply(response, { status: 301, headers: { location }, body: Buffer.alloc(0) });
      };
    };
    redirectTo("http://localhost:1");
    await expect(moved.tip("main")).rejects.toThrow("redirects to http://localhost:1");
    redirectTo("");
    expect(await moved.tip("main")).toBe(commit);
    expect((await moved.files(commit, ""))?.length).toBe(1);
    expect(await remote.tip("main")).toBe(commit);
  });

  test("a reply that is cut, changed or too large is never taken for the truth", async () => {
    const { repository, another } = place();
    const commit = commitWithGit(repository, { a: "x".repeat(5_000), b: "b" });
    for (const spoil of [(body: Buffer) => body.subarray(0, -10), flipLast, () => Buffer.from("0000")]) {
      server.intercept = async ({ request, body, response, next }) => {
        const reply = await next();
        const isFetch = request.url?.endsWith("/git-upload-pack") && body.includes("command=fetch");
        sendReply(response, isFetch ? { ...reply, body: spoil(reply.body) } : reply);
      };
      await expect(another().files(commit, "")).rejects.toEqual(unreachable);
    }
    server.intercept = undefined;
    await expect(another({ maxPackBytes: 10 }).files(commit, "")).rejects.toEqual(
      expect.objectContaining({ reason: "ObjectTooLarge" }),
    );
    expect((await another().files(commit, ""))?.length).toBe(2);
  });

  test("a silent server is given up after the deadline, and at once when told to", async () => {
    const { another } = place();
    server.intercept = () => new Promise(() => undefined);
    const started = performance.now();
    await expect(another({ idleTimeoutMs: 300 }).tip("main")).rejects.toEqual(unreachable);
    await expect(another({ totalTimeoutMs: 100 }).tip("main")).rejects.toThrow("took over 100 ms");
    const given = AbortSignal.timeout(50);
    await expect(another().tip("main", given)).rejects.toEqual(
      expect.objectContaining({ reason: "Aborted" }),
    );
    await expect(another({ signal: given }).tip("main")).rejects.toEqual(
      expect.objectContaining({ reason: "Aborted" }),
    );
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test("a server that refuses connections is unreachable", async () => {
    const { another } = place();
    await expect(another({ url: "http://127.0.0.1:1/x.git" }).tip("main")).rejects.toEqual(unreachable);
  });

  test("a proxy of the environment is used, and left out where it should be", async () => {
    const { pushed, another } = place();
    const commit = await pushed({ a: "a" });
    const proxy = await startHttpProxy();
    const tipBy = (environment: NodeJS.ProcessEnv) => another({ environment }).tip("main");
    expect(await tipBy({ http_proxy: proxy.url })).toBe(commit);
    expect(proxy.seen).toHaveLength(2);
    expect(await tipBy({ HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1" })).toBe(commit);
    expect(proxy.seen).toHaveLength(2);
    await proxy.close();
  });

  test.each(["http", "https"])(
    "a proxy that never answers is given up after the deadline, for %s",
    async (scheme) => {
      const proxy = await startHttpProxy({ silent: true });
      const environment = { http_proxy: proxy.url, https_proxy: proxy.url };
      const remote = place().another({
        url: `${scheme}://git.example.org/x.git`,
        environment,
        idleTimeoutMs: 200,
      });
      await expect(remote.tip("main")).rejects.toThrow("was silent for 200 ms");
      expect(proxy.seen).toHaveLength(1);
      await proxy.close();
    },
  );

  test("credentials that change are asked for again", async () => {
    const passwords = ["old", server.password];
    const { another, pushed } = place();
    await pushed({ a: "a" });
    const remote = another({
      credentials: async () => ({
        username: server.username,
        password: passwords.shift() ?? server.password,
      }),
    });
    await expect(remote.tip("main")).rejects.toEqual(
      expect.objectContaining({ reason: "RemoteAuthenticationFailed" }),
    );
    expect(await remote.tip("main")).toBeDefined();
  });
});

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

/** Waits that are not worth a test's time. */
const impatient = { now: () => Date.now(), sleep: () => Promise.resolve() };

function cutAfter(path: string): GitServer["intercept"] {
  return async ({ request, response, next }) => {
    const reply = await next();
    if (request.url?.endsWith(path)) response.destroy();
    else sendReply(response, reply);
  };
}

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
