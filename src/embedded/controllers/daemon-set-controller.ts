import type { KubeObject } from "../../api/meta.ts";
import { at, numberAt, objectAt, textAt } from "../value.ts";
import {
  type Controller,
  type ControllerContext,
  type Key,
  keyOfObject,
  keyOfOwner,
  targetOfKey,
} from "./controller.ts";
import { forgetRevisions, revisionLabel, revisionsOf } from "./controller-revisions.ts";
import { amount } from "./deployment-status.ts";
import { fitsNode } from "./node-affinity.ts";
import { isReady, isTerminal, isTerminating, podFromTemplate, shortHash } from "./owned-pods.ts";
import { resources } from "./resources.ts";
import { writeStatus } from "./status.ts";
import { childrenOf, createChild, deleteChild, isAvailable, untilAvailableMs } from "./workload-pods.ts";

const component = "daemonset-controller";

/** Keeps one pod of a DaemonSet on every node that its nodeSelector matches. */
export function createDaemonSetController(context: ControllerContext): Controller {
  const known = new Set<Key>();
  return {
    name: component,
    watches: [
      { resource: resources.daemonSets, keys: (set) => [keyOfObject(set)] },
      { resource: resources.pods, keys: keyOfOwner("DaemonSet") },
      { resource: resources.nodes, keys: () => [...known] },
    ],
    async reconcile(key) {
      const set = await context.client.get(resources.daemonSets, targetOfKey(key));
      if (set === undefined || isTerminating(set)) {
        known.delete(key);
        return undefined;
      }
      known.add(key);
      return settle(context, set);
    },
  };
}

async function settle(context: ControllerContext, set: KubeObject): Promise<number | undefined> {
  const { items } = await context.client.list(resources.nodes);
  const nodes = items
    .filter((node) => fitsNode(at(set, "spec", "template", "spec"), node, node.metadata.name))
    .map((node) => node.metadata.name);
  const revisions = await revisionsOf(context, set);
  const hash = revisions.current.metadata.labels?.[revisionLabel] ?? "";
  const pods = await childrenOf(context, set, resources.pods);
  const remove = async (object: KubeObject) => {
    await deleteChild(context, component, set, { resource: resources.pods, object });
  };
  const alive: KubeObject[] = [];
  for (const pod of pods) {
    if (isTerminating(pod)) continue;
    const node = textAt(pod, "spec", "nodeName");
    const doubled = alive.some((other) => textAt(other, "spec", "nodeName") === node);
    if (isTerminal(pod) || doubled || !nodes.includes(node)) await remove(pod);
    else alive.push(pod);
  }
  for (const node of nodes) {
    // A pod on its way out still has the node's volumes and names.
    if (pods.some((pod) => textAt(pod, "spec", "nodeName") === node)) continue;
    const name = `${set.metadata.name.slice(0, 57)}-${shortHash(`${set.metadata.uid}/${node}/${hash}`, 5)}`;
    const object = podFromTemplate(at(set, "spec", "template"), set, name, {
      labels: { [revisionLabel]: hash },
      spec: { nodeName: node },
    });
    alive.push(await createChild(context, component, set, { resource: resources.pods, object }));
  }
  await rollOut(set, { alive, hash, nodes: nodes.length, remove });
  const inUse = new Set(pods.map((pod) => `${set.metadata.name}-${pod.metadata.labels?.[revisionLabel]}`));
  await forgetRevisions(context, set, revisions, inUse);
  return writeCounts(context, set, { alive, hash, nodes });
}

type Rollout = {
  readonly alive: readonly KubeObject[];
  readonly hash: string;
  readonly nodes: number;
  readonly remove: (pod: KubeObject) => Promise<void>;
};

/** Takes pods of an older template away, as many at a time as may be unavailable. */
async function rollOut(set: KubeObject, rollout: Rollout): Promise<void> {
  if (textAt(set, "spec", "updateStrategy", "type") === "OnDelete") return;
  const bound = at(set, "spec", "updateStrategy", "rollingUpdate", "maxUnavailable") ?? 1;
  const old = rollout.alive.filter((pod) => pod.metadata.labels?.[revisionLabel] !== rollout.hash);
  const broken = rollout.alive.filter((pod) => !isReady(pod)).length;
  let room = Math.max(1, amount(bound, rollout.nodes, Math.ceil)) - broken;
  for (const pod of old) {
    if (isReady(pod) && room-- <= 0) continue;
    await rollout.remove(pod);
  }
}

async function writeCounts(
  context: ControllerContext,
  set: KubeObject,
  found: { readonly alive: readonly KubeObject[]; readonly hash: string; readonly nodes: readonly string[] },
): Promise<number | undefined> {
  const now = context.clock.now();
  const minReady = numberAt(set, "spec", "minReadySeconds") ?? 0;
  const count = (holds: (pod: KubeObject) => boolean) => found.alive.filter(holds).length;
  const available = count((pod) => isAvailable(pod, minReady, now));
  const updated = count((pod) => pod.metadata.labels?.[revisionLabel] === found.hash);
  const desired = found.nodes.length;
  const {
    numberAvailable: _a,
    numberUnavailable: _u,
    updatedNumberScheduled: _s,
    ...kept
  } = objectAt(set, "status");
  await writeStatus(context.client, resources.daemonSets, set, {
    ...kept,
    currentNumberScheduled: found.alive.length,
    desiredNumberScheduled: desired,
    numberMisscheduled: 0,
    numberReady: count(isReady),
    observedGeneration: set.metadata.generation ?? 0,
    ...(updated === 0 ? {} : { updatedNumberScheduled: updated }),
    ...(available === 0 ? {} : { numberAvailable: available }),
    ...(desired > available ? { numberUnavailable: desired - available } : {}),
  });
  return untilAvailableMs(found.alive, minReady, now);
}
