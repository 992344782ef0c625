import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import { makeKeyCheap } from "../../support/cheap-key.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { configuration, password, restore } from "../lab.ts";
import { retried, settings, settleFaultWorld, trigger } from "./fault-lab.ts";
import { type FaultWorld, openFaultWorld } from "./fault-world.ts";
import { type KillPoint, killPoints, killSample, type Victim } from "./kill-points.ts";
import { bendOf, setTrap, startRun } from "./killer.ts";
import { checkBackupLaws, checkRest, checkRestoreLaws, sessionsOf } from "./laws.ts";

// All points with this many seeds each, or with one seed; without either a sample, with the seed that kills at once.
const seedsWanted = Number(process.env["HOLDFAST_FAULT_SEEDS"] ?? 0);
const oneSeed = process.env["HOLDFAST_FAULT_SEED"];
const pattern = process.env["HOLDFAST_FAULT_POINTS"];
const seeds =
  oneSeed === undefined
    ? Array.from({ length: Math.max(1, seedsWanted) }, (_, seed) => seed)
    : [Number(oneSeed)];
const all = seedsWanted > 0 || oneSeed !== undefined;

/** After so many kills a world is replaced: what a check costs grows with the record. */
const killsPerWorld = 25;

let world: FaultWorld;
let count = 0;

/** Begins the story and answers what is to be checked at its end. */
async function begin(point: KillPoint): Promise<() => Promise<void>> {
  count += 1;
  switch (point.story) {
    case "first": {
      const name = `first-${count}`;
      const file = `clusters/lab/${name}.yaml`;
      const declared = { name, repository: name, directory: `/${name}`, session: retried };
      world.remote.commit(`Declare ${name}`, { [file]: configuration(declared) });
      return async () => {
        if (point.leaves !== undefined) await growOld(name);
        await checkBackupLaws(world, name, new Set());
        await checkRest(world);
        world.remote.commit(`Take ${name} out`, { [file]: null });
        await world.run();
      };
    }
    case "backup": {
      const known = new Set((await sessionsOf(world, "app-manifests")).map((one) => one.metadata.name));
      await trigger(world);
      return async () => {
        await checkBackupLaws(world, "app-manifests", known);
        await checkRest(world);
      };
    }
    case "restore": {
      const name = `back-${count}`;
      const file = `clusters/lab/restores/${name}.yaml`;
      await world.kube.delete(builtIn.ConfigMap, { namespace: "app", name: "settings" });
      world.remote.commit(`Restore ${name}`, { [file]: restore(name) });
      return async () => {
        await checkRestoreLaws(world, name, point.restoreEnds ?? "Succeeded");
        await checkRest(world);
        world.remote.commit(`Take ${name} out`, { [file]: null });
        await world.run();
        if ((await world.get("ConfigMap", "app", "settings")) === undefined) await world.create(settings);
      };
    }
  }
}

/** An hour goes by for what a dead restic has left in the backend; then the next backup is due. */
async function growOld(name: string): Promise<void> {
  const folder = join(world.backend, name, "repository");
  const before = new Date(Date.now() - 3_600_000);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  for (const file of files) utimesSync(join(folder, file), before, before);
  await trigger(world, name);
  await world.run();
}

/** The config is the last that `restic init` writes. */
function makeNewKeyCheap(what: string): void {
  const repository = /^PUT \/[^/]+\/lab\/(.+)\/config\b/.exec(what)?.[1];
  if (repository !== undefined) makeKeyCheap(join(world.backend, repository), password);
}

async function killAndGoOn(point: KillPoint, seed: number): Promise<void> {
  const bend = bendOf(seed);
  const check = await begin(point);
  const running = point.dies === "run" ? startRun(world) : undefined;
  const trap = setTrap({ world, point, bend, running: () => running?.child });
  let words = "";
  try {
    if (running === undefined) await world.run();
    else words = (await running.ended).words;
  } finally {
    trap.disarm();
  }
  expect(await trap.sprung(), `nobody reached it; it said ${words}; seen: ${seenOf(point)}`).toBe(true);
  expect(running?.child.signalCode ?? "SIGKILL", `it said ${words}`).toBe("SIGKILL");
  // A claim of a dead run is left alone for half a minute; nobody here waits for it.
  const { end, last } = await world.run({ aheadMs: point.story === "restore" ? 60_000 : 0 });
  expect(end, `waiting for ${last.plan.waiting.join()}`).toBe("done");
  await check();
}

function seenOf({ at }: KillPoint): string {
  return at.on === "api" || at.on === "store" ? world[at.on].seen.slice(-80).join("\n") : at.on;
}

/** Sessions and Snapshots as they are, for whoever reads of a failure. */
async function whatStands(): Promise<string> {
  const lists = await Promise.all(
    ["BackupSession", "Snapshot", "Job"].map((kind) => world.list(kind, "vault")),
  );
  const lines = lists.flat().map(({ kind, metadata, ...rest }) => {
    const { name, creationTimestamp, finalizers } = metadata;
    return `${kind} ${name} ${creationTimestamp} ${finalizers?.join() ?? ""} ${JSON.stringify(rest["status"])}`;
  });
  return lines.join("\n");
}

/**
 * One test for each point and seed of those at which this victim dies. They share a world, each with what it
 * declares by itself, until it is worn or one of them has failed in it.
 */
export function describeKills(victim: Victim): void {
  const points = killPoints.filter(
    ({ dies, label }) =>
      dies === victim &&
      (pattern === undefined ? all || killSample.includes(label) : new RegExp(pattern).test(label)),
  );
  // Seed by seed, so that a run that is cut has been at every point.
  const kills = seeds.flatMap((seed) => points.map((point) => ({ point, seed })));
  const wanted = kills.length > 0 && requireOrSkip("restic", "git", "versitygw");

  describe.runIf(wanted)(`${victim} is killed`, () => {
    let left = 0;

    beforeEach(async () => {
      if (left === 0) {
        await world?.close();
        world = await openFaultWorld();
        world.store.answered = makeNewKeyCheap;
        await settleFaultWorld(world);
        left = killsPerWorld;
      }
      left -= 1;
      for (const proxy of [world.api, world.store]) proxy.seen.length = 0;
    }, 120_000);

    afterEach(async ({ task }) => {
      if (task.result?.state !== "fail") return;
      left = 0;
      // Told at once: a run of hours may never come to its summary.
      const said = (task.result.errors ?? []).map(({ message, diff }) => `${message}\n${diff ?? ""}`);
      process.stderr.write(`\n${task.name}\n${said.join("\n")}\n${await whatStands()}\n`);
    });

    afterAll(async () => {
      await world?.close();
    });

    for (const { point, seed } of kills)
      test(`${point.label}, seed ${seed}: the next pass goes on`, {
        retry: 0,
        timeout: 300_000,
      }, async () => {
        expect.hasAssertions();
        await killAndGoOn(point, seed);
      });
  });
}
