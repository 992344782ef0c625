import fc from "fast-check";
import { expect, test } from "vitest";
import { events, scenes } from "./events.ts";
import { Simulation } from "./simulation.ts";

const runs = Number(process.env["HOLDFAST_FUZZ_RUNS"] ?? 150);
const seed = process.env["HOLDFAST_FUZZ_SEED"];
const parameters = { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) };

test("in any order of events the laws hold, everything ends, and a pass on a world at rest writes nothing", {
  timeout: runs * 1000,
}, () => {
  fc.assert(
    fc.property(scenes, events, (scene, history) => {
      const simulation = new Simulation(scene);
      for (const event of history) simulation.happen(event);
      simulation.settle();
      simulation.expectRest();
    }),
    parameters,
  );
});

test("whatever was deleted when, every finalizer is released in the end", { timeout: runs * 1000 }, () => {
  fc.assert(
    fc.property(scenes, events, (scene, history) => {
      const simulation = new Simulation(scene);
      for (const event of history) simulation.happen(event);
      simulation.tearDown();
      expect(simulation.cluster.list("Job")).toEqual([]);
    }),
    parameters,
  );
});
