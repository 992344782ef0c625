import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { type EmbeddedServer, startEmbedded } from "../../src/embedded/server.ts";
import { holdfast } from "../support/holdfast-command.ts";

let home: string;
let server: EmbeddedServer;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "holdfast-bare-"));
  server = await startEmbedded({ directory: home, clock: systemClock });
});

afterAll(async () => {
  await server?.close();
  rmSync(home, { recursive: true, force: true });
});

test.each(["status", "snapshots"])(
  "%s of a cluster without the kinds says how to get them",
  async (command) => {
    const done = await holdfast([command, "--kubeconfig", server.kubeconfigPath, "--output=json"]);
    expect(done.code).toBe(1);
    expect(done.stderr).toContain(`the cluster at ${server.url} does not serve core.kubestash.com`);
    expect(done.stderr).toContain("apply schemas/crds");
    expect(JSON.parse(done.stdout)).toMatchObject({ error: { reason: "KindsNotInstalled" } });
  },
);

test("a context that is not there is named with those that are", async () => {
  const kubeconfig = join(home, "config");
  writeFileSync(
    kubeconfig,
    JSON.stringify({ contexts: [{ name: "lab", context: { cluster: "a", user: "a" } }] }),
  );
  const done = await holdfast(["status", "--kubeconfig", kubeconfig, "--context", "prod"]);
  expect(done).toMatchObject({ code: 1, stdout: "" });
  expect(done.stderr).toContain("has no context prod");
  expect(done.stderr).toContain("Use one of: lab");
});
