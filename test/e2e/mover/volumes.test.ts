import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resourceOf } from "../../../src/api/kinds.ts";
import type { SnapshotComponent } from "../../../src/api/snapshot.ts";
import { eventually } from "../../support/eventually.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";
import { pathOf, requireOrSkip } from "../../support/real-parts.ts";
import { type MoverWorld, password, startMoverWorld } from "./mover-world.ts";

const runs = requireOrSkip("kube-apiserver", "etcd", "kube-controller-manager", "restic");
let world: MoverWorld;

beforeAll(async () => {
  if (!runs) return;
  world = await startMoverWorld();
}, 60_000);
afterAll(async () => {
  await world?.close();
});

const data = { "a.txt": "a", "deep/b.txt": "bb", "cache/c.tmp": "ccc", "empty.txt": "" };
let volume: string;
let logs: string;

/** A volume as the embedded kubelet mounts it: a link at the mount path to the volume's directory. */
async function mountVolume(mountPath: string, files: Readonly<Record<string, string>>): Promise<string> {
  const volume = join(world.root, `volume-of${mountPath.replaceAll("/", "-")}`);
  await mkdir(volume);
  await symlink(volume, join(world.root, mountPath));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(volume, name, ".."), { recursive: true });
    await writeFile(join(volume, name), text);
  }
  return volume;
}

async function filesBelow(directory: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found[path.slice(directory.length + 1)] = await readFile(path, "utf8");
  }
  return found;
}

async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
}

async function componentOf(snapshot: string, component: string): Promise<SnapshotComponent> {
  return await world.component(snapshot, component);
}

describe.runIf(runs)("volumes of a workload", () => {
  it("are saved path by path, without what is excluded", async () => {
    volume = await mountVolume("/data", data);
    logs = await mountVolume("/logs", { "x.log": "x" });
    const { session, snapshot } = await world.session({ repository: "web-repo", at: 2000 });
    const flags = {
      namespace: world.vault,
      backupsession: session,
      paths: "/data/, /logs",
      exclude: "*.tmp",
    };
    expect(await world.job("workload-backup", "dump-pod-0", flags)).toBe(0);
    expect(await componentOf(snapshot, "dump-pod-0")).toMatchObject({
      phase: "Succeeded",
      path: "repository/v1/nightly/dump-pod-0",
      integrity: true,
      resticStats: [
        { summary: { hostPath: "/data", size: "3 B" } },
        { summary: { hostPath: "/logs", size: "1 B" } },
      ],
      proof: {
        files: 4,
        bytes: 4,
        snapshots: [
          { hostPath: "/data", files: 3, bytes: 3 },
          { hostPath: "/logs", files: 1, bytes: 1 },
        ],
      },
    });
  });

  it("of several pods report side by side into one Snapshot", async () => {
    const snapshot = "web-repo-bc-nightly-2000";
    const flags = { namespace: world.vault, backupsession: "bc-nightly-2000", paths: "/logs" };
    const first = await componentOf(snapshot, "dump-pod-0");
    expect(await world.job("workload-backup", "dump-pod-1", flags)).toBe(0);
    expect(await componentOf(snapshot, "dump-pod-1")).toMatchObject({ phase: "Succeeded" });
    expect(await componentOf(snapshot, "dump-pod-0")).toEqual(first);
  });
});

describe.runIf(runs)("saved volumes", () => {
  it("come back into the mounted volumes, byte for byte", async () => {
    await empty(volume);
    await empty(logs);
    await world.restore("web-back");
    const flags = {
      namespace: world.vault,
      restoresession: "web-back",
      snapshot: "web-repo-bc-nightly-2000",
    };
    expect(await world.job("workload-restore", "dump-pod-0", flags)).toBe(0);
    const { "cache/c.tmp": _excluded, ...kept } = data;
    expect(await filesBelow(volume)).toEqual(kept);
    expect(await filesBelow(logs)).toEqual({ "x.log": "x" });
    const restored = await world.get(resourceOf("RestoreSession"), world.vault, "web-back");
    expect(restored["status"]).toMatchObject({
      components: { "dump-pod-0": { phase: "Succeeded", results: { files: 4, bytes: 4, failed: 0 } } },
    });
  });

  it("come back in part, by pattern", async () => {
    await empty(volume);
    await world.restore("web-part");
    const flags = {
      namespace: world.vault,
      restoresession: "web-part",
      snapshot: "web-repo-bc-nightly-2000",
      include: "/data/deep",
    };
    expect(await world.job("workload-restore", "dump-pod-0", flags)).toBe(0);
    expect(await filesBelow(volume)).toEqual({ "deep/b.txt": "bb" });
  });

  it("go into another claim when a workload's volume is cloned", async () => {
    const claim = await mountVolume("/kubestash-data", {});
    const { session, snapshot } = await world.session({ repository: "clone-repo", at: 2001 });
    await writeFile(join(logs, "y.log"), "yy");
    const flags = { namespace: world.vault, backupsession: session, paths: "/logs" };
    expect(await world.job("workload-backup", "dump", flags)).toBe(0);
    await world.restore("clone");
    expect(
      await world.job("pvc-restore", "dump", { namespace: world.vault, restoresession: "clone", snapshot }),
    ).toBe(0);
    expect(await filesBelow(claim)).toEqual({ "x.log": "x", "y.log": "yy" });
  });
});

