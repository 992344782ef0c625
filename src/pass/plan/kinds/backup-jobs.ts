import { backupSessionConditions } from "../../../api/condition-types.ts";
import { offshootLabels } from "../../../api/labels.ts";
import { type KubeObject, refOf } from "../../../api/meta.ts";
import { asRecord, records } from "../../../base/json.ts";
import { createMissing } from "../create-missing.ts";
import { executorJob, jobEnd, jobName, removeStuck, strangeJob, tellPending } from "../executor-job.ts";
import { accessFor } from "../job-access.ts";
import { isDataTask, type ResolvedTask, resolveTasks } from "../resolve-task.ts";
import { phaseOf } from "../snapshots.ts";
import { claimVariable, dataParts, findTarget, type TargetPart, targetOf, wholePart } from "../targets.ts";
import type { World } from "../world.ts";
import { encryptionSecretOf, storageOf } from "./repository.ts";
import type { SessionContext } from "./session-context.ts";
import { snapshotsOfSession } from "./session-snapshots.ts";

/** Resolves Addon, Task and Function and makes one Job per component. */
export function ensureBackupJobs(context: SessionContext): boolean {
  const { draft, world } = context;
  if (draft.condition("SnapshotsEnsured")?.status === "False") return true;
  if (draft.isDecided("BackupExecutorEnsured")) return true;
  const jobs = backupJobs(context);
  if (typeof jobs === "string") return cannotBackUp(context, jobs);
  const because = `session ${String(context.session["name"])} is due`;
  const wanted: KubeObject[] = [];
  for (const job of jobs) {
    const access = accessOfJob(job, context);
    if (typeof access === "string") return cannotBackUp(context, access);
    wanted.push(...access, job);
  }
  const stranger = strangeJob(wanted, draft.object, world);
  if (stranger !== undefined) return cannotBackUp(context, stranger);
  const { backupExecutorEnsured: condition } = backupSessionConditions;
  const { objects, tooLate } = createMissing(draft, { wanted, condition, because }, world);
  if (tooLate !== undefined) return cannotBackUp(context, tooLate);
  if (objects.length > 0) return draft.wait("its Jobs", Date.parse(String(draft.status["backupDeadline"])));
  draft.setCondition("BackupExecutorEnsured", true, "SuccessfullyEnsuredBackupExecutor");
  return draft.wait("its Jobs");
}

/** There will be no Jobs: the Snapshots and the session end with these words. */
function cannotBackUp({ draft }: SessionContext, reason: string): true {
  draft.setCondition("BackupExecutorEnsured", false, "FailedToEnsureBackupExecutor", reason);
  return true;
}

function accessOfJob(job: KubeObject, context: SessionContext): readonly KubeObject[] | string {
  const repositories = repositoriesOfSession(context);
  const encryption = repositories.map(encryptionSecretOf).filter((one) => one !== undefined);
  return accessFor(job, storagesOfSession(context), encryption, context.world);
}

export function repositoriesOfSession({
  draft,
  session,
  world,
}: Pick<SessionContext, "draft" | "session" | "world">): readonly KubeObject[] {
  const names = records(session["repositories"]).map((one) => one["name"]);
  return world.observed
    .list("Repository", draft.object.metadata.namespace)
    .filter((one) => names.includes(one.metadata.name));
}

function storagesOfSession(context: SessionContext): readonly KubeObject[] {
  const all = repositoriesOfSession(context)
    .map((repository) => storageOf(repository, context.world))
    .filter((one) => one !== undefined);
  return [...new Map(all.map((storage) => [storage.metadata.uid, storage])).values()];
}

/** The Jobs of the session, or why there can be none. */
function backupJobs(context: SessionContext): readonly KubeObject[] | string {
  const { draft, configuration, session, world } = context;
  const addonInfo = asRecord(session["addon"]);
  const work = backupWork(configuration, session, world);
  if (typeof work === "string") return work;
  if (work.length === 0) return "the target has no pod whose volumes could be backed up";
  const single = work.length === 1;
  return work.map(({ task, part }) =>
    executorJob(
      {
        session: draft.object,
        name: jobName(draft.object, single ? undefined : part.component),
        labels: {
          ...offshootLabels(draft.object),
          "app.kubernetes.io/component": "kubestash-backup",
        },
        task,
        part,
        addonInfo,
        variables: {
          backupSession: draft.object.metadata.name,
          ...claimVariable(configuration),
          invokerKind: "BackupConfiguration",
          invokerName: configuration.metadata.name,
        },
        storages: storagesOfSession(context),
        // KubeStash backs up as nobody's user; files of other owners need a securityContext in the jobTemplate.
        defaultUser: {},
      },
      world,
    ),
  );
}

type Work = { readonly task: ResolvedTask; readonly part: TargetPart };

/** What a session would back up now, or why it cannot. */
function backupWork(
  configuration: KubeObject,
  session: SessionContext["session"],
  world: World,
): readonly Work[] | string {
  const resolution = resolveTasks(asRecord(session["addon"]), "backup", world);
  if (!resolution.ok) return resolution.message;
  return resolution.tasks.flatMap((task) =>
    partsFor(task, configuration, world).map((part) => ({ task, part })),
  );
}

/** Names of the components that a session would back up now; none while it cannot. */
export function backupComponents(
  configuration: KubeObject,
  session: SessionContext["session"],
  world: World,
): readonly string[] {
  const work = backupWork(configuration, session, world);
  return typeof work === "string" ? [] : work.map(({ part }) => part.component);
}

/** Manifest tasks have one part of their own; data tasks one per pod that holds data. */
function partsFor(task: ResolvedTask, configuration: KubeObject, world: World): readonly TargetPart[] {
  if (!isDataTask(task)) return [wholePart("manifest")];
  const reference = targetOf(configuration);
  const namespace = configuration.metadata.namespace ?? "";
  const target = reference === undefined ? undefined : findTarget(reference, namespace, world);
  if (task.singleton) return [wholePart("dump")];
  return dataParts(target, world);
}

/** The executor Jobs of a BackupSession. */
export function jobsOfSession(session: KubeObject, world: World): readonly KubeObject[] {
  return world.observed
    .ownedBy(session.metadata.uid ?? "")
    .filter(
      (one) =>
        one.kind === "Job" && one.metadata.labels?.["app.kubernetes.io/component"] === "kubestash-backup",
    );
}

/** Goes on when every Snapshot of the session has ended; at the deadline running Jobs are removed. */
export function followBackupJobs(context: SessionContext): boolean {
  const { draft, world } = context;
  const open = snapshotsOfSession(context).filter((one) => !["Succeeded", "Failed"].includes(phaseOf(one)));
  if (open.length === 0) return true;
  const jobs = jobsOfSession(draft.object, world);
  const [stuck] = removeStuck(draft, jobs, world);
  const pending = backupSessionConditions.podPendingForLong;
  tellPending(draft, jobs, world);
  if (stuck !== undefined) draft.setCondition(pending.type, true, pending.whenTrue, stuck);
  const running = jobs.filter((job) => jobEnd(job, world).kind === "running");
  const deadline = draft.status["backupDeadline"];
  if (typeof deadline === "string") {
    if (world.now < Date.parse(deadline)) draft.wakeAt(Date.parse(deadline));
    else
      for (const job of running)
        draft.step({
          kind: "delete",
          ref: refOf(job),
          uid: job.metadata.uid ?? "",
          because: "its time has passed",
        });
  }
  return draft.wait(
    running.length > 0 ? `Job ${running.map((job) => job.metadata.name).join(", ")}` : "its Snapshots to end",
  );
}
