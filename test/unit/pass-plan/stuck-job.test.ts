import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { observedFrom } from "../../../src/pass/observed/observed.ts";
import { jobEnd } from "../../../src/pass/plan/executor-job.ts";
import type { World } from "../../../src/pass/plan/world.ts";

const created = Date.parse("2026-11-20T12:00:00Z");

const job: KubeObject = {
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "backup", namespace: "app", uid: "job-1" },
  status: { active: 1 },
};

function pod(status: Readonly<Record<string, unknown>>): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "backup-x",
      namespace: "app",
      creationTimestamp: "2026-11-20T12:00:00Z",
      ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: "backup", uid: "job-1" }],
    },
    status,
  };
}

function worldAt(nowMs: number, ...pods: readonly KubeObject[]): World {
  return {
    desired: { cluster: "lab", revision: "c", objects: new Map(), complete: true, problems: [] },
    observed: observedFrom([job, ...pods], "uid"),
    recorded: {
      tip: undefined,
      restore: () => undefined,
      entry: () => undefined,
      holds: () => false,
      paths: () => [],
      otherDays: () => [],
    },
    now: nowMs,
    own: { namespace: "holdfast", state: {}, outbox: [] },
    instance: "i",
    image: { registry: "r", repository: "h", tag: "1" },
  };
}

const waiting = {
  phase: "Pending",
  containerStatuses: [{ state: { waiting: { message: "no such volume" } } }],
};

test("a Job whose pod waits for less than ten minutes is running", () => {
  expect(jobEnd(job, worldAt(created + 599_000, pod(waiting)))).toEqual({ kind: "running" });
});

test("a Job whose pod never began in ten minutes has failed, in the pod's own words, and must be removed", () => {
  const end = jobEnd(job, worldAt(created + 601_000, pod(waiting)));
  expect(end).toMatchObject({
    kind: "failed",
    stuck: true,
    message: expect.stringContaining("no such volume"),
  });
});

test("a Job whose pod runs for long is running", () => {
  expect(jobEnd(job, worldAt(created + 7_200_000, pod({ phase: "Running" })))).toEqual({ kind: "running" });
});
