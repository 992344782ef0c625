import { randomBytes } from "node:crypto";
import type { KubeObject } from "../../api/meta.ts";
import type { Json } from "../../base/json.ts";
import { at, numberAt, objectAt } from "../value.ts";
import type { Controller, ControllerContext } from "./controller.ts";
import { isActive, isReady, podFromTemplate, shortHash, stringsAt } from "./owned-pods.ts";
import { resources } from "./resources.ts";
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

const component = "replicaset-controller";

/** Keeps as many pods of a template as a ReplicaSet asks for. */
export function createReplicaSetController(context: ControllerContext): Controller {
  const kinds = { of: resources.replicaSets, children: resources.pods };
  return workloadController(context, component, kinds, scale);
}

async function scale(context: ControllerContext, set: KubeObject): Promise<number | undefined> {
  const pods = (await childrenOf(context, set, resources.pods)).filter(isActive);
  const missing = replicasOf(set) - pods.length;
  const created: KubeObject[] = [];
  for (let index = 0; index < missing; index += 1) {
    // Not the set's uid and a number: the pod of that name may still be on its way out.
    const name = `${set.metadata.name.slice(0, 57)}-${shortHash(randomBytes(8).toString("hex"), 5)}`;
    const object = podFromTemplate(at(set, "spec", "template"), set, name);
    created.push(await createChild(context, component, set, { resource: resources.pods, object }));
  }
  const surplus = missing < 0 ? pods.toSorted((a, b) => rank(a) - rank(b)).slice(0, -missing) : [];
  for (const object of surplus)
    await deleteChild(context, component, set, { resource: resources.pods, object });
  const left = pods.filter((pod) => !surplus.includes(pod));
  const now = context.clock.now();
  const minReady = numberAt(set, "spec", "minReadySeconds") ?? 0;
  const labels = Object.entries(stringsAt(set, "spec", "template", "metadata", "labels"));
  const count = (holds: (pod: KubeObject) => boolean) => left.filter(holds).length;
  const optional: Record<string, Json> = {};
  const fullyLabeled = count((pod) =>
    labels.every(([label, value]) => pod.metadata.labels?.[label] === value),
  );
  if (fullyLabeled + created.length > 0) optional["fullyLabeledReplicas"] = fullyLabeled + created.length;
  if (count(isReady) > 0) optional["readyReplicas"] = count(isReady);
  const available = count((pod) => isAvailable(pod, minReady, now));
  if (available > 0) optional["availableReplicas"] = available;
  const {
    fullyLabeledReplicas: _f,
    readyReplicas: _r,
    availableReplicas: _a,
    ...kept
  } = objectAt(set, "status");
  await writeStatus(context.client, resources.replicaSets, set, {
    ...kept,
    ...optional,
    replicas: left.length + created.length,
    observedGeneration: set.metadata.generation ?? 0,
  });
  return untilAvailableMs(left, minReady, now);
}

/** Pods that are not ready go first, then the youngest. */
function rank(pod: KubeObject): number {
  const age = Date.parse(pod.metadata.creationTimestamp ?? "") || 0;
  return (isReady(pod) ? 1e15 : 0) - age;
}
