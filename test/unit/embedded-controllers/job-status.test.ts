import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import {
  decideJob,
  expiresAtMs,
  trackingFinalizer,
  uncountedOf,
} from "../../../src/embedded/controllers/job-status.ts";
import { isTrue } from "../../../src/embedded/controllers/status.ts";

const now = Date.parse("2026-05-01T12:00:00Z");
const none = { succeeded: [], failed: [] };

function job(spec: Record<string, unknown> = {}, status: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "j", namespace: "n", uid: "job-uid" },
    spec: { backoffLimit: 6, completions: 1, parallelism: 1, ...spec },
    status: { startTime: "2026-05-01T11:59:00Z", ...status },
  };
}

function pod(
  uid: string,
  phase: string,
  more: Partial<KubeObject["metadata"]> & { finishedAt?: string } = {},
): KubeObject {
  const { finishedAt, ...metadata } = more;
  const containerStatuses = finishedAt === undefined ? [] : [{ state: { terminated: { finishedAt } } }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: uid, namespace: "n", uid, ...metadata },
    status: { phase, containerStatuses },
  };
}

describe("which pods a Job needs", () => {
  test("a new Job gets as many pods as may run at once, and no more than are left to do", () => {
    expect(decideJob(job({ completions: 5, parallelism: 3 }), [], none, now).create).toBe(3);
    const four = job({ completions: 5, parallelism: 3 }, { succeeded: 4 });
    expect(decideJob(four, [], none, now).create).toBe(1);
  });

  test("a running pod is not doubled", () => {
    const decision = decideJob(job(), [pod("a", "Running")], none, now);
    expect(decision).toMatchObject({ create: 0, remove: [] });
    expect(decision.status["active"]).toBe(1);
  });

  test("less parallelism takes pods away", () => {
    const pods = [pod("a", "Running"), pod("b", "Pending")];
    expect(decideJob(job({ completions: 5 }), pods, none, now).remove).toHaveLength(1);
  });

  test("a failed pod is replaced after 10 s, then 20 s", () => {
    const first = pod("a", "Failed", { finishedAt: "2026-05-01T11:59:58Z" });
    const decision = decideJob(job({}, { failed: 1 }), [first], none, now);
    expect(decision).toMatchObject({ create: 0, againMs: 8_000 });
    const second = pod("b", "Failed", { finishedAt: "2026-05-01T11:59:59Z" });
    expect(decideJob(job({}, { failed: 2 }), [first, second], none, now).againMs).toBe(19_000);
    expect(decideJob(job({}, { failed: 2 }), [first, second], none, now + 19_000).create).toBe(1);
  });

  test("podReplacementPolicy Failed waits for the pod that is on its way out", () => {
    const leaving = pod("a", "Running", { deletionTimestamp: "2026-05-01T12:00:00Z" });
    expect(decideJob(job(), [leaving], none, now).create).toBe(1);
    expect(decideJob(job({ podReplacementPolicy: "Failed" }), [leaving], none, now).create).toBe(0);
  });

  test("a suspended Job loses its pods, and its start time when it goes on", () => {
    const decision = decideJob(job({ suspend: true }), [pod("a", "Running")], none, now);
    expect(decision.remove).toHaveLength(1);
    expect(isTrue({ status: decision.status }, "Suspended")).toBe(true);
    expect(decision.status["startTime"]).toBe("2026-05-01T11:59:00Z");
    const resumed = { ...job(), status: decision.status };
    expect(decideJob(resumed, [], none, now).status["startTime"]).toBe("2026-05-01T12:00:00Z");
    const stopped = pod("a", "Running", { deletionTimestamp: "2026-05-01T12:00:00Z" });
    expect(uncountedOf(job({ suspend: true }), [stopped]).failed).toEqual([]);
  });
});

