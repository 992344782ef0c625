import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openRemote, type RemoteOptions } from "../../../src/ports/git/open-remote.ts";
import { type CgiReply, type GitServer, sendReply, startGitServer } from "../../support/git-remote.ts";
import { startHttpProxy } from "../../support/http-proxy.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { asChanges, at, author, commitWithGit, placeOn, type Transport } from "./remote-fixture.ts";

const unreachable = expect.objectContaining({ reason: "RemoteUnreachable", disposition: "retry" });

describe.runIf(requireOrSkip("git"))("pushing over HTTP that breaks", () => {
  const on = httpServer();

  test.each<[string, Spoil]>([
    ["was cut", ({ response }) => void response.destroy()],
    ["was reset", ({ request }) => void request.socket.resetAndDestroy()],
    ["was a 502 of something in between", ({ response }) => void response.writeHead(502).end("bad gateway")],
    ["never came", () => undefined],
    [
      "ended early",
      ({ response }, { headers, body }) =>
        sendReply(response, { status: 200, headers, body: body.subarray(0, 20) }),
    ],
    [
      "was too long to be read",
      ({ response }, { headers }) =>
        sendReply(response, { status: 200, headers, body: Buffer.alloc(5 * 2 ** 20, "x") }),
    ],
  ])(
    "a push that the server accepted and whose reply %s lands once and is no error",
    async (_what, spoil) => {
      const { repository, pushed, remote } = on.place({ idleTimeoutMs: 3_000 });
      const base = await pushed({ a: "1" });
      on.server.intercept = async (exchange) => {
        const reply = await exchange.next();
        if (exchange.request.url?.endsWith("/git-receive-pack")) spoil(exchange, reply);
        else sendReply(exchange.response, reply);
      };
      const commit = await pushed({ a: "2" }, { expect: base });
      expect(await remote.tip("main")).toBe(commit);
      expect(repository.git("rev-list", "--count", "main").trim()).toBe("2");
    },
  );

  test("so it is when another writer was on top before anybody looked", async () => {
    const { repository, pushed, push, another } = on.place();
    const base = await pushed({ a: "1" });
    let others: Promise<unknown> | undefined;
    on.server.intercept = async ({ request, response, next }) => {
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
    const { repository, pushed, push } = on.place();
    const base = await pushed({ a: "1" });
    on.server.intercept = async ({ request, response, next }) => {
      if (request.url?.endsWith("/git-receive-pack")) response.destroy();
      else sendReply(response, await next());
    };
    await expect(push({ a: "2" }, { expect: base })).rejects.toEqual(unreachable);
    expect(repository.git("rev-parse", "main").trim()).toBe(base);
  });

  test("a server that is gone is unreachable, and nothing is known about the push", async () => {
    const { pushed, push } = on.place();
    const base = await pushed({ a: "1" });
    on.server.intercept = async ({ response }) => void response.destroy();
    await expect(push({ a: "2" }, { expect: base })).rejects.toEqual(unreachable);
  });
});

describe.runIf(requireOrSkip("git"))("an HTTP server that answers something else", () => {
  const on = httpServer();

  test.each([502, 503, 429, 408])(
    "HTTP %d is a reason to try again, after what the server asks for",
    async (status) => {
      const { remote } = on.place();
      on.server.intercept = async ({ response }) =>
        sendReply(response, { status, headers: { "retry-after": "7" }, body: Buffer.from("no") });
      await expect(remote.tip("main")).rejects.toEqual(
        expect.objectContaining({ reason: "RemoteUnreachable", retryAfterMs: 7_000 }),
      );
    },
  );

  test("a wrong password is named, and never shown, in whatever spelling the server repeats it", async () => {
    const password = "wr0ng(pass)/w+rd";
    const { remote } = on.place({ credentials: { username: "holdfast", password } });
    const pair = Buffer.from(`holdfast:${password}`).toString("base64");
    const spellings = [password, encodeURIComponent(password), "wr0ng%28pass%29%2fw%2brd", pair];
    for (const status of [401, 403]) {
      on.server.refusal = { status, text: `no: ${spellings.join(" ")}` };
      const error: unknown = await remote.tip("main").catch((thrown: unknown) => thrown);
      expect(error).toEqual(
        expect.objectContaining({ reason: "RemoteAuthenticationFailed", disposition: "stall" }),
      );
      expect(error).toHaveProperty("message", expect.stringContaining("no: *** *** *** ***"));
      for (const spelling of spellings) expect(inspect(error, { depth: 9 })).not.toContain(spelling);
    }
    on.server.refusal = undefined;
    await expect(remote.tip("main")).rejects.toThrow("refused the credentials: HTTP 401: who are you?");
  });

  test("a remote that asks for credentials where none were given says that", async () => {
    const { url, directory } = on.server.repository();
    const remote = openRemote({ url, cacheDirectory: join(directory, "cache") });
    await expect(remote.tip("main")).rejects.toEqual(
      expect.objectContaining({ reason: "RemoteAuthenticationFailed" }),
    );
    await expect(remote.tip("main")).rejects.toThrow("none were given");
  });

  test("credentials in the URL are used, and shown nowhere", async () => {
    const repository = on.server.repository();
    const commit = commitWithGit(repository, { a: "a" });
    const url = repository.url.replace("//", `//holdfast:${encodeURIComponent(on.server.password)}@`);
    const remote = openRemote({ url, cacheDirectory: mkdtempSync(join(repository.directory, "cache-")) });
    expect(await remote.tip("main")).toBe(commit);
    expect(remote.where).toBe(repository.url);
    on.server.intercept = async ({ response }) =>
      sendReply(response, {
        status: 500,
        headers: { "content-type": "text/plain" },
        body: Buffer.from(`bad ${on.server.password}`),
      });
    const error: unknown = await remote.tip("main").catch((thrown: unknown) => thrown);
    expect(error).toEqual(unreachable);
    expect(inspect(error, { depth: 9 })).not.toContain(on.server.password);
  });

  test("a repository that is not there, and a server that is no Git server, are named", async () => {
    const { remote } = placeOn({
      ...on.transport,
      repository: () => ({ ...on.server.repository(), url: `${on.server.url}/nothing.git` }),
    });
    await expect(remote.tip("main")).rejects.toEqual(
      expect.objectContaining({ reason: "RemoteNotFound", disposition: "stall" }),
    );
    on.server.intercept = async ({ response }) =>
      sendReply(response, {
        status: 200,
        headers: { "content-type": "text/html" },
        body: Buffer.from("<html>"),
      });
    await expect(on.place().remote.tip("main")).rejects.toEqual(
      expect.objectContaining({ reason: "RemoteNotFound" }),
    );
  });
});

describe.runIf(requireOrSkip("git"))("an HTTP server that Holdfast cannot use", () => {
  const on = httpServer();

  test("a server that hands out plain files is refused by name", async () => {
    const { repository, pushed, another } = on.place();
    await pushed({ a: "a" });
    repository.git("update-server-info");
    on.server.intercept = async ({ response }) =>
      sendReply(response, {
        status: 200,
        headers: { "content-type": "text/plain" },
        body: readFileSync(join(repository.directory, "info", "refs")),
      });
    const refused = another().tip("main");
    await expect(refused).rejects.toEqual(
      expect.objectContaining({ reason: "RemoteUnsupported", disposition: "stall" }),
    );
    await expect(refused).rejects.toThrow("dumb HTTP");
  });

  test("a server of protocol version 0 and a repository with SHA-256 are refused by name", async () => {
    const { remote, repository } = on.place();
    on.server.intercept = async ({ request, response, next }) => {
      request.headers["git-protocol"] = "";
      sendReply(response, await next());
    };
    const refused = expect.objectContaining({ reason: "RemoteUnsupported", disposition: "stall" });
    await expect(remote.tip("main")).rejects.toEqual(refused);
    on.server.intercept = undefined;
    rmSync(join(repository.directory, "config"));
    repository.git("init", "-q", "--bare", "--object-format=sha256");
    await expect(remote.files("1".repeat(40), "")).rejects.toEqual(refused);
  });

  test("a renamed repository is followed on the same server, and never to another", async () => {
    const { repository, pushed, remote } = on.place();
    const commit = await pushed({ a: "a" });
    const name = new URL(repository.url).pathname;
    const moved = on.place().another({ url: `${on.server.url}/old.git` });
    const redirectTo = (base: string) => {
      on.server.intercept = async ({ request, response, next }) => {
        if (!request.url?.startsWith("/old.git")) return sendReply(response, await next());
        const location = `${base}${name}${request.url.slice("/old.git".length)}`;
        sendReply(response, { status: 301, headers: { location }, body: Buffer.alloc(0) });
      };
    };
    const elsewhere = await startHttpProxy();
    redirectTo(elsewhere.url);
    await expect(moved.tip("main")).rejects.toThrow(`redirects to ${elsewhere.url}`);
    expect(elsewhere.seen).toEqual([]);
    await elsewhere.close();
    redirectTo("");
    expect(await moved.tip("main")).toBe(commit);
    expect((await moved.files(commit, ""))?.length).toBe(1);
    expect(await remote.tip("main")).toBe(commit);
  });
});

describe.runIf(requireOrSkip("git"))("an HTTP server that cannot be trusted", () => {
  const on = httpServer();

  test("a reply that is cut, changed or too large is never taken for the truth", async () => {
    const { repository, another } = on.place();
    const commit = commitWithGit(repository, { a: "x".repeat(5_000), b: "b" });
    for (const spoil of [(body: Buffer) => body.subarray(0, -10), flipLast, () => Buffer.from("0000")]) {
      on.server.intercept = async ({ request, body, response, next }) => {
        const reply = await next();
        const isFetch = request.url?.endsWith("/git-upload-pack") && body.includes("command=fetch");
        sendReply(response, isFetch ? { ...reply, body: spoil(reply.body) } : reply);
      };
      await expect(another().files(commit, "")).rejects.toEqual(unreachable);
    }
    on.server.intercept = undefined;
    await expect(another({ maxPackBytes: 10 }).files(commit, "")).rejects.toEqual(
      expect.objectContaining({ reason: "ObjectTooLarge" }),
    );
    expect((await another().files(commit, ""))?.length).toBe(2);
  });

  test("a silent server is given up after the deadline, and at once when told to", async () => {
    const { another } = on.place();
    on.server.intercept = () => new Promise(() => undefined);
    const started = performance.now();
    await expect(another({ idleTimeoutMs: 300 }).tip("main")).rejects.toEqual(unreachable);
    const given = AbortSignal.timeout(50);
    await expect(another().tip("main", given)).rejects.toEqual(
      expect.objectContaining({ reason: "Aborted" }),
    );
    await expect(another({ signal: given }).tip("main")).rejects.toEqual(
      expect.objectContaining({ reason: "Aborted" }),
    );
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test("a server that goes on for ever is given up after the whole time, though it is never silent", async () => {
    const { another } = on.place();
    on.server.intercept = async ({ response }) => {
      response.writeHead(200, { "content-type": "application/x-git-upload-pack-advertisement" });
      const talking = setInterval(() => response.write("0"), 10);
      response.once("close", () => clearInterval(talking));
    };
    await expect(another({ totalTimeoutMs: 300 }).tip("main")).rejects.toThrow("took over 300 ms");
  });

  test("a server that refuses connections is unreachable", async () => {
    const { another } = on.place();
    await expect(another({ url: "http://127.0.0.1:1/x.git" }).tip("main")).rejects.toEqual(unreachable);
  });
});

describe.runIf(requireOrSkip("git"))("HTTP through a proxy", () => {
  const on = httpServer();

  test("a proxy of the environment is used, and left out where it should be", async () => {
    const { pushed, another } = on.place();
    const commit = await pushed({ a: "a" });
    const proxy = await startHttpProxy();
    onTestFinished(() => proxy.close());
    const tipBy = (environment: NodeJS.ProcessEnv) => another({ environment }).tip("main");
    expect(await tipBy({ http_proxy: proxy.url })).toBe(commit);
    expect(proxy.seen).toHaveLength(2);
    expect(await tipBy({ HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1" })).toBe(commit);
    expect(proxy.seen).toHaveLength(2);
  });

  test.each(["http", "https"])(
    "a proxy that never answers is given up after the deadline, for %s",
    async (scheme) => {
      const proxy = await startHttpProxy({ silent: true });
      const environment = { http_proxy: proxy.url, https_proxy: proxy.url };
      const remote = on.place().another({
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
    const passwords = ["old", on.server.password];
    const { another, pushed } = on.place();
    await pushed({ a: "a" });
    const remote = another({
      credentials: async () => ({
        username: on.server.username,
        password: passwords.shift() ?? on.server.password,
      }),
    });
    await expect(remote.tip("main")).rejects.toEqual(
      expect.objectContaining({ reason: "RemoteAuthenticationFailed" }),
    );
    expect(await remote.tip("main")).toBeDefined();
  });
});

/** A server of its own for a block of tests. */
function httpServer() {
  let server: GitServer;
  let transport: Transport;
  beforeAll(async () => {
    server = await startGitServer({ filter: true });
    const credentials = { username: server.username, password: server.password };
    transport = {
      repository: () => server.repository(),
      options: { credentials },
      close: () => server.close(),
    };
  });
  afterEach(() => {
    server.intercept = undefined;
  });
  afterAll(() => server.close());
  return {
    get server() {
      return server;
    },
    get transport() {
      return transport;
    },
    place: (options: Partial<RemoteOptions> = {}) =>
      placeOn(transport, { clock: hurriedClock(), ...options }),
  };
}

type Spoil = (exchange: Parameters<NonNullable<GitServer["intercept"]>>[0], reply: CgiReply) => void;

function flipLast(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length - 30] = (copy.at(-30) ?? 0) ^ 0xff;
  return copy;
}
