import type { KubeObject } from "../../api/meta.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { at, isObject, listAt, numberAt, objectAt, textAt, textsAt } from "../value.ts";
import { timestamp } from "./event-recorder.ts";
import { isActive, isReady, isTerminal, isTerminating, phaseOf } from "./owned-pods.ts";
import { conditionOf, conditionsOf, isTrue, withCondition } from "./status.ts";

/** Kubernetes' own finalizer: a pod with it has not been counted in its Job's status yet. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";

/** Uids of finished pods that are about to be counted; in the status, so that a crash loses and doubles none. */
export type Uncounted = { readonly succeeded: readonly string[]; readonly failed: readonly string[] };

/** Finished pods that still carry the finalizer, added to those that the status names already. */
export function uncountedOf(job: KubeObject, pods: readonly KubeObject[]): Uncounted {
  const succeeded = new Set(textsAt(job, "status", "uncountedTerminatedPods", "succeeded"));
  const failed = new Set(textsAt(job, "status", "uncountedTerminatedPods", "failed"));
  for (const pod of pods) {
    const uid = pod.metadata.uid ?? "";
    if (!isTracked(pod) || succeeded.has(uid) || failed.has(uid)) continue;
    if (phaseOf(pod) === "Succeeded") succeeded.add(uid);
    else if (countsAsFailed(job, pod)) failed.add(uid);
  }
  return { succeeded: [...succeeded], failed: [...failed] };
}

export function isTracked(pod: KubeObject): boolean {
  return pod.metadata.finalizers?.includes(trackingFinalizer) === true;
}

function countsAsFailed(job: KubeObject, pod: KubeObject): boolean {
  if (phaseOf(pod) === "Failed") return true;
  // What is stopped because its Job is suspended has not failed.
  if (at(job, "spec", "suspend") === true) return false;
  return isTerminating(pod) && textAt(job, "spec", "podReplacementPolicy") !== "Failed";
}

export type JobDecision = {
  /** The whole status as it has to be. */
  readonly status: JsonObject;
  readonly create: number;
  readonly remove: readonly KubeObject[];
  /** Milliseconds until time alone changes something. */
  readonly againMs: number | undefined;
  readonly events: readonly { type: "Normal" | "Warning"; reason: string; message: string }[];
};

type Counts = {
  readonly active: readonly KubeObject[];
  readonly terminating: number;
  readonly succeeded: number;
  readonly failed: number;
};

/** Kubernetes' back-off between replacements of failed pods. */
const firstBackOffMs = 10_000;
const longestBackOffMs = 600_000;

/**
 * What a Job's status has to be and which pods are missing or too many: the rules of Kubernetes' Job
 * controller for non-indexed Jobs. Pure; `uncounted` is what `uncountedOf` answered and is counted in here.
 */
export function decideJob(
  job: KubeObject,
  pods: readonly KubeObject[],
  uncounted: Uncounted,
  nowMs: number,
): JobDecision {
  const counts: Counts = {
    active: pods.filter(isActive),
    terminating: pods.filter((pod) => isTerminating(pod) && !isTerminal(pod)).length,
    succeeded: (numberAt(job, "status", "succeeded") ?? 0) + uncounted.succeeded.length,
    failed: (numberAt(job, "status", "failed") ?? 0) + uncounted.failed.length,
  };
  const end = reasonToFail(job, counts, nowMs) ?? reasonToComplete(job, counts);
  if (end !== undefined) return ending(job, counts, end, nowMs);
  if (at(job, "spec", "suspend") === true) return suspended(job, counts, nowMs);
  return running(job, pods, counts, nowMs);
}

type End = { readonly success: boolean; readonly reason: string; readonly message: string };

function reasonToFail(job: KubeObject, counts: Counts, nowMs: number): End | undefined {
  const target = conditionOf(job, "FailureTarget");
  if (target !== undefined && textAt(target, "status") === "True") {
    return { success: false, reason: textAt(target, "reason"), message: textAt(target, "message") };
  }
  if (isTrue(job, "SuccessCriteriaMet")) return undefined;
  const refused = refusedFields(job);
  if (refused.length > 0) {
    const message = `the embedded cluster does not do ${refused.join(", ")}: take it out, or run this Job on another cluster`;
    return { success: false, reason: "NotSupported", message };
  }
  const limit = numberAt(job, "spec", "backoffLimit") ?? 6;
  const restarts = counts.active.reduce((sum, pod) => sum + restartsOf(pod), 0);
  const restartsExceeded =
    textAt(job, "spec", "template", "spec", "restartPolicy") === "OnFailure" &&
    (limit === 0 ? restarts > 0 : restarts >= limit);
  if (counts.failed > limit || restartsExceeded) {
    const message = "Job has reached the specified backoff limit";
    return { success: false, reason: "BackoffLimitExceeded", message };
  }
  const remaining = deadlineRemainingMs(job, nowMs);
  if (remaining !== undefined && remaining <= 0) {
    const message = "Job was active longer than specified deadline";
    return { success: false, reason: "DeadlineExceeded", message };
  }
  return undefined;
}

