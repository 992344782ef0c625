import { restoreSessionConditions } from "../../../api/condition-types.ts";
import { offshootLabels, startFinalizer } from "../../../api/labels.ts";
import { type KubeObject, refOf } from "../../../api/meta.ts";
import { asRecord } from "../../../base/json.ts";
import { createMissing } from "../create-missing.ts";
import { timePassed } from "../deadline.ts";
import { Draft, type Turn } from "../draft.ts";
import {
  executorJob,
  isOwnedBy,
  jobEnd,
  jobName,
  removeStuck,
  strangeJob,
  tellPending,
} from "../executor-job.ts";
import { accessFor } from "../job-access.ts";
import { isDataTask, type ResolvedTask, resolveTasks } from "../resolve-task.ts";
import { claimsWanted, forOrdinal, targetVolumesError } from "../target-volumes.ts";
import { claimVariable, dataParts, findTarget, type TargetPart, targetOf, wholePart } from "../targets.ts";
import type { World } from "../world.ts";
import type { RestoreContext, RunningRestore } from "./restore-session.ts";
import { restoreSecret } from "./restore-source.ts";

const restoreComponent = "kubestash-restore";

export function jobsOfRestore(restore: KubeObject, world: World): readonly KubeObject[] {
  return world.observed
    .ownedBy(restore.metadata.uid ?? "")
    .filter(
      (one) =>
        one.kind === "Job" && one.metadata.labels?.["app.kubernetes.io/component"] === restoreComponent,
    );
}

/** What a restore needs to run: claims of volumes, rights, and one Job per component that the tasks restore. */
export type RestoreWork = { readonly wanted: readonly KubeObject[]; readonly jobs: number };

/** Resolved before the claim, so that a restore that cannot run does not use up its name: a sentence says why. */
export function restoreWork(context: RestoreContext): RestoreWork | string {
  const jobs = restoreJobs(context);
  if (typeof jobs === "string") return jobs;
  const encryption = restoreSecret(context.draft.object, context.source.repository);
  const wanted: KubeObject[] = [];
  for (const { claims, job } of jobs) {
    const secrets = encryption === undefined ? [] : [encryption];
    const access = accessFor(job, [context.source.storage], secrets, context.world);
    if (typeof access === "string") return access;
    wanted.push(...claims, ...access, job);
  }
  return strangeJob(wanted, context.draft.object, context.world) ?? { wanted, jobs: jobs.length };
}

/**
 * Makes what is not there yet, and goes on only when that cannot be. Said together with making it: a Job that is gone
 * afterwards is not made again.
 */
export function ensureRestoreJobs({ draft, world }: RunningRestore, work: RestoreWork): boolean {
  const because = `RestoreSession ${draft.object.metadata.name} is claimed in the record`;
  const { restoreExecutorEnsured: condition } = restoreSessionConditions;
  const { tooLate } = createMissing(draft, { wanted: work.wanted, condition, because }, world);
  if (tooLate !== undefined) {
    removeLate(draft, world);
    draft.setCondition(condition.type, false, condition.whenFalse, tooLate);
    return true;
  }
  draft.wakeAt(Date.parse(String(draft.status["restoreDeadline"])));
  draft.setCondition(condition.type, true, condition.whenTrue);
  draft.status["totalComponents"] = work.jobs;
  return draft.wait("its Jobs");
}

/**
 * A Job of a restore cannot vanish before the status says for good that it was made: should that word be lost and
 * the Job be deleted before the next pass, nothing would be left to tell that it ran (promise 1).
 */
export function letGoOfJobs(draft: Draft, world: World): void {
  for (const job of jobsOfRestore(draft.object, world)) letGoOfJob(draft, job);
}

function letGoOfJob(draft: Draft, { metadata, ...job }: KubeObject): void {
  const { finalizers = [], resourceVersion = "" } = metadata;
  if (!finalizers.includes(startFinalizer)) return;
  draft.step({
    kind: "patch",
    ref: refOf({ ...job, metadata } as KubeObject),
    resourceVersion,
    patch: { metadata: { finalizers: finalizers.filter((one) => one !== startFinalizer) } },
    because: "its RestoreSession says that it was made",
  });
}

/** A Job whose RestoreSession is gone, torn away by hand, waits for nobody any more. */
export function planRestoreJob(job: KubeObject, world: World): Turn {
  const draft = new Draft(job, world.now);
  const { finalizers, namespace } = job.metadata;
  const waits =
    finalizers?.includes(startFinalizer) === true &&
    world.observed.list("RestoreSession", namespace).some((restore) => isOwnedBy(job, restore));
  if (!waits) draft.removeFinalizers([startFinalizer], "its RestoreSession is gone");
  return draft.turn("its RestoreSession is gone");
}

type RestoreJob = { readonly job: KubeObject; readonly claims: readonly KubeObject[] };

function restoreJobs(context: RestoreContext): readonly RestoreJob[] | string {
  const { draft, source, world } = context;
  const addonInfo = asRecord(asRecord(draft.object["spec"])["addon"]);
  const resolution = resolveTasks(addonInfo, "restore", world);
  if (!resolution.ok) return resolution.message;
  const work = resolution.tasks.flatMap((task) => partsFor(task, context).map((part) => ({ task, part })));
  const unmet = source.components.filter(
    (component) => !work.some(({ part }) => part.component === component),
  );
  if (work.length === 0)
    return `no task restores the components ${source.components.join(", ")} of the snapshot`;
  const asked = asRecord(asRecord(draft.object["spec"])["dataSource"])["components"] !== undefined;
  if (asked && unmet.length > 0) return `no task restores the component(s) ${unmet.join(", ")}`;
  const homeless = unmet.filter((component) => component !== "manifest");
  if (homeless.length > 0 && resolution.tasks.some(isDataTask))
    return `the target has nothing to restore the component(s) ${homeless.join(", ")} into: bring it to the size that it had, or name the others in spec.dataSource.components`;
  const volumesError = targetVolumesError(work);
  if (volumesError !== undefined) return volumesError;
  const single = work.length === 1;
  return work.map(({ task, part }) => {
    const name = jobName(draft.object, single ? undefined : part.component);
    return restoreJob(context, { task, part, name, addonInfo });
  });
}

