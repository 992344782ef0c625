import { backupSessionConditions } from "../../api/condition-types.ts";
import { type KubeObject, nameOf, ownerOf, refOf } from "../../api/meta.ts";
import { nameOfParts } from "../../api/names.ts";
import { substitute } from "../../api/substitute.ts";
import { asRecord, records } from "../../base/json.ts";
import type { Draft } from "./draft.ts";
import { localVolume } from "./local-volume.ts";
import { functionFor, type ResolvedTask } from "./resolve-task.ts";
import { forOrdinal, volumesOfClaims } from "./target-volumes.ts";
import { type TargetPart } from "./targets.ts";
import type { World } from "./world.ts";

type Json = Readonly<Record<string, unknown>>;

export type ExecutorRequest = {
  /** The BackupSession or RestoreSession that owns the Job. */
  readonly session: KubeObject;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly task: ResolvedTask;
  readonly part: TargetPart;
  readonly addonInfo: Json;
  /** Variables that the system knows, of the Function and of the addon's volumes: backupSession, PVC_NAME … */
  readonly variables: Readonly<Record<string, string>>;
  /** BackupStorages that the Job writes to or reads from; a local one brings its volume. */
  readonly storages: readonly KubeObject[];
  readonly defaultUser: Json;
};

const scratchVolume = "kubestash-tmp-volume";
const scratchPath = "/kubestash-tmp";

/** The Job of one component: the Function's container with the target's, the addon's and the backend's volumes. */
export function executorJob(request: ExecutorRequest, world: World): KubeObject {
  const { session, name, part, addonInfo } = request;
  const template = asRecord(addonInfo["jobTemplate"]);
  const metadata = asRecord(template["metadata"]);
  const controller = asRecord(template["controller"]);
  const pod = asRecord(template["spec"]);
  const volumes = volumesOf(request);
  const labels = { ...asRecord(metadata["labels"]), ...request.labels };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      namespace: session.metadata.namespace ?? "",
      labels: { ...(controller["labels"] as Record<string, string> | undefined), ...request.labels },
      annotations: {
        ...(asRecord(controller["annotations"]) as Record<string, string>),
        "holdfast.dev/component": part.component,
      },
      ownerReferences: [ownerOf(session)],
    },
    spec: {
      backoffLimit: 0,
      template: {
        metadata: { labels, ...(metadata["annotations"] ? { annotations: metadata["annotations"] } : {}) },
        spec: {
          securityContext: request.defaultUser,
          serviceAccountName: name,
          ...pod,
          restartPolicy: "Never",
          ...(part.node === undefined
            ? {}
            : { nodeSelector: { ...asRecord(pod["nodeSelector"]), "kubernetes.io/hostname": part.node } }),
          volumes: uniqueByName([...volumes.map((volume) => volume.volume), ...records(pod["volumes"])]),
          containers: withUsersContainers(container(request, volumes, world), records(pod["containers"])),
        },
      },
    },
  };
}

type Mounted = { readonly volume: Json; readonly mounts: readonly Json[] };

function volumesOf(request: ExecutorRequest): readonly Mounted[] {
  const { task, part, storages } = request;
  const mounts = records(task.targetVolumes["volumeMounts"]);
  const own = [
    ...records(task.targetVolumes["volumes"]).map((volume) => asRecord(forOrdinal(volume, part))),
    ...volumesOfClaims(task, part),
  ];
  const target =
    own.length > 0 || mounts.length > 0
      ? { volumes: own.length > 0 ? own : part.volumes, mounts: mounts.length > 0 ? mounts : part.mounts }
      : part;
  const names = { POD_ORDINAL: part.ordinal ?? "0", ...task.values, ...request.variables };
  const of = (volume: Json, from: readonly Json[]) => ({
    volume,
    mounts: from.filter((mount) => mount["name"] === volume["name"]),
  });
  const locals = storages
    .map((storage, index) => localVolume(storage, index))
    .filter((one) => one !== undefined);
  return [
    {
      volume: { name: scratchVolume, emptyDir: {} },
      mounts: [{ name: scratchVolume, mountPath: scratchPath }],
    },
    ...task.volumes.map((volume) => of(substitute(volume, names), task.mounts)),
    ...target.volumes.map((volume) => of(volume, target.mounts)).filter((one) => one.mounts.length > 0),
    ...locals.map((local) => ({ volume: local.volume, mounts: [local.mount] })),
  ];
}

