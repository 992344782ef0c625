import type { KubeObject, Resource } from "../../api/meta.ts";
import type { Json } from "../../base/json.ts";
import { at, isObject, numberAt, objectAt, textAt } from "../value.ts";
import { targetOf } from "./client.ts";
import {
  type Controller,
  type ControllerContext,
  keyOfObject,
  keyOfOwner,
  targetOfKey,
} from "./controller.ts";
import { deploymentStatus, rollingBounds } from "./deployment-status.ts";
import { isTerminating, ownerReferenceTo, stringsAt } from "./owned-pods.ts";
import { resources } from "./resources.ts";
import { writeStatus } from "./status.ts";
import { templateHash, templateHashLabel } from "./template-hash.ts";
import { childrenOf, createChild, replicasOf } from "./workload-pods.ts";

const component = "deployment-controller";
const revisionAnnotation = "deployment.kubernetes.io/revision";
const progressLookMs = 10_000;

/** Keeps one ReplicaSet per pod template and moves the replicas from the old ones to the current one. */
export function createDeploymentController(context: ControllerContext): Controller {
  return {
    name: component,
    watches: [
      { resource: resources.deployments, keys: (deployment) => [keyOfObject(deployment)] },
      { resource: resources.replicaSets, keys: keyOfOwner("Deployment") },
    ],
    async reconcile(key) {
      const deployment = await context.client.get(resources.deployments, targetOfKey(key));
      if (deployment === undefined || isTerminating(deployment)) return undefined;
      return roll(context, deployment);
    },
  };
}

async function roll(context: ControllerContext, found: KubeObject): Promise<number | undefined> {
  let deployment = found;
  const sets = await childrenOf(context, deployment, resources.replicaSets);
  const hash = templateHash(at(deployment, "spec", "template"));
  const paused = at(deployment, "spec", "paused") === true;
  const same = sets.find((set) => templateHash(at(set, "spec", "template")) === hash);
  const newest = sets.toSorted((a, b) => revisionOf(b) - revisionOf(a))[0];
  // A paused Deployment does not begin a rollout, but it still scales what is there.
  const current = same ?? (paused ? newest : await createReplicaSet(context, deployment, sets, hash));
  if (current === undefined) return undefined;
  const old = sets.filter((set) => set.metadata.uid !== current.metadata.uid);
  let numbered = current;
  if (!paused) {
    const revision = revisionFor(current, old);
    deployment = await annotate(context, resources.deployments, deployment, revision);
    numbered = await annotate(context, resources.replicaSets, current, revision);
    numbered = await follow(context, deployment, numbered);
  }
  const after = await balance(context, deployment, numbered, old);
  const all = [after.current, ...after.old];
  const status = deploymentStatus(deployment, { current: after.current, all }, context.clock.now());
  await writeStatus(context.client, resources.deployments, deployment, status);
  await forgetHistory(context, deployment, after.old);
  return textAt(status, "unavailableReplicas") === "" && numberAt(status, "unavailableReplicas") === undefined
    ? undefined
    : progressLookMs;
}

function revisionOf(set: KubeObject): number {
  return Number(set.metadata.annotations?.[revisionAnnotation] ?? 0);
}

async function createReplicaSet(
  context: ControllerContext,
  deployment: KubeObject,
  sets: readonly KubeObject[],
  hash: string,
): Promise<KubeObject> {
  const template = at(deployment, "spec", "template");
  const labels = { ...stringsAt(template, "metadata", "labels"), [templateHashLabel]: hash };
  const { namespace, name } = deployment.metadata;
  const selector = objectAt(deployment, "spec", "selector");
  const minReadySeconds = numberAt(deployment, "spec", "minReadySeconds");
  const object: KubeObject = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations: { [revisionAnnotation]: String(1 + Math.max(0, ...sets.map(revisionOf))) },
      ownerReferences: [ownerReferenceTo(deployment)],
    },
    spec: {
      // A rollout begins with none; the first ReplicaSet starts whole.
      replicas: sets.length === 0 ? replicasOf(deployment) : 0,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: {
        ...selector,
        matchLabels: { ...stringsAt(selector, "matchLabels"), [templateHashLabel]: hash },
      },
      template: {
        ...(isObject(template) ? template : {}),
        metadata: { ...objectAt(template, "metadata"), labels },
      },
    },
  };
  return createChild(context, component, deployment, { resource: resources.replicaSets, object });
}

/** The current ReplicaSet has the highest revision, also after a rollback; the Deployment shows it. */
function revisionFor(current: KubeObject, old: readonly KubeObject[]): string {
  const highest = Math.max(0, ...old.map(revisionOf));
  return String(revisionOf(current) > highest ? revisionOf(current) : highest + 1);
}

