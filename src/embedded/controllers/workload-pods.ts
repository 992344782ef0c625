import { type LabelSelector, matchesSelector } from "../../api/label-selector.ts";
import { type KubeObject, ownerOf, type Resource } from "../../api/meta.ts";
import { messageOf } from "../../base/errors.ts";
import { at, isObject, numberAt, textAt } from "../value.ts";
import { isCode, targetOf } from "./client.ts";
import {
  type Controller,
  type ControllerContext,
  keyOfObject,
  keyOfOwner,
  targetOfKey,
} from "./controller.ts";
import { controllerOf, isOwnedBy, isReady, isTerminating } from "./owned-pods.ts";
import { conditionOf } from "./status.ts";

/** What the controllers of workloads share. */

/** A controller of objects of one kind that have children of another: looks at them when either changes. */
export function workloadController(
  context: ControllerContext,
  name: string,
  kinds: { readonly of: Resource; readonly children: Resource },
  settle: (context: ControllerContext, workload: KubeObject) => Promise<number | undefined>,
): Controller {
  return {
    name,
    watches: [
      { resource: kinds.of, keys: (workload) => [keyOfObject(workload)] },
      { resource: kinds.children, keys: keyOfOwner(kinds.of.kind) },
    ],
    async reconcile(key) {
      const workload = await context.client.get(kinds.of, targetOfKey(key));
      return workload === undefined || isTerminating(workload) ? undefined : settle(context, workload);
    },
  };
}

/** Children of a workload: its own, and those without a controller that its selector matches, which it adopts. */
export async function childrenOf(
  context: ControllerContext,
  owner: KubeObject,
  resource: Resource,
): Promise<readonly KubeObject[]> {
  const { namespace = "" } = owner.metadata;
  const selector = at(owner, "spec", "selector");
  const { items } = await context.client.list(resource, { namespace });
  const children: KubeObject[] = [];
  for (const item of items) {
    if (isOwnedBy(item, owner)) children.push(item);
    else if (isOrphanOf(item, selector) && !isTerminating(owner)) {
      const { resourceVersion, ownerReferences = [] } = item.metadata;
      const metadata = { resourceVersion, ownerReferences: [...ownerReferences, ownerOf(owner)] };
      children.push(await context.client.patch(resource, targetOf(item), { metadata }));
    }
  }
  return children;
}

function isOrphanOf(item: KubeObject, selector: unknown): boolean {
  if (controllerOf(item) !== undefined || isTerminating(item) || !isObject(selector)) return false;
  const isEmpty = Object.keys(selector).length === 0;
  return !isEmpty && matchesSelector(selector as LabelSelector, item.metadata.labels ?? {});
}

/** A child of a workload, and what the workload's Event says about it: by default the words of most kinds, null for nothing. */
type Child = {
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly words?: { readonly reason: string; readonly message: string } | null;
};

/** Creates a child and tells it in an Event of the owner. */
export async function createChild(
  context: ControllerContext,
  component: string,
  owner: KubeObject,
  child: Child,
): Promise<KubeObject> {
  const { resource, object } = child;
  try {
    const created = await context.client.create(resource, object);
    const message = `Created ${resource.kind.toLowerCase()}: ${created.metadata.name}`;
    const { words = { reason: "SuccessfulCreate", message } } = child;
    if (words !== null) await context.events(owner, component, { type: "Normal", ...words });
    return created;
  } catch (error) {
    if (!isCode(error, 409)) {
      const message = `Error creating: ${messageOf(error)}`;
      await context.events(owner, component, { type: "Warning", reason: "FailedCreate", message });
    }
    throw error;
  }
}

export async function deleteChild(
  context: ControllerContext,
  component: string,
  owner: KubeObject,
  child: Child,
): Promise<void> {
  await context.client.delete(child.resource, targetOf(child.object));
  const message = `Deleted ${child.resource.kind.toLowerCase()}: ${child.object.metadata.name}`;
  const { words = { reason: "SuccessfulDelete", message } } = child;
  if (words !== null) await context.events(owner, component, { type: "Normal", ...words });
}

export function replicasOf(object: KubeObject): number {
  return numberAt(object, "spec", "replicas") ?? 1;
}

/** Ready for at least minReadySeconds. */
export function isAvailable(pod: KubeObject, minReadySeconds: number, nowMs: number): boolean {
  if (!isReady(pod)) return false;
  const since = Date.parse(textAt(conditionOf(pod, "Ready"), "lastTransitionTime"));
  return minReadySeconds === 0 || since + minReadySeconds * 1_000 <= nowMs;
}

/** Milliseconds until the next ready pod becomes available, when minReadySeconds makes one wait. */
export function untilAvailableMs(
  pods: readonly KubeObject[],
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  const waits = pods
    .filter((pod) => isReady(pod) && !isAvailable(pod, minReadySeconds, nowMs))
    .map((pod) => Date.parse(textAt(conditionOf(pod, "Ready"), "lastTransitionTime")))
    .map((since) => Math.max(1, since + minReadySeconds * 1_000 - nowMs));
  return waits.length === 0 ? undefined : Math.min(...waits);
}
