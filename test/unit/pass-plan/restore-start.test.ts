import { expect, test } from "vitest";
import { startFinalizer } from "../../../src/api/labels.ts";
import { type KubeObject, refOf } from "../../../src/api/meta.ts";
import { asRecord } from "../../../src/base/json.ts";
import type { Step } from "../../../src/pass/plan/step.ts";
import { passes } from "./model/events.ts";
import { componentLabel } from "./model/mover.ts";
import { scene } from "./model/scene.ts";
import { Simulation } from "./model/simulation.ts";

/** A world with a backup, up to the plan that makes the Job of a restore. */
function aboutToStart(): { readonly simulation: Simulation; readonly steps: readonly Step[] } {
  const simulation = new Simulation(scene);
  simulation.happen({ do: "file", name: "back", there: true });
  for (let passes = 0; passes < 10; passes += 1) {
    const { steps } = simulation.plan(0).plan;
    if (steps.some(isRestoreJob)) return { simulation, steps };
    simulation.happen({ do: "pass", by: 0, trouble: {} });
  }
  throw new Error("it never makes the Job");
}

function isRestoreJob(step: Step): boolean {
  return step.kind === "create" && step.object.kind === "Job";
}

function restoreJobs(simulation: Simulation): readonly KubeObject[] {
  return simulation.cluster.list("Job").filter((job) => componentLabel(job) === "kubestash-restore");
}

function ofRestore(steps: readonly Step[]): number {
  return steps.findIndex((step) => step.kind === "status" && step.ref.kind === "RestoreSession");
}

test("a Job of a restore that is deleted before its status could say so is not made again", () => {
  const { simulation, steps } = aboutToStart();
  const statuses = steps.filter((step) => step.kind === "status");
  const lostAt = steps.length - statuses.length + ofRestore(statuses);
  simulation.happen({ do: "pass", by: 0, trouble: { lostAt } });
  expect(restoreJobs(simulation).map((job) => job.metadata.finalizers)).toEqual([
    [startFinalizer],
    [startFinalizer],
  ]);
  for (const job of restoreJobs(simulation)) simulation.cluster.delete(refOf(job));
  simulation.happen(passes);
  expect(restoreJobs(simulation)).toEqual([]);
  const restore = simulation.cluster.find("RestoreSession", "app", "back");
  expect(asRecord(restore?.["status"])["phase"]).toBe("Failed");
  simulation.settle();
  simulation.expectRest();
});

test("a restore whose RestoreSession is torn away lets its Job go", () => {
  const { simulation } = aboutToStart();
  simulation.happen({ do: "pass", by: 0, trouble: {} });
  simulation.happen({ do: "force", kind: "RestoreSession", pick: 0 });
  simulation.happen({ do: "file", name: "back", there: false });
  simulation.happen({ do: "passes", by: 0, count: 2 });
  expect(restoreJobs(simulation)).toEqual([]);
});

test("a restore that no task can run is refused before its claim, so that its name stays free", () => {
  const simulation = new Simulation(scene);
  for (const one of simulation.cluster.list("Addon"))
    simulation.cluster.delete({ apiVersion: one.apiVersion, kind: one.kind, name: one.metadata.name });
  simulation.happen({ do: "file", name: "back", there: true });
  simulation.happen(passes);
  const restore = simulation.cluster.find("RestoreSession", "app", "back");
  expect(asRecord(restore?.["status"])["phase"]).toBe("Invalid");
  expect(simulation.record.read().restore("app", "back")).toBeUndefined();
});