describe("how a Job ends", () => {
  test("it is Complete when enough pods have succeeded and none is left", () => {
    const uncounted = { succeeded: ["a"], failed: [] };
    const { status } = decideJob(job(), [pod("a", "Succeeded")], uncounted, now);
    expect(status).toMatchObject({ succeeded: 1, completionTime: "2026-05-01T12:00:00Z" });
    expect(isTrue({ status }, "SuccessCriteriaMet")).toBe(true);
    expect(isTrue({ status }, "Complete")).toBe(true);
  });

  test("without completions one success is enough, once the other pods have ended", () => {
    const open = job({ completions: undefined, parallelism: 2 });
    const uncounted = { succeeded: ["a"], failed: [] };
    const { status } = decideJob(open, [pod("a", "Succeeded"), pod("b", "Running")], uncounted, now);
    expect(isTrue({ status }, "SuccessCriteriaMet")).toBe(false);
    const after = decideJob(
      open,
      [pod("a", "Succeeded"), pod("b", "Failed")],
      { succeeded: ["a"], failed: ["b"] },
      now,
    );
    expect(isTrue({ status: after.status }, "Complete")).toBe(true);
  });

  test("it has Failed when more pods failed than backoffLimit allows", () => {
    const uncounted = { succeeded: [], failed: ["a"] };
    const { status } = decideJob(job({ backoffLimit: 0 }), [pod("a", "Failed")], uncounted, now);
    expect(status["conditions"]).toEqual([
      expect.objectContaining({ type: "FailureTarget", reason: "BackoffLimitExceeded" }),
      expect.objectContaining({ type: "Failed", status: "True", reason: "BackoffLimitExceeded" }),
    ]);
  });

  test("past its deadline it first takes its pods away and is Failed when they are gone", () => {
    const late = job({ activeDeadlineSeconds: 60 });
    const first = decideJob(late, [pod("a", "Running")], none, now);
    expect(first.remove).toHaveLength(1);
    expect(isTrue({ status: first.status }, "Failed")).toBe(false);
    const then = decideJob(
      { ...late, status: first.status },
      [],
      { succeeded: [], failed: ["a"] },
      now + 1_000,
    );
    expect(isTrue({ status: then.status }, "Failed")).toBe(true);
    expect(then.status["failed"]).toBe(1);
  });

  test("what is not done here fails the Job by name", () => {
    const { status } = decideJob(job({ completionMode: "Indexed" }), [], none, now);
    expect(status["conditions"]).toContainEqual(
      expect.objectContaining({
        type: "Failed",
        reason: "NotSupported",
        message: expect.stringContaining("Indexed"),
      }),
    );
  });

  test("a finished Job expires after its ttl", () => {
    const conditions = [{ type: "Failed", status: "True", lastTransitionTime: "2026-05-01T12:00:00Z" }];
    expect(expiresAtMs(job({ ttlSecondsAfterFinished: 5 }, { conditions }))).toBe(now + 5_000);
    expect(expiresAtMs(job({}, { conditions }))).toBeUndefined();
  });
});

describe("counting", () => {
  const tracked = { finalizers: [trackingFinalizer] };

  test("a finished pod is counted once, whatever was killed between the steps", () => {
    const done = pod("a", "Succeeded", tracked);
    const announced = uncountedOf(job(), [done]);
    expect(announced).toEqual({ succeeded: ["a"], failed: [] });
    const named = job({}, { uncountedTerminatedPods: { succeeded: ["a"] } });
    // Killed before or after the finalizer was taken: the same pod is still counted once.
    expect(uncountedOf(named, [done])).toEqual(announced);
    expect(uncountedOf(named, [pod("a", "Succeeded")])).toEqual(announced);
    expect(uncountedOf(named, [])).toEqual(announced);
    // Counted: the pod without its finalizer adds nothing.
    expect(uncountedOf(job({}, { succeeded: 1 }), [pod("a", "Succeeded")])).toEqual(none);
  });

  test("a pod that is deleted while it runs counts as failed", () => {
    const leaving = pod("a", "Running", { ...tracked, deletionTimestamp: "2026-05-01T12:00:00Z" });
    expect(uncountedOf(job(), [leaving]).failed).toEqual(["a"]);
  });
});
