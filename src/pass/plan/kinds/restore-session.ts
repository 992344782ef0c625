import { timeText } from "../../../api/conditions.ts";
import { formatDuration } from "../../../api/duration.ts";
import { cleanupFinalizer, recordFinalizer } from "../../../api/labels.ts";
import type { KubeObject } from "../../../api/meta.ts";
import { refOf } from "../../../api/meta.ts";
import { restoreSessionPhase } from "../../../api/phases/restore-session-phase.ts";
import type { RestoreSessionStatus } from "../../../api/restore-session.ts";
import { asRecord, records } from "../../../base/json.ts";
import { ensureRecorded, isRecorded } from "../awaiting-record.ts";
import { tellAway } from "../away-condition.ts";
import { type ClaimState, claimEntry, claimOf, entryUnreadable } from "../claim.ts";
import { deadlineOf } from "../deadline.ts";
import { Draft, type Turn } from "../draft.ts";
import { removeAccess } from "../job-access.ts";
import { dependenciesOf, isDataTask } from "../resolve-task.ts";
import { restoreErrors } from "../restore-rules.ts";
import { phaseOf } from "../snapshots.ts";
import { sameTarget, targetFound, targetOf } from "../targets.ts";
import { tellUnsupported } from "../unsupported.ts";
import { isBeingDeleted, type World } from "../world.ts";
import {
  ensureRestoreJobs,
  followRestoreJobs,
  jobsOfRestore,
  letGoOfJobs,
  type RestoreWork,
  restoreWork,
} from "./restore-jobs.ts";
import { type RestoreSource, restoreSource } from "./restore-source.ts";

/** What every stage of a RestoreSession looks at. */
export type RestoreContext = {
  readonly draft: Draft;
  readonly world: World;
  readonly source: RestoreSource;
};

/** After its Jobs are made a restore needs its source no more: what happens to that must not stop it from ending. */
export type RunningRestore = Pick<RestoreContext, "draft" | "world">;

const finalPhases = ["Succeeded", "Failed", "Unknown"];

/**
 * The whole life of a RestoreSession. Nothing runs before it is claimed in the record (promise 1), and what the
 * record says of an earlier run by this name is final here too.
 */
export function planRestoreSession(restore: KubeObject, world: World): Turn {
  const draft = new Draft(restore, world.now);
  if (isBeingDeleted(restore)) return planRemoval(draft, world);
  if (finalPhases.includes(phaseOf(restore))) return planFinal(draft, world);
  if (!draft.ensureFinalizers([cleanupFinalizer, recordFinalizer])) return draft.turn("it is new");
  tellUnsupported(draft, world);
  draft.status["dependencies"] = dependenciesOf(
    asRecord(asRecord(restore["spec"])["addon"]),
    "restore",
    world,
  );
  const state = claimOf(restore, world, jobsOfRestore(restore, world).length > 0);
  if (state === "elsewhere") {
    draft.wait("the run of Holdfast that claimed it", world.now + 1000);
    return draft.turn("another run has claimed it");
  }
  if (state !== "free" && state !== "ours") return heldTurn(draft, state);
  draft.dropCondition("Held");
  const running: RunningRestore = { draft, world };
  const begun = started(draft);
  if (!begun) {
    const work = checkedWork(draft, world);
    if (work === undefined) return draft.turn("it was checked");
    void (
      claimed(running, state) &&
      pauseBackups(running) &&
      ensureRestoreJobs(running, work) &&
      settle(running)
    );
  } else {
    letGoOfJobs(draft, world);
    void (followRestoreJobs(running) && settle(running));
  }
  draft.status["phase"] = restoreSessionPhase(draft.statusAs<RestoreSessionStatus>());
  return draft.turn("its claim and its jobs were looked at");
}

/** The record forbids this run; the phase says how, the condition what to do. */
function heldTurn(draft: Draft, state: Exclude<ClaimState, string>): Turn {
  const { severity, reason, message, next } = state;
  // An entry that cannot be read is told once for all, whether its restore is there or not.
  if (reason !== entryUnreadable) draft.problem({ severity, reason, message, next });
  if (state.status !== undefined) draft.status = { ...state.status };
  draft.setCondition("Held", true, state.reason, state.message);
  draft.status["phase"] = state.phase;
  return draft.turn(state.message);
}

