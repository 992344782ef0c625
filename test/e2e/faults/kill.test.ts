import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { configMap, configuration, restore } from "../lab.ts";
import { retried, settleFaultWorld, trigger } from "./fault-lab.ts";
import { type FaultWorld, openFaultWorld } from "./fault-world.ts";
import { type KillPoint, killPoints } from "./kill-points.ts";
import { bendOf, setTrap, startRun } from "./killer.ts";
import { checkBackupLaws, checkRest, checkRestoreLaws, sessionsOf } from "./laws.ts";

// All points with this many seeds each; without it a sample, with the seed that kills at once.
const seeds = Number(process.env["HOLDFAST_FAULT_SEEDS"] ?? 0);
const only = process.env["HOLDFAST_FAULT_POINTS"];
const sample = [
  "run when a backup's Job is made",
  "job when it has said that it is done",
  "restic when its lock is written",
  "run when a claim is in the record",
];
const points = killPoints.filter(({ label }) =>
  only === undefined ? seeds > 0 || sample.includes(label) : new RegExp(only).test(label),
);

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
        if ((await world.get("ConfigMap", "app", "settings")) === undefined)
          await world.create(configMap("app", "settings", { mode: "0644" }));
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
  expect(trap.sprung(), `seed ${seed} did not reach it; it said ${words}; seen: ${seenOf(point)}`).toBe(true);
  expect(running?.child.signalCode ?? "SIGKILL", `seed ${seed}: ${words}`).toBe("SIGKILL");
  // A claim of a dead run is left alone for half a minute; nobody here waits for it.
  const { end, last } = await world.run({ aheadMs: point.story === "restore" ? 60_000 : 0 });
  expect(end, `waiting for ${last.plan.waiting.join()}`).toBe("done");
  await check();
}

function seenOf({ at }: KillPoint): string {
  return at.on === "api" || at.on === "store" ? world[at.on].seen.slice(-80).join("\n") : at.on;
}

describe.runIf(requireOrSkip("restic", "git", "versitygw"))("whoever is killed", () => {
  beforeAll(async () => {
    world = await openFaultWorld();
    await settleFaultWorld(world);
  }, 60_000);

  afterAll(async () => {
    await world?.close();
  });

  test.for(points)(
    "$label: the next pass goes on",
    { retry: 0, timeout: Math.max(1, seeds) * 180_000 },
    async (point) => {
      for (let seed = 0; seed < Math.max(1, seeds); seed += 1) {
        world.api.seen.length = 0;
        world.store.seen.length = 0;
        await expect(killAndGoOn(point, seed)).resolves.toBeUndefined();
      }
    },
  );
});

test("the points are at least forty, and no two have one label", () => {
  expect(new Set(killPoints.map(({ label }) => label)).size).toBe(killPoints.length);
  expect(killPoints.length).toBeGreaterThanOrEqual(40);
  expect(sample.every((label) => killPoints.some((point) => point.label === label))).toBe(true);
});
