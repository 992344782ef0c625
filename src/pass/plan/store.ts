import { labelValue } from "../../api/labels.ts";
import { type KubeObject, ownerOf, refOf } from "../../api/meta.ts";
import { nameOfParts } from "../../api/names.ts";
import { asRecord } from "../../base/json.ts";
import type { Draft } from "./draft.ts";
import { isOwnedBy, jobEnd, pendingPod, withoutPriority } from "./executor-job.ts";
import { accessFor, removeAccess } from "./job-access.ts";
import { localVolume } from "./local-volume.ts";
import type { StoreWrite } from "./step.ts";
import type { World } from "./world.ts";

export type StoreRequest = {
  readonly storage: KubeObject;
  readonly write: StoreWrite;
  /** The condition that this decides, with its two reasons. */
  readonly condition: string;
  readonly whenTrue: string;
  readonly whenFalse: string;
  readonly because: string;
};

/** A failed write to a backend is tried again after this long. */
const retryMs = 60_000;

/**
 * Writes to a backend and lets a condition of the draft's object say how it went; answers true once it is True.
 * Object stores are written by `act`; the volume of a `local` backend can be mounted by a pod only, so a Job does it.
 */
export function ensureStored(draft: Draft, request: StoreRequest, world: World): boolean {
  const condition = draft.condition(request.condition);
  if (condition?.status === "True") return true;
  const failedAt = condition === undefined ? undefined : Date.parse(condition.lastTransitionTime);
  if (failedAt !== undefined && condition?.status === "False") {
    const retryAt = failedAt + retryMs;
    if (world.now < retryAt && !changedSince(request.storage, failedAt)) {
      draft.problem({
        severity: "error",
        reason: request.whenFalse,
        message: condition.message ?? "",
        next: "it is tried again in a minute",
      });
      draft.wakeAt(retryAt);
      return false;
    }
  }
  if (localVolume(request.storage) === undefined) {
    const mark = draft.mark(request.condition, request.whenTrue, request.whenFalse);
    draft.step({
      kind: "store",
      storage: request.storage,
      write: request.write,
      mark,
      because: request.because,
    });
    return false;
  }
  return storeByJob(draft, request, world);
}

/** A Secret that appeared or a spec that changed is a reason to try at once. */
function changedSince(storage: KubeObject, sinceMs: number): boolean {
  const conditions = asRecord(storage["status"])["conditions"];
  return (
    Array.isArray(conditions) &&
    conditions.some(
      (one) =>
        one.type === "BackendSecretFound" &&
        one.status === "True" &&
        Date.parse(one.lastTransitionTime) > sinceMs,
    )
  );
}

function storeByJob(draft: Draft, request: StoreRequest, world: World): boolean {
  const wanted = storeJob(draft.object, request, world);
  const job = world.observed.get(refOf(wanted));
  // A Job of the same name of another object is on its way out: Jobs of this kind go when they have ended.
  if (job !== undefined && !isOwnedBy(job, draft.object))
    return draft.wait(`Job ${wanted.metadata.name} to go`);
  if (job === undefined) {
    const access = accessFor(wanted, [request.storage], [], world);
    if (typeof access === "string") return failed(draft, request, access);
    // Of a Snapshot the mere condition makes its phase final, so that it cannot say that the Job is refused.
    const mark =
      request.write.do === "snapshot"
        ? undefined
        : draft.mark(request.condition, request.whenTrue, request.whenFalse);
    for (const object of [...access, wanted])
      if (world.observed.get(refOf(object)) === undefined)
        draft.step({ kind: "create", object, because: request.because, ...(mark && { mark }) });
    return draft.wait(`Job ${wanted.metadata.name}`);
  }
  const end = jobEnd(job, world);
  if (end.kind === "running") {
    tellPending(draft, request, job, world);
    return draft.wait(`Job ${wanted.metadata.name}`);
  }
  const remove = {
    kind: "delete",
    ref: refOf(job),
    uid: job.metadata.uid ?? "",
    because: "it has ended",
  } as const;
  removeAccess(draft, "its Job has ended", world);
  if (end.kind === "succeeded") {
    draft.setCondition(request.condition, true, request.whenTrue);
    draft.step(remove);
    return true;
  }
  draft.step(remove);
  return failed(draft, request, end.message);
}

/** Dropped first, so that the failure counts from now and is tried again a minute later. */
function failed(draft: Draft, request: StoreRequest, message: string): false {
  draft.dropCondition(request.condition);
  draft.setCondition(request.condition, false, request.whenFalse, message);
  return false;
}