function refusedFields(job: KubeObject): readonly string[] {
  const refused = ["podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "maxFailedIndexes"]
    .filter((field) => at(job, "spec", field) !== undefined)
    .map((field) => `spec.${field}`);
  return textAt(job, "spec", "completionMode") === "Indexed"
    ? [...refused, "spec.completionMode: Indexed"]
    : refused;
}

function restartsOf(pod: KubeObject): number {
  const containers = ["initContainerStatuses", "containerStatuses"].flatMap((field) =>
    listAt(pod, "status", field),
  );
  return containers.reduce<number>((sum, one) => sum + (numberAt(one, "restartCount") ?? 0), 0);
}

function deadlineRemainingMs(job: KubeObject, nowMs: number): number | undefined {
  const seconds = numberAt(job, "spec", "activeDeadlineSeconds");
  const startTime = Date.parse(textAt(job, "status", "startTime"));
  if (seconds === undefined || Number.isNaN(startTime) || at(job, "spec", "suspend") === true)
    return undefined;
  return startTime + seconds * 1_000 - nowMs;
}

function reasonToComplete(job: KubeObject, counts: Counts): End | undefined {
  const completions = numberAt(job, "spec", "completions");
  const complete =
    completions === undefined
      ? counts.succeeded > 0 && counts.active.length === 0
      : counts.succeeded >= completions;
  if (!complete && !isTrue(job, "SuccessCriteriaMet")) return undefined;
  return {
    success: true,
    reason: "CompletionsReached",
    message: "Reached expected number of succeeded pods",
  };
}

/** First the interim condition; the final one when no pod is left running, so that "Complete" means stopped. */
function ending(job: KubeObject, counts: Counts, end: End, nowMs: number): JobDecision {
  const { success, ...words } = end;
  const probe = { lastProbeTime: timestamp(nowMs) };
  const interim = success ? "SuccessCriteriaMet" : "FailureTarget";
  let conditions = withCondition(
    conditionsOf(job),
    { type: interim, status: "True", ...words },
    nowMs,
    probe,
  );
  const final = counts.active.length === 0 && counts.terminating === 0;
  if (final) {
    const type = success ? "Complete" : "Failed";
    conditions = withCondition(conditions, { type, status: "True", ...words }, nowMs, probe);
  }
  const completionTime = final && success ? { completionTime: timestamp(nowMs) } : {};
  return {
    status: { ...statusOf(job, counts, 0, nowMs), conditions: [...conditions], ...completionTime },
    create: 0,
    remove: counts.active,
    againMs: undefined,
    events: !final
      ? []
      : success
        ? [{ type: "Normal", reason: "Completed", message: "Job completed" }]
        : [{ type: "Warning", ...words }],
  };
}

function suspended(job: KubeObject, counts: Counts, nowMs: number): JobDecision {
  const words = {
    type: "Suspended",
    status: "True",
    reason: "JobSuspended",
    message: "Job suspended",
  } as const;
  const isNew = !isTrue(job, "Suspended");
  // A Job that is created suspended has not started.
  const { startTime: _, ...notStarted } = statusOf(job, counts, 0, nowMs);
  const status = textAt(job, "status", "startTime") === "" ? notStarted : statusOf(job, counts, 0, nowMs);
  const conditions = withCondition(conditionsOf(job), words, nowMs, { lastProbeTime: timestamp(nowMs) });
  return {
    status: { ...status, conditions: [...conditions] },
    create: 0,
    remove: counts.active,
    againMs: undefined,
    events: isNew ? [{ type: "Normal", reason: "Suspended", message: "Job suspended" }] : [],
  };
}

function running(job: KubeObject, pods: readonly KubeObject[], counts: Counts, nowMs: number): JobDecision {
  const resumed = isTrue(job, "Suspended");
  const conditions = resumed
    ? withCondition(
        conditionsOf(job),
        { type: "Suspended", status: "False", reason: "JobResumed", message: "Job resumed" },
        nowMs,
        { lastProbeTime: timestamp(nowMs) },
      )
    : conditionsOf(job);
  const wanted = wantedActive(job, counts);
  const occupied =
    counts.active.length +
    (textAt(job, "spec", "podReplacementPolicy") === "Failed" ? counts.terminating : 0);
  const pauseMs = occupied < wanted ? backOffMs(pods, nowMs) : 0;
  const create = pauseMs > 0 ? 0 : Math.max(0, wanted - occupied);
  const waits = [pauseMs > 0 ? pauseMs : undefined, deadlineRemainingMs(job, nowMs)].filter(
    (ms) => ms !== undefined,
  );
  return {
    status: {
      ...statusOf(job, counts, create, nowMs),
      ...(resumed ? { startTime: timestamp(nowMs) } : {}),
      ...(conditions.length === 0 ? {} : { conditions: [...conditions] }),
    },
    create,
    remove: surplus(counts.active, counts.active.length - wanted),
    againMs: waits.length === 0 ? undefined : Math.max(1, Math.min(...waits)),
    events: resumed ? [{ type: "Normal", reason: "Resumed", message: "Job resumed" }] : [],
  };
}

function wantedActive(job: KubeObject, counts: Counts): number {
  const parallelism = numberAt(job, "spec", "parallelism") ?? 1;
  const completions = numberAt(job, "spec", "completions");
  // Without completions the first success means that no new pod is begun.
  if (completions === undefined) return counts.succeeded > 0 ? counts.active.length : parallelism;
  return Math.min(parallelism, Math.max(0, completions - counts.succeeded));
}

/** Those that have done least go first. */
function surplus(active: readonly KubeObject[], count: number): readonly KubeObject[] {
  if (count <= 0) return [];
  return active.toSorted((a, b) => Number(isReady(a)) - Number(isReady(b))).slice(0, count);
}

/** 10 s after the last failure, doubled by each failure since the last success, at most 10 min. */
function backOffMs(pods: readonly KubeObject[], nowMs: number): number {
  const ended = (phase: string) =>
    pods.filter((pod) => phaseOf(pod) === phase).map((pod) => finishedAtMs(pod) ?? nowMs);
  const lastSuccess = Math.max(0, ...ended("Succeeded"));
  const failures = ended("Failed").filter((at) => at > lastSuccess);
  if (failures.length === 0) return 0;
  const pause = Math.min(firstBackOffMs * 2 ** Math.min(failures.length - 1, 16), longestBackOffMs);
  return Math.max(0, Math.max(...failures) + pause - nowMs);
}

function finishedAtMs(pod: KubeObject): number | undefined {
  const times = listAt(pod, "status", "containerStatuses")
    .map((one) => Date.parse(textAt(one, "state", "terminated", "finishedAt")))
    .filter((time) => !Number.isNaN(time));
  if (times.length > 0) return Math.max(...times);
  const changed = Date.parse(textAt(conditionOf(pod, "Ready"), "lastTransitionTime"));
  return Number.isNaN(changed) ? undefined : changed;
}

function statusOf(job: KubeObject, counts: Counts, create: number, nowMs: number): JsonObject {
  const before = objectAt(job, "status");
  const { active: _a, succeeded: _s, failed: _f, terminating: _t, ready: _r, ...kept } = before;
  const status: Record<string, Json> = {
    ...kept,
    startTime: textAt(before, "startTime") || timestamp(nowMs),
    terminating: counts.terminating,
    ready: counts.active.filter(isReady).length,
    uncountedTerminatedPods: {},
  };
  const active = counts.active.length + create;
  if (active > 0) status["active"] = active;
  if (counts.succeeded > 0) status["succeeded"] = counts.succeeded;
  if (counts.failed > 0) status["failed"] = counts.failed;
  return status;
}

export function isFinished(job: KubeObject): boolean {
  return isTrue(job, "Complete") || isTrue(job, "Failed");
}

/** When a finished Job may go, by ttlSecondsAfterFinished; undefined when it is kept. */
export function expiresAtMs(job: KubeObject): number | undefined {
  const ttl = numberAt(job, "spec", "ttlSecondsAfterFinished");
  const condition = conditionsOf(job).find(
    (one) =>
      isObject(one) &&
      ["Complete", "Failed"].includes(textAt(one, "type")) &&
      textAt(one, "status") === "True",
  );
  const finished = Date.parse(textAt(condition, "lastTransitionTime"));
  return ttl === undefined || Number.isNaN(finished) ? undefined : finished + ttl * 1_000;
}
