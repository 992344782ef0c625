import { type DueTimes, dueTimes } from "../../api/due-times.ts";
import { type KubeObject, ownerOf } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { at, listAt, numberAt, objectAt, textAt } from "../value.ts";
import { isCode, targetOf } from "./client.ts";
import {
  type Controller,
  type ControllerContext,
  type Key,
  keyOfObject,
  keyOfOwner,
  targetOfKey,
} from "./controller.ts";
import { timestamp } from "./event-recorder.ts";
import { isFinished } from "./job-status.ts";
import { everyMinute, type Waker } from "./minute-waker.ts";
import { isOwnedBy, isTerminating, stringsAt } from "./owned-pods.ts";
import { resources } from "./resources.ts";
import { isTrue, writeStatus } from "./status.ts";
import { zonedTimestamp } from "./zoned-timestamp.ts";

const component = "cronjob-controller";
const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/** Creates Jobs at their due times, as Kubernetes' CronJob controller does. */
export function createCronJobController(context: ControllerContext, waker: Waker = everyMinute): Controller {
  const { client } = context;
  /** When each is due next; of one that never is there is nothing to wake. */
  const dueMs = new Map<Key, number>();
  let sleep: () => void = () => undefined;
  return {
    name: component,
    watches: [
      { resource: resources.cronJobs, keys: (cronJob) => [keyOfObject(cronJob)] },
      { resource: resources.jobs, keys: keyOfOwner("CronJob") },
    ],
    async start(poke) {
      sleep = waker(() => {
        const now = context.clock.now();
        for (const [key, ms] of dueMs) if (ms <= now) poke(key);
      });
    },
    async stop() {
      sleep();
    },
    async reconcile(key) {
      const cronJob = await client.get(resources.cronJobs, targetOfKey(key));
      if (cronJob === undefined || isTerminating(cronJob)) {
        dueMs.delete(key);
        return undefined;
      }
      const nextMs = await settle(context, cronJob);
      if (nextMs === undefined) dueMs.delete(key);
      else dueMs.set(key, context.clock.now() + nextMs);
      return nextMs;
    },
  };
}

async function settle(context: ControllerContext, found: KubeObject): Promise<number | undefined> {
  const { namespace = "" } = found.metadata;
  const { items } = await context.client.list(resources.jobs, { namespace });
  const jobs = items.filter((job) => isOwnedBy(job, found));
  const kept = await forgetHistory(context, found, jobs);
  const cronJob = await writeStatus(context.client, resources.cronJobs, found, statusOf(found, kept));
  const due = await dueTimesOf(context, cronJob);
  if (due === undefined || at(cronJob, "spec", "suspend") === true) return undefined;
  const now = context.clock.now();
  const time = due.mostRecent(earliestMs(cronJob, now), now);
  if (time !== undefined) await startJob(context, cronJob, { time, jobs: kept });
  const next = due.next(now);
  return next === undefined ? undefined : Math.max(1, next - context.clock.now());
}

async function dueTimesOf(context: ControllerContext, cronJob: KubeObject): Promise<DueTimes | undefined> {
  try {
    return dueTimes(textAt(cronJob, "spec", "schedule"), textAt(cronJob, "spec", "timeZone"));
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    await context.events(cronJob, component, {
      type: "Warning",
      reason: error.reason,
      message: error.message,
    });
    return undefined;
  }
}

/** Nothing before this time is caught up: the last run, or the creation, or the starting deadline. */
export function earliestMs(cronJob: KubeObject, nowMs: number): number {
  const last = Date.parse(textAt(cronJob, "status", "lastScheduleTime"));
  const created = Date.parse(cronJob.metadata.creationTimestamp ?? "");
  const from = Number.isNaN(last) ? (Number.isNaN(created) ? nowMs : created) : last;
  const deadline = numberAt(cronJob, "spec", "startingDeadlineSeconds");
  return deadline === undefined ? from : Math.max(from, nowMs - deadline * 1_000);
}

async function startJob(
  context: ControllerContext,
  cronJob: KubeObject,
  run: { readonly time: number; readonly jobs: readonly KubeObject[] },
): Promise<void> {
  const { client, events } = context;
  const name = `${cronJob.metadata.name}-${Math.floor(run.time / 60_000)}`;
  const active = run.jobs.filter((job) => isScheduled(job) && !isFinished(job) && job.metadata.name !== name);
  const policy = textAt(cronJob, "spec", "concurrencyPolicy");
  if (policy === "Forbid" && active.length > 0) {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    await events(cronJob, component, { type: "Normal", reason: "JobAlreadyActive", message });
    return;
  }
  if (policy === "Replace") {
    for (const job of active) {
      await client.delete(resources.jobs, targetOf(job));
      const message = `Deleted job ${job.metadata.name}`;
      await events(cronJob, component, { type: "Normal", reason: "SuccessfulDelete", message });
    }
  }
  const job = await createJob(context, cronJob, name, run.time);
  if (job === undefined) return;
  const others = policy === "Replace" ? [] : active;
  await writeStatus(client, resources.cronJobs, cronJob, {
    ...objectAt(cronJob, "status"),
    ...activeOf([...others, ...(isFinished(job) ? [] : [job])]),
    lastScheduleTime: timestamp(run.time),
  });
}

