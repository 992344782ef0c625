import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { pathOf } from "../../support/real-parts.ts";
import { field, password, phase } from "../lab.ts";
import type { FaultWorld } from "./fault-world.ts";

/** What must hold when a pass has gone over what a dead one left. */
export async function checkBackupLaws(world: FaultWorld, configuration: string, known: ReadonlySet<string>) {
  const sessions = (await sessionsOf(world, configuration)).filter((one) => !known.has(one.metadata.name));
  const newest = sessions.at(-1);
  expect(phase(newest), `status: ${JSON.stringify(newest?.["status"])}`).toBe("Succeeded");
  const snapshots = (await world.list("Snapshot", "vault")).filter(
    (one) => field(one, "spec", "repository") === configuration,
  );
  const good = snapshots.filter((one) => phase(one) === "Succeeded");
  expect(good.map((one) => field(one, "spec", "backupSession"))).toEqual([newest?.metadata.name]);
  for (const { metadata } of sessions) {
    const mine = snapshots.filter((one) => field(one, "spec", "backupSession") === metadata.name);
    expect(mine.length, `Snapshots of ${metadata.name}`).toBeLessThanOrEqual(1);
    expect(recordedTimes(world, `sessions/vault/${configuration}/.*/${metadata.name}.yaml`)).toBe(1);
  }
  checkRepository(world, configuration, snapshots);
}

/** In the order in which they were made. */
export async function sessionsOf(world: FaultWorld, configuration: string): Promise<readonly KubeObject[]> {
  const key = ({ metadata }: KubeObject) => `${metadata.creationTimestamp} ${metadata.name}`;
  return (await world.list("BackupSession", "vault"))
    .filter((one) => field(one, "spec", "invoker", "name") === configuration)
    .sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** How often a path that fits came into the record. */
function recordedTimes(world: FaultWorld, path: string): number {
  const added = world.remote.git(
    "log",
    "--no-renames",
    "--diff-filter=A",
    "--name-only",
    "--format=",
    "holdfast-record",
  );
  return added.split("\n").filter((line) => new RegExp(`/${path}$`).test(line)).length;
}

/** No lock stays, nothing is damaged, and nothing is there that no Snapshot knows. */
function checkRepository(world: FaultWorld, configuration: string, snapshots: readonly KubeObject[]): void {
  const directory = configuration === "app-manifests" ? "app/manifests" : configuration;
  const path = join(world.backend, directory, "repository/v1/often/manifest");
  const locks = join(path, "locks");
  expect(existsSync(locks) ? readdirSync(locks) : []).toEqual([]);
  const listed = restic(path, "snapshots", "--json", "--no-lock");
  expect(listed.stderr).toBe("");
  const tags = (JSON.parse(listed.stdout) as { tags?: string[] }[]).map((one) => one.tags?.join() ?? "");
  const ids = snapshots.map((one) => `snapshot=${String(field(one, "spec", "snapshotID"))}`);
  expect(tags.filter((tag) => !ids.includes(tag))).toEqual([]);
  expect(new Set(tags).size, "one restic snapshot for each attempt").toBe(tags.length);
  expect(restic(path, "check", "--no-lock")).toMatchObject({ status: 0 });
}

function restic(path: string, ...args: readonly string[]) {
  return spawnSync(pathOf("restic"), ["--no-cache", "-r", path, ...args], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", RESTIC_PASSWORD: password },
  });
}

/** The remote is whole, and a pass on the unchanged world writes nothing. */
export async function checkRest(world: FaultWorld): Promise<void> {
  const fsck = spawnSync(
    "git",
    ["-C", world.remote.bare, "fsck", "--strict", "--no-dangling", "--no-progress"],
    {
      encoding: "utf8",
    },
  );
  expect({ status: fsck.status, words: `${fsck.stdout}${fsck.stderr}` }).toEqual({ status: 0, words: "" });
  const tip = world.remote.recordTip();
  const { outcome, recorded } = await world.pass();
  expect(outcome.results.filter(({ result }) => result !== "unchanged")).toEqual([]);
  expect(recorded.kind).toBe("nothing");
  expect(world.remote.recordTip()).toBe(tip);
}

/** A restore ran at most once: one claim, one Job at most, and what it says is true. */
export async function checkRestoreLaws(world: FaultWorld, name: string, ends: string): Promise<void> {
  const restored = await world.get("RestoreSession", "vault", name);
  expect(phase(restored), `status: ${JSON.stringify(restored?.["status"])}`).toBe(ends);
  const told = world.remote.recordLog().filter((line) => line.startsWith(`restore vault/${name}: `));
  expect(told.filter((line) => line.endsWith(": Claimed"))).toHaveLength(1);
  expect(told.filter((line) => line.includes(`: ${ends}`))).toHaveLength(1);
  expect(told).toHaveLength(2);
  const jobs = (await world.list("Job", "vault")).filter((job) => job.metadata.name === name);
  expect(jobs).toHaveLength(ends === "Unknown" ? 0 : 1);
  const settings = await world.get("ConfigMap", "app", "settings");
  if (ends === "Succeeded") expect(field(settings, "data", "mode")).toBe("0644");
  if (ends === "Unknown") expect(settings).toBeUndefined();
}
