import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { pathOf, requireOrSkip } from "../support/real-parts.ts";
import { localStorage, namespaceObject } from "./lab.ts";

describe.runIf(requireOrSkip("kubectl"))("kubectl holdfast", () => {
  let world: HoldfastWorld;
  let path: string;

  beforeAll(async () => {
    world = await openWorld();
    await world.create(namespaceObject("vault"));
    await world.create(localStorage(world));
    // As npm links the programs of a package.
    const programs = join(world.home, "programs");
    mkdirSync(programs);
    for (const [name, file] of Object.entries(packageJson.bin))
      symlinkSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), join(programs, name));
    path = [programs, dirname(process.execPath), dirname(pathOf("kubectl")), "/usr/bin", "/bin"].join(":");
  }, 60_000);

  afterAll(async () => {
    await world?.close();
  });

  /** Never blocks: the cluster is in this process. */
  function kubectl(...args: readonly string[]) {
    const env = { PATH: path, HOME: world.home, KUBECONFIG: world.kubeconfigPath };
    return new Promise<{ status: unknown; stdout: string; stderr: string }>((resolve) => {
      execFile(pathOf("kubectl"), args, { env }, (error, stdout, stderr) =>
        resolve({ status: error?.code ?? 0, stdout, stderr }),
      );
    });
  }

  test("kubectl finds the plugin, and the plugin finds kubectl's cluster", async () => {
    expect((await kubectl("plugin", "list")).stdout).toMatch(/\/programs\/kubectl-holdfast$/m);
    const status = await kubectl("holdfast", "status", "-n", "vault");
    expect(status).toMatchObject({ status: 0, stderr: "" });
    expect(status.stdout).toMatch(/^BackupStorage +vault +store /m);
  });

  test("help and errors speak of kubectl holdfast", async () => {
    const { stdout: help } = await kubectl("holdfast", "download", "--help");
    expect(help).toContain("Usage: kubectl holdfast download [options] <snapshot>");
    expect(help).toContain("  kubectl holdfast download shop/shop-data");
    const wrong = await kubectl("holdfast", "backup", "shop/none");
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain("see kubectl holdfast status for what there is");
  });

  test("kubectl completes the plugin's words", async () => {
    expect((await kubectl("__complete", "holdfast", "snap")).stdout).toMatch(/^snapshots\t.*\n:4/);
  });
});
