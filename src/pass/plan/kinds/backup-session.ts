import type { Session } from "../../../api/backup-configuration.ts";
import type { BackupSessionStatus } from "../../../api/backup-session.ts";
import { timeText } from "../../../api/conditions.ts";
import { clampedGoDuration, formatDuration } from "../../../api/duration.ts";
import { cleanupFinalizer, recordFinalizer } from "../../../api/labels.ts";
import type { KubeObject } from "../../../api/meta.ts";
import { newBackupSession } from "../../../api/new-backup-session.ts";
import { backupSessionPhase } from "../../../api/phases/backup-session-phase.ts";
import { specIsFixed } from "../../../api/rules/shared-rules.ts";
import { asRecord, isFields, records } from "../../../base/json.ts";
import { ensureRecorded, isRecorded } from "../awaiting-record.ts";
import { deadlineOf } from "../deadline.ts";
import { declaredIn } from "../declared-objects.ts";
import { declaredCommit, declaredFile } from "../deletion.ts";
import { Draft, type Turn } from "../draft.ts";
import { effectiveConfiguration } from "../effective-configuration.ts";
import { removeAccess } from "../job-access.ts";
import { missingSessionPassword } from "../missing-references.ts";
import { secretRefusal } from "../secret-use.ts";
import { phaseOf } from "../snapshots.ts";
import { sameTarget, targetOf } from "../targets.ts";
import { isBeingDeleted, type World } from "../world.ts";
import { ensureBackupJobs, followBackupJobs, repositoriesOfSession } from "./backup-jobs.ts";
import { encryptionSecretOf, storageOf } from "./repository.ts";
import { createdMs, runsOf, type SessionContext, sessionsOf } from "./session-context.ts";
import { applyRetention } from "./session-retention.ts";
import { ensureSnapshots } from "./session-snapshots.ts";

const finalPhases = ["Succeeded", "Failed", "Skipped"];

/** The whole life of a BackupSession, in the order of the flow; a stage that is not done ends the turn. */
export function planBackupSession(backupSession: KubeObject, world: World): Turn {
  const draft = new Draft(backupSession, world.now);
  if (isBeingDeleted(backupSession)) {
    if (isRecorded(draft, world))
      draft.removeFinalizers([cleanupFinalizer, recordFinalizer], "nothing of it is left to clean up");
    return draft.turn("it is being deleted");
  }
  if (finalPhases.includes(phaseOf(backupSession))) return planFinal(draft, world);
  if (!adopt(draft, world)) return draft.turn("it is new");
  const context = contextOf(draft, world) ?? (started(draft) ? abandonedContext(draft, world) : undefined);
  if (context === undefined) {
    skip(draft, "its BackupConfiguration or session is gone");
  } else {
    const reason = started(draft) ? undefined : reasonToSkip(context);
    if (reason !== undefined) skip(draft, reason);
    else
      void (
        setDeadline(context) &&
        ensureSnapshots(context) &&
        ensureBackupJobs(context) &&
        followBackupJobs(context) &&
        applyRetention(context) &&
        settle(context)
      );
  }
  draft.status["phase"] = backupSessionPhase(draft.statusAs<BackupSessionStatus>());
  return draft.turn("its snapshots and jobs were looked at");
}

/** Finalizers, and the commit and file that are in force: what is recorded of the session later names them. */
function adopt(draft: Draft, world: World): boolean {
  const { annotations, finalizers = [] } = draft.object.metadata;
  if (annotations?.[declaredCommit] !== undefined)
    return draft.ensureFinalizers([cleanupFinalizer, recordFinalizer]);
  const both = [...new Set([...finalizers, cleanupFinalizer, recordFinalizer])];
  draft.patchMetadata({ annotations: declarationOf(draft.object, world), finalizers: both }, "it is new");
  return false;
}

