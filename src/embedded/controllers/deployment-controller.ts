import { type KubeObject, ownerOf, type Resource } from "../../api/meta.ts";
import type { Json } from "../../base/json.ts";
import { at, isObject, numberAt, objectAt, textAt } from "../value.ts";
import { targetOf } from "./client.ts";
import type { Controller, ControllerContext } from "./controller.ts";
import { deploymentStatus, rollingBounds } from "./deployment-status.ts";
import { stringsAt } from "./owned-pods.ts";
import { resources } from "./resources.ts";
import { writeStatus } from "./status.ts";
import { templateHash, templateHashLabel } from "./template-hash.ts";
import { childrenOf, createChild, replicasOf, workloadController } from "./workload-pods.ts";

const component = "deployment-controller";
const revisionAnnotation = "deployment.kubernetes.io/revision";
const ownPrefix = "deployment.kubernetes.io/";
const progressLookMs = 10_000;

/** Keeps one ReplicaSet per pod template and moves the replicas from the old ones to the current one. */
export function createDeploymentController(context: ControllerContext): Controller {
  const kinds = { of: resources.deployments, children: resources.replicaSets };
  return workloadController(context, component, kinds, roll);
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
    deployment = await annotate(context, resources.deployments, deployment, {
      [revisionAnnotation]: revision,
    });
    numbered = await annotate(context, resources.replicaSets, current, {
      ...inherited(deployment),
      ...history(current, revision),
      [revisionAnnotation]: revision,
    });
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
  // The first ReplicaSet starts whole; a rollout begins with what room there is.
  const replicas = roomFor(deployment, 0, sets);
  const selector = objectAt(deployment, "spec", "selector");
  const minReadySeconds = numberAt(deployment, "spec", "minReadySeconds");
  const object: KubeObject = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations: {
        ...inherited(deployment),
        ...sizes(deployment),
        [revisionAnnotation]: String(1 + Math.max(0, ...sets.map(revisionOf))),
      },
      ownerReferences: [ownerOf(deployment)],
    },
    spec: {
      replicas,
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
  const message = `Scaled up replica set ${object.metadata.name} from 0 to ${replicas}`;
  const words = replicas === 0 ? null : { reason: "ScalingReplicaSet", message };
  return createChild(context, component, deployment, { resource: resources.replicaSets, object, words });
}

/** Annotations that a Deployment hands on; `kubectl rollout history` reads the cause of a change there. */
function inherited(deployment: KubeObject): Readonly<Record<string, string>> {
  const all = Object.entries(deployment.metadata.annotations ?? {});
  const kept = all.filter(
    ([name]) => !name.startsWith(ownPrefix) && name !== "kubectl.kubernetes.io/last-applied-configuration",
  );
  return Object.fromEntries(kept);
}

function sizes(deployment: KubeObject): Readonly<Record<string, string>> {
  const wanted = replicasOf(deployment);
  const rolling = textAt(deployment, "spec", "strategy", "type") !== "Recreate";
  return {
    [`${ownPrefix}desired-replicas`]: String(wanted),
    [`${ownPrefix}max-replicas`]: String(wanted + (rolling ? rollingBounds(deployment).surge : 0)),
  };
}

/** The revisions that a ReplicaSet had before a rollback made it the newest again. */
function history(set: KubeObject, revision: string): Readonly<Record<string, string>> {
  const name = `${ownPrefix}revision-history`;
  const before = set.metadata.annotations?.[revisionAnnotation];
  const known = set.metadata.annotations?.[name];
  if (before === undefined || before === revision) return {};
  return { [name]: known === undefined ? before : `${known},${before}` };
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
  annotations: Readonly<Record<string, string>>,
): Promise<KubeObject> {
  const known = object.metadata.annotations ?? {};
  if (Object.entries(annotations).every(([name, value]) => known[name] === value)) return object;
  return context.client.patch(resource, targetOf(object), { metadata: { annotations } });
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
  const size = replicasOf(current) + roomFor(deployment, replicasOf(current), [current, ...old]);
  const grown = await resize(context, deployment, current, Math.min(wanted, size));
  return { current: grown, old: await shrink(context, deployment, grown, old) };
}

/** How many pods a ReplicaSet of `size` may be given beside all that there are. */
function roomFor(deployment: KubeObject, size: number, sets: readonly KubeObject[]): number {
  const wanted = replicasOf(deployment);
  if (textAt(deployment, "spec", "strategy", "type") === "Recreate") return sets.length === 0 ? wanted : 0;
  const total = sets.reduce((sum, set) => sum + replicasOf(set), 0);
  if (total === 0) return wanted;
  const room = wanted + rollingBounds(deployment).surge - total;
  return Math.max(0, Math.min(room, wanted - size));
}

/**
 * Takes old pods away as far as enough pods stay available, those that are not available first. New pods that
 * are not available yet count as missing: a rollout that does not come up leaves the old pods alone.
 */
async function shrink(
  context: ControllerContext,
  deployment: KubeObject,
  current: KubeObject,
  old: readonly KubeObject[],
): Promise<readonly KubeObject[]> {
  const all = [current, ...old];
  const available = (set: KubeObject) => numberAt(set, "status", "availableReplicas") ?? 0;
  const sum = (of: (set: KubeObject) => number) => all.reduce((total, set) => total + of(set), 0);
  const least = replicasOf(deployment) - rollingBounds(deployment).unavailable;
  const notUp = replicasOf(current) - available(current);
  let broken = Math.max(0, sum(replicasOf) - least - notUp);
  if (broken === 0) return old;
  let spare = Math.max(0, sum(available) - least);
  const after = new Map<KubeObject, KubeObject>();
  for (const set of old.toSorted(byAge)) {
    const useless = Math.min(broken, Math.max(0, replicasOf(set) - available(set)));
    broken -= useless;
    const healthy = Math.min(spare, replicasOf(set) - useless);
    spare -= healthy;
    after.set(set, await resize(context, deployment, set, replicasOf(set) - useless - healthy));
  }
  return old.map((set) => after.get(set) ?? set);
}

function byAge(a: KubeObject, b: KubeObject): number {
  return (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "");
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
    metadata: { resourceVersion, annotations: sizes(deployment) },
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