/** Everything that can be known before it starts: what is refused here was never claimed, and keeps its name. */
function checkedWork(draft: Draft, world: World): RestoreWork | undefined {
  const namespace = draft.object.metadata.namespace ?? "";
  const found = targetFound(targetOf(draft.object), namespace, world);
  draft.status["targetFound"] = found;
  const { source, waiting, error } = restoreSource(draft.object, world);
  const errors = [...restoreErrors(draft.object, world), ...(error === undefined ? [] : [error])];
  if (errors.length > 0) return refuse(draft, errors);
  draft.status["phase"] = "Pending";
  if (source === undefined) {
    const message = `it cannot start yet: ${waiting ?? "its source does not exist"}`;
    draft.problem({
      severity: "warning",
      reason: "SourceNotReady",
      message,
      next: "it starts by itself once that is there",
    });
    return undefined;
  }
  if (!found && !bringsTargetBack(draft.object)) {
    const message = "its target does not exist";
    draft.problem({
      severity: "error",
      reason: "TargetNotFound",
      message,
      next: "create the target, or correct spec.target",
    });
    return undefined;
  }
  const work = restoreWork({ draft, world, source });
  if (typeof work === "string") return refuse(draft, [work]);
  draft.setCondition("ValidationPassed", true, "ResourceValidationPassed");
  return work;
}

/** Manifests hold the target itself. */
function bringsTargetBack(restore: KubeObject): boolean {
  return records(asRecord(asRecord(restore["spec"])["addon"])["tasks"]).every((task) => !isDataTask(task));
}

function refuse(draft: Draft, errors: readonly string[]): undefined {
  draft.setCondition("ValidationPassed", false, "ResourceValidationFailed", errors.join("; "));
  for (const message of errors)
    draft.problem({
      severity: "error",
      reason: "ResourceValidationFailed",
      message,
      next: "correct the declaration",
    });
  draft.status["phase"] = restoreSessionPhase(draft.statusAs<RestoreSessionStatus>());
}

function started(draft: Draft): boolean {
  return draft.isDecided("RestoreExecutorEnsured");
}

/** Writes the claim ahead of everything else; the pass that has seen it at the remote's tip goes on. */
function claimed({ draft, world }: RunningRestore, state: "free" | "ours"): boolean {
  const away = state === "free" && world.own.state.away !== undefined;
  tellAway(draft, away ? "it starts when its claim is in the record" : undefined, world);
  if (state === "ours") return true;
  draft.entry(claimEntry(draft.object, world));
  return away ? false : draft.wait("its claim in the record");
}

/** Backups of the same target are skipped while it runs; the status names them. Their spec is not touched. */
function pauseBackups({ draft, world }: RunningRestore): boolean {
  const namespace = draft.object.metadata.namespace ?? "";
  draft.status["pausedBackups"] = world.observed
    .list("BackupConfiguration")
    .filter((one) =>
      sameTarget(targetOf(one), one.metadata.namespace ?? "", targetOf(draft.object), namespace),
    )
    .map((one) => ({
      apiGroup: "core.kubestash.com",
      kind: one.kind,
      name: one.metadata.name,
      namespace: one.metadata.namespace,
    }));
  const timeout = asRecord(draft.object["spec"])["restoreTimeout"];
  draft.status["restoreDeadline"] ??= deadlineOf(timeout, world.now);
  return true;
}

function settle({ draft, world }: RunningRestore): boolean {
  const since = Date.parse(
    draft.condition("RestoreExecutorEnsured")?.lastTransitionTime ?? timeText(world.now),
  );
  draft.status["duration"] ??= formatDuration(Math.max(0, world.now - since));
  draft.status["pausedBackups"] = [];
  draft.setCondition("MetricsPushed", true, "SuccessfullyPushedMetrics", "no metrics sink is configured");
  return true;
}

function planFinal(draft: Draft, world: World): Turn {
  letGoOfJobs(draft, world);
  removeAccess(draft, "its restore has ended", world);
  ensureRecorded(draft, world);
  return draft.turn("it has ended");
}

/** Its entry stays for ever: a name that ran never runs again. */
function planRemoval(draft: Draft, world: World): Turn {
  const jobs = jobsOfRestore(draft.object, world);
  for (const job of jobs.filter((one) => !isBeingDeleted(one)))
    draft.step({
      kind: "delete",
      ref: refOf(job),
      uid: job.metadata.uid ?? "",
      because: "its RestoreSession is being deleted",
    });
  const begun = jobs.length > 0 || draft.condition("RestoreExecutorEnsured")?.status === "True";
  if (begun && !finalPhases.includes(phaseOf(draft.object))) {
    draft.status["phase"] = "Unknown";
    draft.setCondition("RestoreExecutorEnsured", true, "SuccessfullyEnsuredRestoreExecutor");
    draft.setCondition(
      "RestoreIncomplete",
      true,
      "RestoreExecutorTerminatedBeforeCompletion",
      "it was deleted while it ran",
    );
    return draft.turn("it is being deleted while it runs");
  }
  letGoOfJobs(draft, world);
  if (!isRecorded(draft, world)) return draft.turn("it is being deleted");
  draft.removeFinalizers([cleanupFinalizer, recordFinalizer], "its entry stays in the record");
  return draft.turn("it is being deleted");
}
