import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { observedFrom } from "../../../src/pass/observed/observed.ts";
import { Draft } from "../../../src/pass/plan/draft.ts";
import { jobEnd, tellPending } from "../../../src/pass/plan/executor-job.ts";
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

describe("a session whose Job has a pod that does not begin", () => {
  const unscheduled = {
    phase: "Pending",
    conditions: [
      { type: "PodScheduled", status: "False", message: 'persistentvolumeclaim "data" not found' },
    ],
  };
  const session = (status?: unknown): KubeObject => ({
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "BackupSession",
    metadata: { name: "web-often-1", namespace: "app", uid: "uid-of-session", resourceVersion: "1" },
    ...(status === undefined ? {} : { status }),
  });
  const type = "PodHasBeenInPendingStateForLongerThanExpected";

  function told(object: KubeObject, nowMs: number, ...pods: readonly KubeObject[]) {
    const draft = new Draft(object, nowMs);
    tellPending(draft, [job], worldAt(nowMs, ...pods));
    const { problems, wakeAtMs } = draft.turn("test");
    return { condition: draft.condition(type), problems, wakeAtMs };
  }

  test("says why after half a minute, and wakes up for it before", () => {
    expect(told(session(), created + 10_000, pod(unscheduled))).toEqual({
      condition: undefined,
      problems: [],
      wakeAtMs: created + 30_000,
    });
    const { condition, problems } = told(session(), created + 31_000, pod(unscheduled));
    expect(condition).toMatchObject({
      status: "True",
      reason: "JobHasNotBegun",
      message: expect.stringContaining('persistentvolumeclaim "data" not found') as unknown,
    });
    expect(problems).toMatchObject([{ severity: "warning", reason: "JobHasNotBegun" }]);
  });

  test("says so no more once it runs, and keeps why a Job was given up", () => {
    const running = pod({ phase: "Running" });
    const before = (reason: string) =>
      session({ conditions: [{ type, status: "True", reason, lastTransitionTime: "2026-11-20T12:00:00Z" }] });
    expect(told(before("JobHasNotBegun"), created + 60_000, running).condition).toBeUndefined();
    expect(told(before(type), created + 60_000, running).condition).toMatchObject({ reason: type });
  });
});