function isScheduled(job: KubeObject): boolean {
  return job.metadata.annotations?.[scheduledAnnotation] !== undefined;
}

/** The name holds the due time, so a run that was started before a crash is found and not started again. */
async function createJob(
  context: ControllerContext,
  cronJob: KubeObject,
  name: string,
  time: number,
): Promise<KubeObject | undefined> {
  const { client, events } = context;
  const { namespace } = cronJob.metadata;
  const template = at(cronJob, "spec", "jobTemplate");
  const scheduled = zonedTimestamp(time, textAt(cronJob, "spec", "timeZone"));
  try {
    const job = await client.create(resources.jobs, {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        labels: stringsAt(template, "metadata", "labels"),
        annotations: { ...stringsAt(template, "metadata", "annotations"), [scheduledAnnotation]: scheduled },
        ownerReferences: [ownerOf(cronJob)],
      },
      spec: objectAt(template, "spec"),
    });
    const message = `Created job ${name}`;
    await events(cronJob, component, { type: "Normal", reason: "SuccessfulCreate", message });
    return job;
  } catch (error) {
    if (isCode(error, 409)) {
      const present = await client.get(resources.jobs, { namespace, name });
      if (present !== undefined && isOwnedBy(present, cronJob)) return present;
    }
    const message = `Error creating job: ${error instanceof Error ? error.message : String(error)}`;
    await events(cronJob, component, { type: "Warning", reason: "FailedCreate", message });
    throw error;
  }
}

function activeOf(jobs: readonly KubeObject[]): { readonly active?: readonly JsonObject[] } {
  if (jobs.length === 0) return {};
  const active = jobs.map((job) => {
    const { namespace = "", name, uid = "", resourceVersion = "" } = job.metadata;
    return { apiVersion: "batch/v1", kind: "Job", namespace, name, uid, resourceVersion };
  });
  return { active };
}

function statusOf(cronJob: KubeObject, jobs: readonly KubeObject[]): JsonObject {
  const { active: before, ...status } = objectAt(cronJob, "status");
  // A Job that a person made from the template (kubectl create job --from) is no run of the schedule.
  const unfinished = jobs.filter((job) => isScheduled(job) && !isFinished(job) && !isTerminating(job));
  // A Job's resourceVersion moves with its status; that alone is no change of the CronJob.
  const uids = (list: readonly unknown[]) => list.map((one) => textAt(one, "uid")).join();
  const fresh = activeOf(unfinished);
  const same = uids(fresh.active ?? []) === uids(listAt({ before }, "before"));
  const succeeded = jobs
    .filter((job) => isTrue(job, "Complete"))
    .map((job) => textAt(job, "status", "completionTime"))
    .concat(textAt(status, "lastSuccessfulTime"))
    .filter((time) => time !== "")
    .toSorted();
  const latest = succeeded.at(-1);
  const out: Record<string, Json> = { ...status };
  if (latest !== undefined) out["lastSuccessfulTime"] = latest;
  if (same && before !== undefined) return { ...out, active: before };
  return { ...out, ...fresh };
}

/** Deletes the oldest finished Jobs beyond the limits; answers the others. */
async function forgetHistory(
  context: ControllerContext,
  cronJob: KubeObject,
  jobs: readonly KubeObject[],
): Promise<readonly KubeObject[]> {
  const surplus = new Set<KubeObject>();
  for (const [condition, field, standard] of [
    ["Complete", "successfulJobsHistoryLimit", 3],
    ["Failed", "failedJobsHistoryLimit", 1],
  ] as const) {
    const limit = numberAt(cronJob, "spec", field) ?? standard;
    const finished = jobs
      .filter((job) => isTrue(job, condition))
      .toSorted((a, b) => startedMs(b) - startedMs(a));
    for (const job of finished.slice(limit)) surplus.add(job);
  }
  for (const job of surplus) {
    if (!isTerminating(job)) await context.client.delete(resources.jobs, targetOf(job));
  }
  return jobs.filter((job) => !surplus.has(job));
}

function startedMs(job: KubeObject): number {
  return Date.parse(textAt(job, "status", "startTime") || (job.metadata.creationTimestamp ?? "")) || 0;
}