/** Containers of the jobTemplate run beside the task's; one of its name adds to it instead. */
function withUsersContainers(own: Json, users: readonly Json[]): readonly Json[] {
  const same = users.find((one) => one["name"] === own["name"]);
  const merged = {
    ...own,
    ...same,
    env: [...records(same?.["env"]), ...records(own["env"])],
    volumeMounts: [...records(own["volumeMounts"]), ...records(same?.["volumeMounts"])],
  };
  return [merged, ...users.filter((one) => one !== same)];
}

function container(request: ExecutorRequest, volumes: readonly Mounted[], world: World): Json {
  const { task, part, addonInfo, session } = request;
  const settings = asRecord(addonInfo["containerRuntimeSettings"]);
  const { env, envFrom, ...runtime } = withoutPriority(settings);
  const spec = functionFor(task, {
    namespace: session.metadata.namespace ?? "",
    imageRegistry: world.image.registry,
    imageRepo: world.image.repository,
    imageTag: world.image.tag,
    ...request.variables,
  });
  const { runtimeSettings: functionSettings, availableVersions: _versions, ...shape } = spec;
  const { env: itsEnv, envFrom: itsEnvFrom, ...its } = withoutPriority(asRecord(functionSettings));
  const sources = [...records(itsEnvFrom), ...records(envFrom)];
  return {
    ...shape,
    ...its,
    ...runtime,
    name: `${task.name}-0`,
    env: [...records(itsEnv), ...records(env), { name: "COMPONENT_NAME", value: part.component }],
    ...(sources.length === 0 ? {} : { envFrom: sources }),
    volumeMounts: [...records(shape["volumeMounts"]), ...volumes.flatMap((volume) => volume.mounts)],
    terminationMessagePolicy: "FallbackToLogsOnError",
  };
}

/** Settings of a container without nice and ionice, which no field of a container takes. */
export function withoutPriority(settings: Json): Json {
  const { nice: _nice, ionice: _ionice, ...container } = settings;
  return container;
}

/** The session's own name where it makes one Job and that fits a label; otherwise one that no other Job gets. */
export function jobName(session: KubeObject, component: string | undefined): string {
  const { name } = session.metadata;
  if (component !== undefined) return nameOfParts(name, component);
  return name.length <= 63 ? name : nameOfParts(name);
}

/** Whose Job is in the way of one of these: it is neither followed nor taken for this session's. */
export function strangeJob(
  wanted: readonly KubeObject[],
  session: KubeObject,
  world: World,
): string | undefined {
  const taken = wanted
    .filter((one) => one.kind === "Job")
    .map((one) => world.observed.get(refOf(one)))
    .find((live) => live !== undefined && !isOwnedBy(live, session));
  return taken === undefined
    ? undefined
    : `a ${nameOf(refOf(taken))} is there already and belongs to something else`;
}

export function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  return object.metadata.ownerReferences?.some((one) => one.uid === owner.metadata.uid) === true;
}

function uniqueByName(volumes: readonly Json[]): readonly Json[] {
  const byName = new Map<string, Json>();
  for (const volume of volumes)
    if (!byName.has(String(volume["name"]))) byName.set(String(volume["name"]), volume);
  return [...byName.values()];
}

/** How a Job ended, read from its conditions and from its pod's termination message. */
export type JobEnd =
  | { readonly kind: "running" }
  | { readonly kind: "succeeded" }
  /** `stuck`: its pod never began, and the Job must be removed so that it cannot begin later. */
  | { readonly kind: "failed"; readonly message: string; readonly stuck?: true };

/** A pod that has not begun by then is given up: a session must not stay Running for ever. */
const pendingLimitMs = 600_000;

