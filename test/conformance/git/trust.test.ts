import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openRemote, type RemoteOptions } from "../../../src/ports/git/open-remote.ts";
import { type GitServer, gitDirectory, startGitServer } from "../../support/git-remote.ts";
import { startHttpProxy } from "../../support/http-proxy.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { type SshServer, startSshServer } from "../../support/ssh-server.ts";
import { startTlsFront, type TlsFront } from "../../support/tls-front.ts";
import { commitWithGit } from "./remote-fixture.ts";

const stalls = (reason: string) => expect.objectContaining({ reason, disposition: "stall" });

describe.runIf(requireOrSkip("git", "openssl"))("HTTPS with a certificate of a private authority", () => {
  let server: GitServer;
  let front: TlsFront;
  let commit: string;
  let path: string;
  beforeAll(async () => {
    server = await startGitServer({ filter: true });
    front = await startTlsFront(server.url);
    const repository = server.repository();
    commit = commitWithGit(repository, { a: "a" });
    path = new URL(repository.url).pathname;
  });
  afterAll(async () => {
    await front.close();
    await server.close();
  });
  const open = (environment: NodeJS.ProcessEnv, options: Partial<RemoteOptions> = {}) =>
    openRemote({
      url: `${front.url}${path}`,
      cacheDirectory: join(server.repository().directory, "cache"),
      credentials: { username: server.username, password: server.password },
      environment,
      ...options,
    });

  test("is refused as not trusted, with what to do, and nothing was sent", async () => {
    server.requests.length = 0;
    const error: unknown = await open({})
      .tip("main")
      .catch((thrown: unknown) => thrown);
    expect(error).toEqual(stalls("CertificateNotTrusted"));
    expect(error).toHaveProperty("next", expect.stringContaining("GIT_SSL_CAINFO"));
    expect(server.requests).toEqual([]);
  });

  test("is refused also where Node is told to check none", async () => {
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    const refused = open({}).tip("main");
    await expect(refused).rejects.toEqual(stalls("CertificateNotTrusted"));
    delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  });

  test("is trusted where GIT_SSL_CAINFO names the authority, directly and through a proxy", async () => {
    const proxy = await startHttpProxy({ userinfo: "me:p@ss" });
    onTestFinished(() => proxy.close());
    const trusting = { GIT_SSL_CAINFO: front.authorityFile };
    expect(await open(trusting).tip("main")).toBe(commit);
    const https_proxy = proxy.url.replace("//", "//me:p%40ss@");
    expect(await open({ ...trusting, https_proxy }).tip("main")).toBe(commit);
    expect(new Set(proxy.seen)).toEqual(new Set([`CONNECT ${new URL(front.url).host}`]));
    // As with curl and git, the proxy for http:// is not the one for https://.
    expect(await open({ ...trusting, http_proxy: "http://127.0.0.1:1" }).tip("main")).toBe(commit);
  });

  test("is refused where its name is another one's", async () => {
    const other = await startTlsFront(server.url, { name: "DNS:git.example.org" });
    onTestFinished(() => other.close());
    const remote = open({ GIT_SSL_CAINFO: other.authorityFile }, { url: `${other.url}${path}` });
    await expect(remote.tip("main")).rejects.toEqual(stalls("CertificateNotTrusted"));
  });

  test.each([
    ["is not there", undefined],
    ["holds no certificate", "hello"],
    ["holds a broken one", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
  ])("a GIT_SSL_CAINFO that %s is named", async (_what, content) => {
    const file = join(mkdtempSync(join(server.repository().directory, "ca-")), "ca.pem");
    if (content !== undefined) writeFileSync(file, content);
    const refused = open({ GIT_SSL_CAINFO: file }).tip("main");
    await expect(refused).rejects.toEqual(stalls("CaFileUnusable"));
    await expect(refused).rejects.toThrow(file);
  });
});

describe.runIf(requireOrSkip("git"))("a proxy of the environment", () => {
  let server: GitServer;
  beforeAll(async () => {
    server = await startGitServer({ filter: true });
  });
  afterAll(() => server.close());
  const tipBy = (environment: NodeJS.ProcessEnv, url = server.repository().url) =>
    openRemote({ url, cacheDirectory: join(server.repository().directory, "cache"), environment }).tip(
      "main",
    );

  test.each(["http", "https"])("that wants another password is named, for %s", async (scheme) => {
    const proxy = await startHttpProxy({ userinfo: "me:right" });
    onTestFinished(() => proxy.close());
    const address = proxy.url.replace("//", "//me:wr0ng-s3cret%2F@");
    const environment = { http_proxy: address, https_proxy: address };
    const error: unknown = await tipBy(environment, `${scheme}://git.example.org/x.git`).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toEqual(stalls("RemoteAuthenticationFailed"));
    expect(error).toHaveProperty("message", expect.stringContaining("proxy"));
    for (const form of ["wr0ng-s3cret", Buffer.from("me:wr0ng-s3cret/").toString("base64")])
      expect(inspect(error, { depth: 9 })).not.toContain(form);
  });

  test.each(["socks5://me:s3cret@127.0.0.1:1080", "http://me:s3cret@:", "::s3cret::"])(
    "that is none, %j, is refused by name and not repeated",
    async (value) => {
      const error: unknown = await tipBy({ http_proxy: value }).catch((thrown: unknown) => thrown);
      expect(error).toEqual(stalls("ProxyRefused"));
      expect(inspect(error, { depth: 9 })).not.toContain("s3cret");
    },
  );

  test("that is gone is told with its address and without its password", async () => {
    const error: unknown = await tipBy({ HTTP_PROXY: "me:s3cret@127.0.0.1:1" }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toHaveProperty("reason", "RemoteUnreachable");
    expect(error).toHaveProperty("message", expect.stringContaining("through the proxy http://127.0.0.1:1"));
    expect(inspect(error, { depth: 9 })).not.toContain("s3cret");
  });
});

describe.runIf(requireOrSkip("git"))("a remote that does not come to an end", () => {
  let hung: Server;
  let port: number;
  const root = gitDirectory();
  beforeAll(async () => {
    hung = createServer((socket) => socket.on("error", () => undefined));
    await new Promise<void>((resolve) => hung.listen(0, "127.0.0.1", resolve));
    const address = hung.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });
  afterAll(async () => {
    hung.close();
    await root.close();
  });

  test.each([
    [
      "https, while it connects",
      "https",
      { connectTimeoutMs: 1_000 },
      /could not be connected to within 1000 ms/,
    ],
    ["https, while it is silent", "https", { idleTimeoutMs: 200 }, /was silent for 200 ms/],
    ["http, while it is silent", "http", { idleTimeoutMs: 200 }, /was silent for 200 ms/],
    ["ssh, while it is silent", "ssh", { idleTimeoutMs: 200 }, /was silent for 200 ms/],
    ["http, when its whole time is over", "http", { totalTimeoutMs: 200 }, /took over 200 ms/],
    ["ssh, when its whole time is over", "ssh", { totalTimeoutMs: 200 }, /took over 200 ms/],
    ["ssh, while it connects", "ssh", { connectTimeoutMs: 1_000 }, /cannot be talked to.*timed out/],
  ])("is given up over %s", async (_what, scheme, deadlines, message) => {
    const url = `${scheme}://127.0.0.1:${port}/x.git`;
    const remote = openRemote({
      url,
      cacheDirectory: join(root.path, "cache"),
      environment: { ...process.env, GIT_SSH_COMMAND: "ssh -F none" },
      ...deadlines,
    });
    const refused = remote.tip("main");
    await expect(refused).rejects.toEqual(
      expect.objectContaining({ reason: "RemoteUnreachable", disposition: "retry" }),
    );
    await expect(refused).rejects.toThrow(message);
  });
});

describe.runIf(requireOrSkip("git", "ssh", "sshd"))("a real sshd", () => {
  let server: SshServer;
  const root = gitDirectory();
  beforeAll(async () => {
    server = await startSshServer();
  });
  afterAll(async () => {
    await server.close();
    await root.close();
  });
  function open({ url, command }: { url?: string; command?: string }) {
    const repository = root.repository();
    const commit = commitWithGit(repository, { a: "a" });
    const remote = openRemote({
      url: url ?? `${server.url}${repository.directory}`,
      cacheDirectory: join(repository.directory, "cache"),
      environment: { ...process.env, GIT_SSH_COMMAND: command ?? `${trusted()} -i ${server.identityFile}` },
    });
    return { remote, commit, repository };
  }
  const trusted = () => `ssh -F none -o IdentitiesOnly=yes -o UserKnownHostsFile=${server.knownHostsFile}`;

  test("is reached by ssh:// and by user@host:path with the key of GIT_SSH_COMMAND", async () => {
    const { remote, commit, repository } = open({});
    expect(await remote.tip("main")).toBe(commit);
    const command = `${trusted()} -i ${server.identityFile} -p ${server.port}`;
    const short = open({ url: `${server.user}@127.0.0.1:${repository.directory}`, command });
    expect(await short.remote.tip("main")).toBe(commit);
  });

  test("whose host key is not known is refused before anything is said, also where ssh would learn it", async () => {
    const command = `ssh -F none -i ${server.identityFile} -o UserKnownHostsFile=/dev/null`;
    const error: unknown = await open({ command })
      .remote.tip("main")
      .catch((thrown: unknown) => thrown);
    expect(error).toEqual(stalls("HostKeyNotTrusted"));
    expect(error).toHaveProperty("next", expect.stringContaining("known_hosts"));
  });

  test("that does not know the key says that the credentials are wrong", async () => {
    const { remote } = open({ command: `${trusted()} -i ${server.strangerFile}` });
    await expect(remote.tip("main")).rejects.toEqual(stalls("RemoteAuthenticationFailed"));
  });

  test("without the repository, and with a path that only looks like a command, says so", async () => {
    const { repository } = open({});
    for (const path of [`${root.path}/none.git`, `${repository.directory}'; touch ${root.path}/pwned; '`]) {
      const { remote } = open({ url: `${server.url}${encodeURI(path)}` });
      await expect(remote.tip("main")).rejects.toEqual(stalls("RemoteNotFound"));
    }
    expect(existsSync(join(root.path, "pwned"))).toBe(false);
  });

  test("that drops the version of the protocol is refused by name", async () => {
    const old = await startSshServer({ protocolV2: false });
    onTestFinished(() => old.close());
    const command = `ssh -F none -i ${old.identityFile} -o UserKnownHostsFile=${old.knownHostsFile}`;
    const { repository } = open({});
    const { remote } = open({ url: `${old.url}${repository.directory}`, command });
    await expect(remote.tip("main")).rejects.toEqual(stalls("RemoteUnsupported"));
    await expect(remote.tip("main")).rejects.toThrow("version 2");
  });
});
