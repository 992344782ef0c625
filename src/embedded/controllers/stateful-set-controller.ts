import type { KubeObject } from "../../api/meta.ts";
import { numberAt, objectAt, textAt } from "../value.ts";
import { isCode } from "./client.ts";
import type { Controller, ControllerContext } from "./controller.ts";
import { forgetRevisions, type Revisions, revisionLabel, revisionsOf } from "./controller-revisions.ts";
import { isReady, isTerminal, isTerminating } from "./owned-pods.ts";
import { resources } from "./resources.ts";
import { claimName, claimTemplatesOf, ordinalOf, statefulClaim, statefulPod } from "./stateful-set-pod.ts";
import { writeStatus } from "./status.ts";
import {
  childrenOf,
  createChild,
  deleteChild,
  isAvailable,
  replicasOf,
  untilAvailableMs,
  workloadController,
} from "./workload-pods.ts";

const component = "statefulset-controller";

/** Keeps a StatefulSet's pods and claims by ordinal, one after the other unless podManagementPolicy is Parallel. */
export function createStatefulSetController(context: ControllerContext): Controller {
  const kinds = { of: resources.statefulSets, children: resources.pods };
  return workloadController(context, component, kinds, settle);
}

type Member = { readonly ordinal: number; readonly pod: KubeObject };

type View = {
  readonly set: KubeObject;
  readonly members: readonly Member[];
  readonly revisions: Revisions;
  readonly currentRevision: KubeObject;
  readonly first: number;
  /** The first ordinal that is too many. */
  readonly end: number;
  readonly parallel: boolean;
  readonly minReady: number;
};

async function settle(context: ControllerContext, set: KubeObject): Promise<number | undefined> {
  const revisions = await revisionsOf(context, set);
  const pods = await childrenOf(context, set, resources.pods);
  const named = textAt(set, "status", "currentRevision");
  const first = numberAt(set, "spec", "ordinals", "start") ?? 0;
  const members = pods.flatMap((pod) => {
    const ordinal = ordinalOf(set, pod);
    return ordinal === undefined ? [] : [{ ordinal, pod }];
  });
  const view: View = {
    set,
    members: members.toSorted((a, b) => a.ordinal - b.ordinal),
    revisions,
    currentRevision: revisions.all.find((one) => one.metadata.name === named) ?? revisions.current,
    first,
    end: first + replicasOf(set),
    parallel: textAt(set, "spec", "podManagementPolicy") === "Parallel",
    minReady: numberAt(set, "spec", "minReadySeconds") ?? 0,
  };
  await writeCounts(context, view);
  const steady = (await fill(context, view)) && (await drain(context, view));
  if (steady || view.parallel) await rollOut(context, view);
  const inUse = new Set(pods.map((pod) => pod.metadata.labels?.[revisionLabel] ?? ""));
  await forgetRevisions(context, set, revisions, new Set([...inUse, view.currentRevision.metadata.name]));
  return untilAvailableMs(pods, view.minReady, context.clock.now());
}

function isSettled(context: ControllerContext, view: View, pod: KubeObject): boolean {
  return isAvailable(pod, view.minReady, context.clock.now());
}

/** Creates what is missing, in order; true when every wanted pod is there and available. */
async function fill(context: ControllerContext, view: View): Promise<boolean> {
  let whole = true;
  for (let ordinal = view.first; ordinal < view.end; ordinal += 1) {
    if (!whole && !view.parallel) return false;
    const pod = view.members.find((one) => one.ordinal === ordinal)?.pod;
    await ensureClaims(context, view.set, ordinal);
    if (pod === undefined) {
      const object = statefulPod(view.set, revisionFor(view, ordinal), ordinal);
      await createChild(context, component, view.set, podOf(view, object, "create"));
      whole = false;
    } else if (isTerminal(pod) && !isTerminating(pod)) {
      await deleteChild(context, component, view.set, podOf(view, pod, "delete"));
      whole = false;
    } else if (isTerminating(pod) || !isSettled(context, view, pod)) {
      whole = false;
    }
  }
  return whole;
}

