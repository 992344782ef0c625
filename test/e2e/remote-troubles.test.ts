import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GitServer, startGitServer } from "../support/git-remote.ts";
import { type CommandResult, holdfast } from "../support/holdfast-command.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { requireOrSkip } from "../support/real-parts.ts";
import { startTlsFront, type TlsFront } from "../support/tls-front.ts";

/** One sentence that matches, one of what to do, and nothing else. */
function expectOneError({ code, stdout, stderr }: CommandResult, words: RegExp): void {
  expect(stdout).toBe("");
  expect(stderr.trimEnd().split("\n")).toEqual([
    expect.stringMatching(words),
    expect.stringMatching(/^ {2}\S/),
  ]);
  expect(code).toBe(1);
}

function validate(remote: string, env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  return holdfast(["validate", "--remote", remote, "--cluster", "lab"], { env });
}

describe.runIf(requireOrSkip("git"))("a remote that accepts and says nothing", () => {
  let world: HoldfastWorld;
  let silent: Server;
  let url: string;
  beforeAll(async () => {
    world = await openWorld();
    silent = createServer((socket) => socket.on("error", () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/ops.git`;
  }, 60_000);
  afterAll(async () => {
    silent?.close();
    await world?.close();
  });

  test.each(["plan", "run"])("ends %s with one error when its time is over", async (command) => {
    const flags = ["--remote", url, "--cluster", "lab", "--kubeconfig", world.kubeconfigPath];
    const result = await holdfast([command, ...flags], { env: { HOLDFAST_GIT_TIMEOUT: "700ms" } });
    expectOneError(result, /^holdfast: The remote http:\S+\/ops\.git .*700 ms/);
  });

  test("is given no time that is none", async () => {
    const { code, stderr } = await validate(url, { HOLDFAST_GIT_TIMEOUT: "soon" });
    expect(stderr).toMatch(/HOLDFAST_GIT_TIMEOUT soon is not a duration/);
    expect(code).toBe(2);
  });
});

describe.runIf(requireOrSkip("git", "openssl"))("a remote is refused with one error when", () => {
  let server: GitServer;
  let front: TlsFront;
  let path: string;
  beforeAll(async () => {
    server = await startGitServer({ filter: true });
    front = await startTlsFront(server.url);
    path = new URL(server.repository().url).pathname;
  });
  afterAll(async () => {
    await front?.close();
    await server?.close();
  });

  test("it refuses the credentials", async () => {
    const result = await validate(`${server.url}${path}`, { HOLDFAST_GIT_TOKEN: "wr0ng-t0ken" });
    expectOneError(result, /^holdfast: The remote http:\S+ refused the credentials: /);
    expect(result.stderr).not.toContain("wr0ng-t0ken");
  });

  test("its certificate is not trusted", async () => {
    const result = await validate(`${front.url}${path}`);
    expectOneError(result, /^holdfast: The certificate of https:\S+ is not trusted: /);
    expect(result.stderr).toContain("GIT_SSL_CAINFO");
  });
});