export function jobEnd(job: KubeObject, world: World): JobEnd {
  const conditions = records(asRecord(job["status"])["conditions"]);
  const isTrue = (type: string) => conditions.find((one) => one["type"] === type && one["status"] === "True");
  if (isTrue("Complete")) return { kind: "succeeded" };
  const failed = isTrue("Failed");
  const pods = podsOfJob(job, world);
  if (failed === undefined)
    return pods.flatMap((pod) => stuckPod(pod, world.now) ?? [])[0] ?? { kind: "running" };
  const words = pods.map(terminationMessage).find((message) => message !== "");
  return { kind: "failed", message: words ?? `${String(failed["reason"])}: ${String(failed["message"])}` };
}

function podsOfJob(job: KubeObject, world: World): readonly KubeObject[] {
  return world.observed
    .list("Pod", job.metadata.namespace)
    .filter((pod) => pod.metadata.ownerReferences?.some((owner) => owner.uid === job.metadata.uid));
}

/** An ordinary pod has begun by then. */
const worthTellingMs = 30_000;

/** Why the pod of a running Job has not begun, once that is worth telling; before, when to look again. */
export function pendingPod(
  job: KubeObject,
  world: World,
): { readonly message: string } | { readonly lookAtMs: number } | undefined {
  const pod = podsOfJob(job, world).find((one) => asRecord(one["status"])["phase"] === "Pending");
  if (pod === undefined) return undefined;
  const tellAtMs = Date.parse(pod.metadata.creationTimestamp ?? "") + worthTellingMs;
  if (!(world.now >= tellAtMs)) return { lookAtMs: tellAtMs };
  return { message: `its pod ${pod.metadata.name} has not begun: ${whyPending(pod)}` };
}

function stuckPod(pod: KubeObject, nowMs: number): JobEnd | undefined {
  const status = asRecord(pod["status"]);
  const sinceMs = Date.parse(pod.metadata.creationTimestamp ?? "");
  if (status["phase"] !== "Pending" || !(nowMs - sinceMs > pendingLimitMs)) return undefined;
  return {
    kind: "failed",
    stuck: true,
    message: `its pod ${pod.metadata.name} was Pending for over 10 minutes: ${whyPending(pod)}`,
  };
}

function whyPending(pod: KubeObject): string {
  const status = asRecord(pod["status"]);
  const waiting = [...records(status["initContainerStatuses"]), ...records(status["containerStatuses"])].map(
    (one) => asRecord(asRecord(one["state"])["waiting"])["message"],
  );
  const unscheduled = records(status["conditions"]).find((one) => one["status"] === "False");
  const why = waiting.find((message) => typeof message === "string") ?? unscheduled?.["message"];
  return String(why ?? "no reason is given");
}

const notBegun = "JobHasNotBegun";

/** Says that a pod of these Jobs has not begun, and why, for as long as that is so. */
export function tellPending(draft: Draft, jobs: readonly KubeObject[], world: World): void {
  const { type } = backupSessionConditions.podPendingForLong;
  const pending = jobs
    .filter((job) => jobEnd(job, world).kind === "running")
    .flatMap((job) => pendingPod(job, world) ?? []);
  for (const one of pending) if ("lookAtMs" in one) draft.wakeAt(one.lookAtMs);
  const message = pending.flatMap((one) => ("message" in one ? [one.message] : []))[0];
  if (message === undefined) {
    if (draft.condition(type)?.reason === notBegun) draft.dropCondition(type);
    return;
  }
  draft.setCondition(type, true, notBegun, message);
  const next = "look at its volumes and at what the pod needs; it goes on by itself";
  draft.problem({ severity: "warning", reason: notBegun, message, next });
}

/** Removes the Jobs among these whose pods never began. */
export function removeStuck(draft: Draft, jobs: readonly KubeObject[], world: World): readonly string[] {
  return jobs.flatMap((job) => {
    const end = jobEnd(job, world);
    if (end.kind !== "failed" || end.stuck !== true) return [];
    draft.step({ kind: "delete", ref: refOf(job), uid: job.metadata.uid ?? "", because: end.message });
    return [end.message];
  });
}

function terminationMessage(pod: KubeObject): string {
  const status = asRecord(pod["status"]);
  const words = [...records(status["initContainerStatuses"]), ...records(status["containerStatuses"])]
    .map((one) => String(asRecord(asRecord(one["state"])["terminated"])["message"] ?? ""))
    .find((message) => message.trim() !== "");
  return (words ?? String(status["message"] ?? "")).trim();
}