function declarationOf(session: KubeObject, world: World): Readonly<Record<string, string>> {
  const invoker = asRecord(asRecord(session["spec"])["invoker"]);
  const file = world.observed.named("BackupConfiguration", session.metadata.namespace, invoker["name"])
    ?.metadata.annotations?.[declaredIn];
  return {
    [declaredCommit]: world.desired.revision,
    ...(file === undefined ? {} : { [declaredFile]: file.slice(file.indexOf("/") + 1) }),
  };
}

function contextOf(draft: Draft, world: World): SessionContext | undefined {
  const spec = asRecord(draft.object["spec"]);
  const invoker = asRecord(spec["invoker"]);
  const configuration = world.observed.named(
    "BackupConfiguration",
    draft.object.metadata.namespace,
    invoker["name"],
  );
  if (configuration === undefined) return undefined;
  const session = records(asRecord(configuration["spec"])["sessions"]).find(
    (one) => one["name"] === spec["session"],
  );
  return session === undefined
    ? undefined
    : { draft, configuration: effectiveConfiguration(configuration, world), session, world };
}

/** What has begun is followed to its end though its session was taken out of the declaration. */
function abandonedContext(draft: Draft, world: World): SessionContext {
  const { name } = asRecord(asRecord(draft.object["spec"])["invoker"]);
  const metadata = { name: String(name), namespace: draft.object.metadata.namespace ?? "" };
  const configuration = { apiVersion: draft.ref.apiVersion, kind: "BackupConfiguration", metadata };
  return { draft, configuration, session: {}, world };
}

/** Once its Snapshots are made it goes on whatever happens around it. */
function started(draft: Draft): boolean {
  return draft.condition("SnapshotsEnsured")?.status === "True";
}

function reasonToSkip({ draft, configuration, session, world }: SessionContext): string | undefined {
  if (specIsFixed.check(draft.object).length > 0) return "its spec was changed after it was made";
  const { kind } = asRecord(asRecord(draft.object["spec"])["invoker"]);
  if ((kind ?? configuration.kind) !== configuration.kind)
    return `its invoker is a ${String(kind)}, which this release does not know`;
  if (asRecord(configuration["spec"])["paused"] === true)
    return `BackupConfiguration ${configuration.metadata.name} is paused`;
  const password = missingSessionPassword(session, configuration.metadata.namespace ?? "", world);
  if (password !== undefined) return password;
  if (phaseOf(configuration) !== "Ready")
    return `BackupConfiguration ${configuration.metadata.name} is ${phaseOf(configuration) || "not Ready"}`;
  const refused = repositoriesOfSession({ draft, session, world })
    .map((repository) => {
      const secret = encryptionSecretOf(repository);
      const namespace = draft.object.metadata.namespace ?? "";
      return secret && secretRefusal(secret, namespace, storageOf(repository, world), world);
    })
    .find((refusal) => refusal !== undefined);
  if (refused !== undefined) return refused.message;
  const resting = pausedRepository(configuration, session, world);
  if (resting !== undefined) return `Repository ${resting} is paused`;
  const other = runsOf(configuration, world)
    .filter((one) => one.metadata.name !== draft.object.metadata.name && !finalPhases.includes(phaseOf(one)))
    .find((one) => ageKey(one) < ageKey(draft.object));
  if (other !== undefined) return `BackupSession ${other.metadata.name} is still running`;
  const restore = runningRestore(configuration, world);
  return restore === undefined
    ? undefined
    : `RestoreSession ${restore.metadata.name} restores the same target`;
}

function pausedRepository(
  { metadata }: KubeObject,
  session: Readonly<Record<string, unknown>>,
  world: World,
): string | undefined {
  const names = records(session["repositories"]).map((one) => one["name"]);
  return world.observed
    .list("Repository", metadata.namespace)
    .find((one) => names.includes(one.metadata.name) && asRecord(one["spec"])["paused"] === true)?.metadata
    .name;
}

/** Older first; the name decides between two of the same second. */
function ageKey(object: KubeObject): string {
  return `${object.metadata.creationTimestamp ?? ""} ${object.metadata.name}`;
}