describe.runIf(runs)("a backup of volumes that goes wrong", () => {
  it("says that the source is not there, and saves the other path as a part", async () => {
    const { session, snapshot } = await world.session({ repository: "web-repo", at: 2002 });
    const flags = { namespace: world.vault, backupsession: session, paths: "/absent,/logs" };
    expect(await world.job("workload-backup", "dump", flags)).toBe(3);
    expect(await componentOf(snapshot, "dump")).toMatchObject({
      phase: "Failed",
      error: expect.stringContaining("there is no /absent to back up"),
      proof: { missing: [expect.stringContaining("/absent")], files: 2 },
    });
  });

  it("fails when there is nothing at all to save", async () => {
    const { session, snapshot } = await world.session({ repository: "web-repo", at: 2003 });
    const flags = { namespace: world.vault, backupsession: session, paths: "/absent" };
    expect(await world.job("workload-backup", "dump", flags)).toBe(1);
    expect(await componentOf(snapshot, "dump")).toMatchObject({
      phase: "Failed",
      error: expect.stringContaining("there is no /absent to back up"),
    });
    expect(await world.terminationMessage()).toContain("/absent");
  });

  it("is not proven when the snapshot lacks a file that restic said it saved", async () => {
    const { session, snapshot } = await world.session({ repository: "web-repo", at: 2004 });
    const restic = {
      ...world.restic,
      // A repository that loses the newest snapshot right after it was written.
      async backup(...args: Parameters<typeof world.restic.backup>) {
        const summary = await world.restic.backup(...args);
        await rm(join(args[0].url, "snapshots", summary.snapshotId));
        return summary;
      },
    };
    const flags = { namespace: world.vault, backupsession: session, paths: "/logs" };
    expect(await world.job("workload-backup", "dump", flags, { restic })).toBe(1);
    expect(await componentOf(snapshot, "dump")).toMatchObject({
      phase: "Failed",
      error: expect.stringContaining("not proven"),
    });
  });

  it("told to end, reports that and ends with 130; the next attempt is clean", async () => {
    const { session, snapshot } = await world.session({ repository: "web-repo", at: 2005 });
    const stop = new AbortController();
    const flags = { namespace: world.vault, backupsession: session, paths: "/logs" };
    const restic = {
      ...world.restic,
      async backup(...args: Parameters<typeof world.restic.backup>) {
        stop.abort();
        return await world.restic.backup(...args);
      },
    };
    expect(await world.job("workload-backup", "dump", flags, { restic, signal: stop.signal })).toBe(130);
    expect(await componentOf(snapshot, "dump")).toMatchObject({
      phase: "Failed",
      error: expect.stringContaining("told to end"),
    });
    expect(await world.job("workload-backup", "dump", flags)).toBe(0);
    expect(await componentOf(snapshot, "dump")).toMatchObject({ phase: "Succeeded" });
  });
});

describe.runIf(runs)("a restore of volumes that goes wrong", () => {
  it("refuses a path where nothing is mounted", async () => {
    await rm(join(world.root, "logs"));
    await world.restore("unmounted");
    const flags = {
      namespace: world.vault,
      restoresession: "unmounted",
      snapshot: "clone-repo-bc-nightly-2001",
    };
    expect(await world.job("workload-restore", "dump", flags)).toBe(1);
    expect(await world.terminationMessage()).toContain("nothing is mounted at /logs");
  });

  it("names the components that there are", async () => {
    await world.restore("unknown");
    const flags = {
      namespace: world.vault,
      restoresession: "unknown",
      snapshot: "clone-repo-bc-nightly-2001",
    };
    expect(await world.job("workload-restore", "dump-pod-7", flags)).toBe(1);
    expect(await world.terminationMessage()).toContain("has no component dump-pod-7; it has dump");
  });
});

