import { offshootLabels } from "../../../api/labels.ts";
import { type KubeObject, refOf } from "../../../api/meta.ts";
import { executorJob, jobEnd, jobName, removeStuck, strangeJob } from "../executor-job.ts";
import { accessFor } from "../job-access.ts";
import { type ResolvedTask, resolveTasks } from "../resolve-task.ts";
import { claimsWanted, forOrdinal, targetVolumesError } from "../target-volumes.ts";
import {
  asRecord,
  claimVariable,
  dataParts,
  findTarget,
  type TargetPart,
  targetOf,
  wholePart,
} from "../targets.ts";
import type { World } from "../world.ts";
import { encryptionSecretOf } from "./repository.ts";
import type { RestoreContext, RunningRestore } from "./restore-session.ts";

const restoreComponent = "kubestash-restore";

export function jobsOfRestore(restore: KubeObject, world: World): readonly KubeObject[] {
  return world.observed
    .ownedBy(restore.metadata.uid ?? "")
    .filter(
      (one) =>
        one.kind === "Job" && one.metadata.labels?.["app.kubernetes.io/component"] === restoreComponent,
    );
}

/** Claims of volumes, then one Job per component that the tasks restore. */
export function ensureRestoreJobs(context: RestoreContext): boolean {
  const { draft, world } = context;
  if (draft.condition("RestoreExecutorEnsured") !== undefined) return true;
  const jobs = restoreJobs(context);
  if (typeof jobs === "string") {
    draft.setCondition("RestoreExecutorEnsured", false, "FailedToEnsureRestoreExecutor", jobs);
    return true;
  }
  const because = `RestoreSession ${draft.object.metadata.name} is claimed in the record`;
  const encryption = encryptionOf(context);
  const wanted = jobs.flatMap(({ claims, job }) => [
    ...claims,
    ...accessFor(job, [context.source.storage], encryption === undefined ? [] : [encryption], world),
    job,
  ]);
  const stranger = strangeJob(wanted, draft.object, world);
  if (stranger !== undefined) {
    draft.setCondition("RestoreExecutorEnsured", false, "FailedToEnsureRestoreExecutor", stranger);
    return true;
  }
  for (const object of wanted.filter((one) => world.observed.get(refOf(one)) === undefined))
    draft.step({ kind: "create", object, because });
  // Said together with making them: a Job that is gone when the next pass looks is not made again.
  draft.setCondition("RestoreExecutorEnsured", true, "SuccessfullyEnsuredRestoreExecutor");
  draft.status["totalComponents"] = jobs.length;
  return draft.wait("its Jobs");
}

function encryptionOf({
  draft,
  source,
}: RestoreContext): { readonly name: string; readonly namespace: string } | undefined {
  const own = asRecord(asRecord(asRecord(draft.object["spec"])["dataSource"])["encryptionSecret"]);
  if (typeof own["name"] !== "string") return encryptionSecretOf(source.repository);
  return { name: own["name"], namespace: String(own["namespace"] ?? draft.object.metadata.namespace) };
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
  return { claims, job: { ...job, metadata: { ...job.metadata, annotations } } };
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

function isDataTask(task: ResolvedTask): boolean {
  return !task.name.startsWith("manifest");
}

function ordinalOf(component: string): string | undefined {
  return /^dump-pod-(\d+)$/.exec(component)?.[1];
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
  const ends = jobs.map((job) => jobEnd(job, world));
  const deadline = draft.status["restoreDeadline"];
  if (typeof deadline === "string") {
    if (world.now >= Date.parse(deadline)) {
      for (const job of jobs)
        draft.step({
          kind: "delete",
          ref: refOf(job),
          uid: job.metadata.uid ?? "",
          because: "restoreTimeout has passed",
        });
      return incomplete(`restoreTimeout passed at ${deadline}`);
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