/** What waits for its Job says why before that is given up: an impossible volume must not be ten silent minutes. */
function tellPending(draft: Draft, request: StoreRequest, job: KubeObject, world: World): void {
  // Of a Snapshot the mere condition makes its phase final.
  if (request.write.do === "snapshot") return;
  const pending = pendingPod(job, world);
  if (pending !== undefined && "message" in pending) {
    const { message } = pending;
    draft.setUnknown(request.condition, "JobHasNotBegun", message);
    const next = "look at the volume and at what the pod needs; it goes on by itself";
    draft.problem({ severity: "warning", reason: "JobHasNotBegun", message, next });
  } else {
    draft.wakeAt(pending?.lookAtMs);
    if (draft.condition(request.condition)?.status === "Unknown") draft.dropCondition(request.condition);
  }
}

/** A Job that gets no pod, or whose pod has no end, fails in the end: that is told, and it is tried again. */
const longestSeconds: Readonly<Record<StoreWrite["do"], number>> = {
  initialize: 3600,
  repository: 3600,
  snapshot: 600,
  wipe: 86_400,
};

function storeJob(object: KubeObject, request: StoreRequest, world: World): KubeObject {
  const { storage, write } = request;
  const local = localVolume(storage);
  const { registry, repository, tag } = world.image;
  const prefix = { initialize: "init", repository: "init", snapshot: "upload", wipe: "cleanup" }[write.do];
  const suffix = write.do === "initialize" ? storage.metadata.name : object.metadata.name;
  const name = nameOfParts(prefix, suffix);
  const settings = asRecord(asRecord(storage["spec"])["runtimeSettings"]);
  const { podLabels, podAnnotations, ...pod } = asRecord(settings["pod"]);
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      namespace: object.metadata.namespace ?? "",
      labels: {
        "app.kubernetes.io/managed-by": "holdfast",
        "app.kubernetes.io/component": {
          initialize: "kubestash-initializer",
          repository: "kubestash-initializer",
          snapshot: "kubestash-uploader",
          wipe: "kubestash-cleaner",
        }[write.do],
        "kubestash.com/invoker-name": labelValue(object.metadata.name),
        "kubestash.com/invoker-namespace": object.metadata.namespace ?? "",
        "kubestash.com/invoker-kind": object.kind,
      },
      ownerReferences: [ownerOf(object)],
    },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: longestSeconds[write.do],
      template: {
        metadata: {
          labels: { ...asRecord(podLabels), "app.kubernetes.io/managed-by": "holdfast" },
          ...(podAnnotations === undefined ? {} : { annotations: podAnnotations }),
        },
        spec: {
          serviceAccountName: name,
          ...onlyPodFields(pod),
          restartPolicy: "Never",
          volumes: local === undefined ? [] : [local.volume],
          containers: [
            {
              ...withoutPriority(asRecord(settings["container"])),
              name: prefix,
              image: `${registry}/${repository}:${tag}`,
              args: ["job", ...storeArguments(request)],
              volumeMounts: local === undefined ? [] : [local.mount],
              terminationMessagePolicy: "FallbackToLogsOnError",
            },
          ],
        },
      },
    },
  };
}

/** What runtimeSettings.pod shares with a PodSpec. */
const podFields = [
  "serviceAccountName",
  "automountServiceAccountToken",
  "nodeName",
  "nodeSelector",
  "securityContext",
  "imagePullSecrets",
  "affinity",
  "schedulerName",
  "tolerations",
  "priorityClassName",
  "priority",
  "readinessGates",
  "runtimeClassName",
  "enableServiceLinks",
  "topologySpreadConstraints",
];

function onlyPodFields(pod: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(pod).filter(([field]) => podFields.includes(field)));
}

function storeArguments({ storage, write }: StoreRequest): readonly string[] {
  const of = [`--namespace=${storage.metadata.namespace}`, `--name=${storage.metadata.name}`];
  const named = (object: KubeObject) => `${object.metadata.namespace}/${object.metadata.name}`;
  switch (write.do) {
    case "initialize":
      return ["storage-initialize", ...of];
    case "repository":
      return ["storage-upload", ...of, `--repository=${named(write.repository)}`];
    case "snapshot":
      return ["storage-upload", ...of, `--snapshot=${named(write.snapshot)}`];
    case "wipe":
      return ["storage-clean", ...of, `--directory=${write.directory}`];
  }
}