async function annotate(
  context: ControllerContext,
  resource: Resource,
  object: KubeObject,
  revision: string,
): Promise<KubeObject> {
  if (object.metadata.annotations?.[revisionAnnotation] === revision) return object;
  const metadata = { annotations: { [revisionAnnotation]: revision } };
  return context.client.patch(resource, targetOf(object), { metadata });
}

/** What a ReplicaSet takes over from its Deployment without a rollout. */
async function follow(
  context: ControllerContext,
  deployment: KubeObject,
  current: KubeObject,
): Promise<KubeObject> {
  const minReadySeconds = numberAt(deployment, "spec", "minReadySeconds") ?? 0;
  if ((numberAt(current, "spec", "minReadySeconds") ?? 0) === minReadySeconds) return current;
  return context.client.patch(resources.replicaSets, targetOf(current), { spec: { minReadySeconds } });
}

type Sets = { readonly current: KubeObject; readonly old: readonly KubeObject[] };

async function balance(
  context: ControllerContext,
  deployment: KubeObject,
  current: KubeObject,
  old: readonly KubeObject[],
): Promise<Sets> {
  const wanted = replicasOf(deployment);
  const alive = old.filter((set) => replicasOf(set) > 0 || (numberAt(set, "status", "replicas") ?? 0) > 0);
  if (textAt(deployment, "spec", "strategy", "type") === "Recreate") {
    const stopped: KubeObject[] = [];
    for (const set of old) stopped.push(await resize(context, deployment, set, 0));
    // The old pods are gone before the first new one starts.
    return alive.length > 0
      ? { current, old: stopped }
      : { current: await resize(context, deployment, current, wanted), old };
  }
  if (alive.length === 0) return { current: await resize(context, deployment, current, wanted), old };
  const { surge, unavailable } = rollingBounds(deployment);
  const total = [current, ...old].reduce((sum, set) => sum + replicasOf(set), 0);
  const room = Math.max(0, wanted + surge - total);
  const grown = await resize(context, deployment, current, Math.min(wanted, replicasOf(current) + room));
  return { current: grown, old: await shrink(context, deployment, grown, { old, wanted, unavailable }) };
}

/** Takes old pods away as far as enough pods stay available. */
async function shrink(
  context: ControllerContext,
  deployment: KubeObject,
  current: KubeObject,
  bounds: { readonly old: readonly KubeObject[]; readonly wanted: number; readonly unavailable: number },
): Promise<readonly KubeObject[]> {
  const count = (set: KubeObject, field: string) => numberAt(set, "status", field) ?? 0;
  const available = [current, ...bounds.old].reduce((sum, set) => sum + count(set, "availableReplicas"), 0);
  let spare = Math.max(0, available - (bounds.wanted - bounds.unavailable));
  const after: KubeObject[] = [];
  for (const set of bounds.old) {
    const size = replicasOf(set);
    // Pods that are not available hold nothing up.
    const broken = Math.max(0, size - count(set, "availableReplicas"));
    const healthy = Math.min(spare, size - broken);
    spare -= healthy;
    after.push(await resize(context, deployment, set, size - broken - healthy));
  }
  return after;
}

async function resize(
  context: ControllerContext,
  deployment: KubeObject,
  set: KubeObject,
  replicas: number,
): Promise<KubeObject> {
  const before = replicasOf(set);
  if (before === replicas) return set;
  const { resourceVersion } = set.metadata;
  const changed = await context.client.patch(resources.replicaSets, targetOf(set), {
    metadata: { resourceVersion },
    spec: { replicas },
  });
  const message = `Scaled ${replicas > before ? "up" : "down"} replica set ${set.metadata.name} from ${before} to ${replicas}`;
  await context.events(deployment, component, { type: "Normal", reason: "ScalingReplicaSet", message });
  return changed;
}

async function forgetHistory(
  context: ControllerContext,
  deployment: KubeObject,
  old: readonly KubeObject[],
): Promise<void> {
  const limit: Json | undefined = at(deployment, "spec", "revisionHistoryLimit");
  const keep = typeof limit === "number" ? limit : 10;
  const empty = old.filter(
    (set) => replicasOf(set) === 0 && (numberAt(set, "status", "replicas") ?? 0) === 0,
  );
  const surplus = empty
    .toSorted((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, Math.max(0, empty.length - keep));
  for (const set of surplus) await context.client.delete(resources.replicaSets, targetOf(set));
}