function podOf(view: View, object: KubeObject, verb: "create" | "delete") {
  const reason = verb === "create" ? "SuccessfulCreate" : "SuccessfulDelete";
  const message = `${verb} Pod ${object.metadata.name} in StatefulSet ${view.set.metadata.name} successful`;
  return { resource: resources.pods, object, words: { reason, message } };
}

/** Ordinals below the partition keep the template that they have. */
function revisionFor(view: View, ordinal: number): KubeObject {
  const partition = numberAt(view.set, "spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
  return ordinal < partition ? view.currentRevision : view.revisions.current;
}

async function ensureClaims(context: ControllerContext, set: KubeObject, ordinal: number): Promise<void> {
  for (const template of claimTemplatesOf(set)) {
    const claim = statefulClaim(set, template, ordinal);
    const { namespace, name } = claim.metadata;
    if ((await context.client.get(resources.claims, { namespace, name })) !== undefined) continue;
    try {
      await context.client.create(resources.claims, claim);
    } catch (error) {
      if (!isCode(error, 409)) throw error;
    }
  }
}

/** Takes the surplus away from the highest ordinal on; true when nothing is too many. */
async function drain(context: ControllerContext, view: View): Promise<boolean> {
  const surplus = view.members
    .filter((one) => one.ordinal < view.first || one.ordinal >= view.end)
    .toReversed();
  for (const { ordinal, pod } of surplus) {
    if (isTerminating(pod)) {
      if (view.parallel) continue;
      return false;
    }
    await deleteChild(context, component, view.set, podOf(view, pod, "delete"));
    if (textAt(view.set, "spec", "persistentVolumeClaimRetentionPolicy", "whenScaled") === "Delete") {
      const { namespace } = view.set.metadata;
      for (const template of claimTemplatesOf(view.set)) {
        await context.client.delete(resources.claims, {
          namespace,
          name: claimName(view.set, template, ordinal),
        });
      }
    }
    if (!view.parallel) return false;
  }
  return surplus.length === 0;
}

/** Replaces the highest pod of an older template, and goes on when all are available again. */
async function rollOut(context: ControllerContext, view: View): Promise<void> {
  if (textAt(view.set, "spec", "updateStrategy", "type") === "OnDelete") return;
  for (const { ordinal, pod } of view.members.toReversed()) {
    if (ordinal >= view.end || ordinal < view.first) continue;
    const wanted = revisionFor(view, ordinal).metadata.name;
    if (pod.metadata.labels?.[revisionLabel] !== wanted && ordinal >= partitionOf(view)) {
      if (!isTerminating(pod)) {
        await deleteChild(context, component, view.set, podOf(view, pod, "delete"));
      }
      return;
    }
    if (isTerminating(pod) || !isSettled(context, view, pod)) return;
  }
}

function partitionOf(view: View): number {
  return numberAt(view.set, "spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
}

async function writeCounts(context: ControllerContext, view: View): Promise<void> {
  const { set } = view;
  const now = context.clock.now();
  const alive = view.members.filter(({ pod }) => !isTerminating(pod) && !isTerminal(pod));
  const count = (holds: (pod: KubeObject) => boolean) => alive.filter(({ pod }) => holds(pod)).length;
  const isOf = (revision: string) => (pod: KubeObject) => pod.metadata.labels?.[revisionLabel] === revision;
  const updateRevision = view.revisions.current.metadata.name;
  const updated = count(isOf(updateRevision));
  const done = updated === replicasOf(set) && alive.length === updated && count(isReady) === updated;
  const currentRevision = done ? updateRevision : view.currentRevision.metadata.name;
  const current = count(isOf(currentRevision));
  const { readyReplicas: _r, currentReplicas: _c, updatedReplicas: _u, ...kept } = objectAt(set, "status");
  await writeStatus(context.client, resources.statefulSets, set, {
    ...kept,
    replicas: alive.length,
    availableReplicas: count((pod) => isAvailable(pod, view.minReady, now)),
    ...(count(isReady) === 0 ? {} : { readyReplicas: count(isReady) }),
    ...(current === 0 ? {} : { currentReplicas: current }),
    ...(updated === 0 ? {} : { updatedReplicas: updated }),
    currentRevision,
    updateRevision,
    observedGeneration: set.metadata.generation ?? 0,
    collisionCount: numberAt(set, "status", "collisionCount") ?? 0,
  });
}