type Work = {
  readonly task: ResolvedTask;
  readonly part: TargetPart;
  readonly name: string;
  readonly addonInfo: Readonly<Record<string, unknown>>;
};

function restoreJob(context: RestoreContext, { task, part, name, addonInfo }: Work): RestoreJob {
  const { draft, source, world } = context;
  const claims = claimsFor(context, task, part);
  const job = executorJob(
    {
      session: draft.object,
      name,
      labels: { ...offshootLabels(draft.object), "app.kubernetes.io/component": restoreComponent },
      task,
      part,
      addonInfo,
      variables: {
        restoreSession: draft.object.metadata.name,
        snapshot: source.snapshot.metadata.name,
        ...claimVariable(draft.object),
        invokerKind: "RestoreSession",
        invokerName: draft.object.metadata.name,
      },
      storages: [source.storage],
      // Restored as root, so that the files keep their owners; a securityContext in the jobTemplate overrides it.
      defaultUser: { runAsUser: 0, runAsGroup: 0 },
    },
    world,
  );
  const annotations = { ...job.metadata.annotations, "holdfast.dev/snapshot": source.snapshot.metadata.name };
  const metadata = { ...job.metadata, annotations, finalizers: [startFinalizer] };
  return { claims, job: { ...job, metadata } };
}

/** PersistentVolumeClaims of `targetVolumes.volumeClaimTemplates`; `${POD_ORDINAL}` is the part's. They stay. */
function claimsFor({ draft }: RestoreContext, task: ResolvedTask, part: TargetPart): readonly KubeObject[] {
  return claimsWanted(task, part).map(({ name, template }) => {
    const { labels, annotations } = asRecord(template["metadata"]);
    return {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: {
        name,
        namespace: draft.object.metadata.namespace ?? "",
        ...(labels === undefined ? {} : { labels: labels as Record<string, string> }),
        ...(annotations === undefined ? {} : { annotations: annotations as Record<string, string> }),
      },
      spec: forOrdinal(template["spec"], part),
    };
  });
}

/** What a task restores: the manifest component, or the data components that the snapshot and the target share. */
function partsFor(task: ResolvedTask, { draft, source, world }: RestoreContext): readonly TargetPart[] {
  const has = (component: string) => source.components.includes(component);
  if (!isDataTask(task)) return has("manifest") ? [wholePart("manifest")] : [];
  const data = source.components.filter((component) => component !== "manifest");
  const own = task.targetVolumes["volumes"] !== undefined || task.targetVolumes["volumeMounts"] !== undefined;
  const templated = task.targetVolumes["volumeClaimTemplates"] !== undefined;
  if (task.singleton || own || templated)
    return data.map((component) => ({ ...wholePart(component), ordinal: ordinalOf(component) }));
  const reference = targetOf(draft.object);
  const namespace = draft.object.metadata.namespace ?? "";
  const target = reference === undefined ? undefined : findTarget(reference, namespace, world);
  return dataParts(target, world).filter((part) => has(part.component));
}

function ordinalOf(component: string): string | undefined {
  return /^dump-pod-(\d+)$/.exec(component)?.[1];
}

function removeLate(draft: Draft, world: World): void {
  for (const job of jobsOfRestore(draft.object, world))
    draft.step({
      kind: "delete",
      ref: refOf(job),
      uid: job.metadata.uid ?? "",
      because: "its time has passed",
    });
}

/** Goes on when every component is final; a Job that ends without its report leaves the restore incomplete. */
export function followRestoreJobs({ draft, world }: RunningRestore): boolean {
  if (draft.condition("RestoreExecutorEnsured")?.status !== "True") return true;
  const jobs = jobsOfRestore(draft.object, world);
  const components = Object.values(asRecord(draft.status["components"])).map(asRecord);
  const final = components.filter((one) => ["Succeeded", "Failed"].includes(String(one["phase"])));
  if (final.length >= Number(draft.status["totalComponents"] ?? 1)) return true;
  const incomplete = (message: string) => {
    draft.setCondition("RestoreIncomplete", true, "RestoreExecutorTerminatedBeforeCompletion", message);
    return true;
  };
  removeStuck(draft, jobs, world);
  tellPending(draft, jobs, world);
  const ends = jobs.map((job) => jobEnd(job, world));
  const deadline = draft.status["restoreDeadline"];
  if (typeof deadline === "string") {
    const over = timePassed(draft.object, draft.status, world.now);
    if (over !== undefined) {
      removeLate(draft, world);
      return incomplete(over);
    }
    draft.wakeAt(Date.parse(deadline));
  }
  if (ends.some((end) => end.kind === "running"))
    return draft.wait(`Job ${jobs.map((job) => job.metadata.name).join(", ")}`);
  if (jobs.length === 0) return incomplete("its Job is gone");
  const words = ends
    .map((end) => (end.kind === "failed" ? end.message : ""))
    .find((message) => message !== "");
  return incomplete(words ?? "its Job ended without a report");
}
