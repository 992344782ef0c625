import fc from "fast-check";
import { expect, test } from "vitest";
import { allEvents, awayEvents, backupEvents, type Event, restoreEvents, scenes } from "./events.ts";
import { Simulation } from "./simulation.ts";

/** A larger number for a long run; the seed of a failure is printed with it, and makes it happen again. */
const runs = Number(process.env["HOLDFAST_FUZZ_RUNS"] ?? 30);
const seed = process.env["HOLDFAST_FUZZ_SEED"];
// None is timed: on a busy machine a run of a second takes many.
const timeout = 60_000 + runs * 4000;

/** Histories begin with nothing, or with a backup that is done; the laws are asked at every step. */
function assertLaws(histories: fc.Arbitrary<readonly Event[]>, end: (simulation: Simulation) => void): void {
  fc.assert(
    fc.property(scenes, histories, (scene, history) => {
      const simulation = new Simulation(scene);
      for (const event of history) simulation.happen(event);
      end(simulation);
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) },
  );
}

function comeToRest(simulation: Simulation): void {
  simulation.settle();
  simulation.expectRest();
}

test("in any order of events the laws hold, everything ends, and a pass on a world at rest writes nothing", {
  timeout,
}, () => {
  assertLaws(allEvents, comeToRest);
});

test("a restore runs at most once, whatever is deleted, declared again, killed or raced", { timeout }, () => {
  assertLaws(restoreEvents, comeToRest);
});

test("retention never takes the last good snapshot, and nothing while a source has shrunk", {
  timeout,
}, () => {
  assertLaws(backupEvents, comeToRest);
});

test("everything that ends is recorded once, though the remote is away and its namespace goes", {
  timeout,
}, () => {
  assertLaws(awayEvents, comeToRest);
});

test("whatever was deleted when, every finalizer is released in the end", { timeout }, () => {
  assertLaws(allEvents, (simulation) => {
    simulation.tearDown();
    expect(simulation.cluster.list("Job")).toEqual([]);
  });
});
