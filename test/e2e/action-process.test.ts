import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../../src/shells/action/main.ts", import.meta.url));

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "holdfast-action-"));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** The Action as the runner starts it: everything by variables, nothing of this process. */
function start(env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [entry], {
    cwd: home,
    env: {
      HOME: home,
      INPUT_CLUSTER: "lab",
      GITHUB_BASE_REF: "main",
      GITHUB_SHA: "a".repeat(40),
      GITHUB_STEP_SUMMARY: join(home, "summary"),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function end(child: ChildProcess): Promise<{ readonly code: unknown; readonly log: string }> {
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  const [code] = await once(child, "close");
  return { code, log };
}

test("a plan without a cluster is refused, with what pull requests from forks can use", async () => {
  const { code, log } = await end(start({ INPUT_MODE: "plan", HOLDFAST_REMOTE: home }));
  expect(code).toBe(1);
  expect(log).toMatch(/^::error title=Holdfast%3A ClusterUnknown::.*input kubeconfig.*forks.*mode validate/m);
});

test("a cancelled step ends with 130 while the remote hangs, and says so", async () => {
  const asked = Promise.withResolvers<void>();
  const server = createServer(() => asked.resolve());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const child = start({ INPUT_MODE: "validate", HOLDFAST_REMOTE: `http://127.0.0.1:${port}/ops` });
    const ended = end(child);
    await asked.promise;
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
    expect(readFileSync(join(home, "summary"), "utf8")).toContain("Interrupted.");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
