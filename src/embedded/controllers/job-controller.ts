import type { KubeObject } from "../../api/meta.ts";
import { at, equal, objectAt, textAt } from "../value.ts";
import { isCode, targetOf } from "./client.ts";
import {
  type Controller,
  type ControllerContext,
  keyOfObject,
  keyOfOwner,
  targetOfKey,
} from "./controller.ts";
import {
  decideJob,
  expiresAtMs,
  isFinished,
  isTracked,
  trackingFinalizer,
  type Uncounted,
  uncountedOf,
} from "./job-status.ts";
import { isOwnedBy, isTerminating, podFromTemplate, shortHash } from "./owned-pods.ts";
import { resources } from "./resources.ts";
import { writeStatus } from "./status.ts";

const component = "job-controller";

/** Labels that Kubernetes gives to a Job's pods; the unprefixed ones are its older spelling. */
function podLabels(job: KubeObject): Readonly<Record<string, string>> {
  const { uid = "", name } = job.metadata;
  return {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": uid,
    "job-name": name,
  };
}

/** Runs Jobs to completion as pods, as Kubernetes' own Job controller does for non-indexed Jobs. */
export function createJobController(context: ControllerContext): Controller {
  const { client } = context;
  return {
    name: component,
    watches: [
      { resource: resources.jobs, keys: (job) => [keyOfObject(job)] },
      { resource: resources.pods, keys: keyOfOwner("Job") },
    ],
    async reconcile(key) {
      const target = targetOfKey(key);
      const job = await client.get(resources.jobs, target);
      if (job === undefined || job.metadata.deletionTimestamp !== undefined) {
        await releaseOrphans(context, key, job);
        return undefined;
      }
      const manager = textAt(job, "spec", "managedBy");
      if (manager !== "" && manager !== "kubernetes.io/job-controller") return undefined;
      if (isFinished(job)) return settleFinished(context, job);
      return advance(context, job);
    },
  };
}

/** Pods of a Job that is gone must not wait for a controller that will never count them. */
async function releaseOrphans(
  context: ControllerContext,
  key: string,
  job: KubeObject | undefined,
): Promise<void> {
  const { namespace, name } = targetOfKey(key);
  const labelSelector = `batch.kubernetes.io/job-name=${name}`;
  const { items } = await context.client.list(resources.pods, {
    labelSelector,
    ...(namespace === undefined ? {} : { namespace }),
  });
  for (const pod of items) {
    if (job === undefined || isOwnedBy(pod, job)) await release(context, pod);
  }
}

async function release(context: ControllerContext, pod: KubeObject): Promise<void> {
  if (!isTracked(pod)) return;
  const { resourceVersion, finalizers = [] } = pod.metadata;
  try {
    await context.client.patch(resources.pods, targetOf(pod), {
      metadata: { resourceVersion, finalizers: finalizers.filter((one) => one !== trackingFinalizer) },
    });
  } catch (error) {
    if (!isCode(error, 404)) throw error;
  }
}

async function podsOf(context: ControllerContext, job: KubeObject): Promise<readonly KubeObject[]> {
  const { namespace = "", uid = "" } = job.metadata;
  // Read from the server and not from a cache: what was made before a kill -9 is seen, nothing is made twice.
  const { items } = await context.client.list(resources.pods, {
    namespace,
    labelSelector: `batch.kubernetes.io/controller-uid=${uid}`,
  });
  return items.filter((pod) => isOwnedBy(pod, job));
}

async function advance(context: ControllerContext, found: KubeObject): Promise<number | undefined> {
  const { client, clock, events } = context;
  let job = found;
  const pods = await podsOf(context, job);
  const uncounted = uncountedOf(job, pods);
  job = await announce(context, job, uncounted);
  const named = new Set([...uncounted.succeeded, ...uncounted.failed]);
  const stopped = at(job, "spec", "suspend") === true ? pods.filter(isTerminating) : [];
  for (const pod of pods) {
    if (named.has(pod.metadata.uid ?? "") || stopped.includes(pod)) await release(context, pod);
  }
  const decision = decideJob(job, pods, uncounted, clock.now());
  job = await writeStatus(client, resources.jobs, job, decision.status);
  for (const pod of decision.remove) {
    await client.delete(resources.pods, targetOf(pod));
    const message = `Deleted pod: ${pod.metadata.name}`;
    await events(job, component, { type: "Normal", reason: "SuccessfulDelete", message });
  }
  for (const words of decision.events) await events(job, component, words);
  await createPods(context, job, pods, decision.create);
  return isFinished(job) ? settleFinished(context, job) : decision.againMs;
}

/** Write-ahead of the count: named in the status first, released then, counted last. */
async function announce(
  context: ControllerContext,
  job: KubeObject,
  uncounted: Uncounted,
): Promise<KubeObject> {
  const wanted = {
    ...(uncounted.succeeded.length === 0 ? {} : { succeeded: uncounted.succeeded }),
    ...(uncounted.failed.length === 0 ? {} : { failed: uncounted.failed }),
  };
  const status = objectAt(job, "status");
  if (equal(objectAt(status, "uncountedTerminatedPods"), wanted)) return job;
  return writeStatus(context.client, resources.jobs, job, { ...status, uncountedTerminatedPods: wanted });
}

async function createPods(
  context: ControllerContext,
  job: KubeObject,
  present: readonly KubeObject[],
  count: number,
): Promise<void> {
  const taken = new Set(present.map((pod) => pod.metadata.name));
  let made = 0;
  for (let turn = 0; made < count; turn += 1) {
    const name = `${job.metadata.name.slice(0, 57)}-${shortHash(`${job.metadata.uid}/${turn}`, 5)}`;
    if (taken.has(name)) continue;
    const pod = podFromTemplate(at(job, "spec", "template"), job, name, {
      labels: podLabels(job),
      finalizers: [trackingFinalizer],
    });
    try {
      await context.client.create(resources.pods, pod);
    } catch (error) {
      // The name of a pod that was there, was counted and is gone but not yet out of the server's view.
      if (isCode(error, 409)) throw error;
      const message = error instanceof Error ? error.message : String(error);
      await context.events(job, component, {
        type: "Warning",
        reason: "FailedCreate",
        message: `Error creating: ${message}`,
      });
      throw error;
    }
    made += 1;
    const message = `Created pod: ${name}`;
    await context.events(job, component, { type: "Normal", reason: "SuccessfulCreate", message });
  }
}

async function settleFinished(context: ControllerContext, job: KubeObject): Promise<number | undefined> {
  for (const pod of await podsOf(context, job)) await release(context, pod);
  const expires = expiresAtMs(job);
  if (expires === undefined) return undefined;
  const remaining = expires - context.clock.now();
  if (remaining > 0) return remaining;
  await context.client.delete(resources.jobs, targetOf(job));
  return undefined;
}