describe.runIf(runs)("forget", () => {
  it("waits for another restic that holds the repository", async () => {
    const { url } = world.resticRepository("web-repo/repository/v1/nightly/dump-pod-1");
    const environment = { PATH: process.env["PATH"], HOME: world.root, RESTIC_PASSWORD: password };
    const holder = spawn(pathOf("restic"), ["-r", url, "backup", "--no-cache", "--stdin"], {
      env: environment,
    });
    const ended = new Promise((resolve) => holder.once("exit", resolve));
    try {
      await eventually(async () => expect(await readdir(join(url, "locks"))).toHaveLength(1));
      const hurried = hurriedClock();
      const clock = {
        now: hurried.now,
        sleep: async (ms: number, signal?: AbortSignal) => {
          holder.stdin.end("done");
          await ended;
          await hurried.sleep(ms, signal);
        },
      };
      const { snapshot } = await world.session({ repository: "web-repo", at: 2006 });
      const flags = { namespace: world.vault, backupsession: "bc-nightly-2006", paths: "/data" };
      expect(await world.job("workload-backup", "dump-pod-1", flags)).toBe(0);
      const forget = { namespace: world.vault, repository: "web-repo", snapshots: snapshot };
      expect(await world.job("forget", "", forget, { clock })).toBe(0);
      expect(world.log.join("\n")).toContain("waiting for the repository's lock");
    } finally {
      holder.kill("SIGKILL");
    }
  });

  it("forgets exactly those snapshots, their leftovers and their files, and no other", async () => {
    const repository = world.resticRepository("web-repo/repository/v1/nightly/dump");
    const before = await world.restic.snapshots(repository);
    const [partial, good] = ["web-repo-bc-nightly-2002", "web-repo-bc-nightly-2005"];
    const kept = (await componentOf(good, "dump")).resticStats?.[0]?.summary?.id;
    const gone = (await componentOf(partial, "dump")).resticStats?.[0]?.summary?.id;
    const leftover = await world.restic.backup(repository, {
      root: world.root,
      path: "/backend/web-repo/repository/v1/nightly/dump/keys",
      exclude: [],
      host: "x",
      tags: ["snapshot=012002web-repo"],
    });
    const files = join(world.root, "backend", "web-repo", "snapshots");
    await mkdir(files, { recursive: true });
    for (const name of [partial, good]) await writeFile(join(files, `${name}.yaml`), "kind: Snapshot\n");
    const flags = { namespace: world.vault, repository: "web-repo", snapshots: `${partial},never-was` };
    expect(await world.job("forget", "", flags)).toBe(0);
    const after = (await world.restic.snapshots(repository)).map(({ id }) => id);
    expect(after).toContain(kept);
    expect(after).not.toContain(gone);
    expect(after).not.toContain(leftover.snapshotId);
    expect(after).toHaveLength(before.length - 1);
    expect(await readdir(files)).toEqual([`${good}.yaml`]);
    expect(await world.job("forget", "", flags)).toBe(0);
  });

  it("keeps the file of a snapshot that it could not forget, names it, and goes on with the others", async () => {
    const files = join(world.root, "backend", "web-repo", "snapshots");
    await writeFile(join(files, "web-repo-bc-nightly-2000.yaml"), "kind: Snapshot\n");
    const lost = join(world.root, "backend/web-repo/repository/v1/nightly/dump-pod-0/config");
    const config = await readFile(lost);
    await rm(lost, { force: true });
    await writeFile(lost, "not a config");
    const snapshots = "web-repo-bc-nightly-2000,web-repo-bc-nightly-2005";
    expect(await world.job("forget", "", { namespace: world.vault, repository: "web-repo", snapshots })).toBe(
      1,
    );
    expect(await world.terminationMessage()).toContain(
      "web-repo-bc-nightly-2000: repository/v1/nightly/dump-pod-0",
    );
    expect(await readdir(files)).toEqual(["web-repo-bc-nightly-2000.yaml"]);
    await rm(lost, { force: true });
    await writeFile(lost, config);
  });
});