function runningRestore(configuration: KubeObject, world: World): KubeObject | undefined {
  const namespace = configuration.metadata.namespace ?? "";
  return world.observed
    .list("RestoreSession")
    .filter((one) => phaseOf(one) === "Running")
    .find((one) =>
      sameTarget(targetOf(one), one.metadata.namespace ?? "", targetOf(configuration), namespace),
    );
}

function skip(draft: Draft, reason: string): void {
  draft.setCondition("BackupSkipped", true, "PreRequisitesNotSatisfied", reason);
}

function setDeadline({ draft }: SessionContext): boolean {
  const timeout = asRecord(draft.object["spec"])["backupTimeout"];
  draft.status["backupDeadline"] = deadlineOf(timeout, createdMs(draft.object));
  return true;
}

/** The last step: the values of this session are served from now on, which gates its final phase. */
function settle({ draft, world }: SessionContext): boolean {
  draft.status["duration"] ??= formatDuration(Math.max(0, world.now - createdMs(draft.object)));
  draft.setCondition("SessionHistoryCleaned", true, "SuccessfullyCleanedSessionHistory");
  draft.setCondition("MetricsPushed", true, "SuccessfullyPushedMetrics", "no metrics sink is configured");
  return true;
}

/** A finished session: what it was allowed is taken back, a failed one is tried again, old ones go. */
function planFinal(draft: Draft, world: World): Turn {
  removeAccess(draft, "its session has ended", world);
  ensureRecorded(draft, world);
  const context = contextOf(draft, world);
  if (context !== undefined) {
    retry(context);
    cleanHistory(context);
  }
  return draft.turn("it has ended");
}

function retry({ draft, configuration, session, world }: SessionContext): void {
  const left = Number(asRecord(draft.object["spec"])["retryLeft"] ?? 0);
  if (phaseOf(draft.object) !== "Failed" || left <= 0 || draft.status["retried"] === true) return;
  const settings = session["retryConfig"];
  const delay =
    isFields(settings) && typeof settings["delay"] === "string"
      ? (clampedGoDuration(settings["delay"]) ?? 0)
      : 0;
  const endedAt = Date.parse(draft.condition("MetricsPushed")?.lastTransitionTime ?? timeText(world.now));
  const dueMs = endedAt + delay;
  draft.status["nextRetry"] = timeText(dueMs);
  const successors = sessionsOf(configuration, String(session["name"]), world).filter(
    (one) => ageKey(one) > ageKey(draft.object),
  );
  if (successors.length > 0) {
    draft.status["retried"] = true;
    return;
  }
  if (world.now < dueMs) {
    draft.wait("its retry", dueMs);
    return;
  }
  const next = newBackupSession(configuration, session as Session, { atMs: world.now, retryLeft: left - 1 });
  draft.step({
    kind: "create",
    object: next,
    because: `${draft.object.metadata.name} failed and has ${left} retries left`,
  });
}

/** Beyond the history limit the oldest finished and recorded sessions go; their entries leave the tip with them. */
function cleanHistory({ draft, configuration, session, world }: SessionContext): void {
  const limit = typeof session["sessionHistoryLimit"] === "number" ? session["sessionHistoryLimit"] : 1;
  const finished = sessionsOf(configuration, String(session["name"]), world)
    .filter((one) => finalPhases.includes(phaseOf(one)) && !isBeingDeleted(one))
    .sort((a, b) => (ageKey(a) < ageKey(b) ? 1 : -1));
  const rank = finished.findIndex((one) => one.metadata.name === draft.object.metadata.name);
  const awaitsRecord = draft.object.metadata.finalizers?.includes(recordFinalizer) === true;
  const awaitsRetry = draft.status["nextRetry"] !== undefined && draft.status["retried"] !== true;
  if (rank < limit || awaitsRecord || awaitsRetry) return;
  const uid = draft.object.metadata.uid ?? "";
  draft.step({ kind: "delete", ref: draft.ref, uid, because: `sessionHistoryLimit is ${limit}` });
}
