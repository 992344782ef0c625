import { snapshotConditions } from "../../../api/condition-types.ts";
import { cleanupFinalizer, recordFinalizer } from "../../../api/labels.ts";
import type { KubeObject } from "../../../api/meta.ts";
import { componentsPhase } from "../../../api/phases/components-phase.ts";
import { snapshotPhase } from "../../../api/phases/snapshot-phase.ts";
import { formatSize, parseSize } from "../../../api/size.ts";
import type { SnapshotStatus } from "../../../api/snapshot.ts";
import { asRecord, records } from "../../../base/json.ts";
import { ensureRecorded, isRecorded } from "../awaiting-record.ts";
import { timePassed } from "../deadline.ts";
import { forgottenBy } from "../deletion.ts";
import { Draft, type Turn } from "../draft.ts";
import { jobEnd } from "../executor-job.ts";
import { acceptedBeside, acceptShrink, goodBefore, losses } from "../shrink.ts";
import { conditionIs, phaseOf } from "../snapshots.ts";
import { ensureStored } from "../store.ts";
import { isBeingDeleted, type World } from "../world.ts";
import { jobsOfSession } from "./backup-jobs.ts";
import { storageOf } from "./repository.ts";
import { createdMs } from "./session-context.ts";

/** The life of a Snapshot after its components are there: guarded, put into the backend, listed, forgotten. */
export function planSnapshot(snapshot: KubeObject, world: World): Turn {
  const draft = new Draft(snapshot, world.now);
  const repository = repositoryOf(snapshot, world);
  if (isBeingDeleted(snapshot)) return planRemoval(draft, world);
  if (asRecord(snapshot["spec"])["paused"] === true) return draft.turn("it is paused");
  if (isComingBack(draft, world)) return draft.turn("it is coming back from its backend");
  closeComponents(draft, world);
  summarize(draft);
  if (componentsAreFinal(draft)) {
    judgePartial(draft);
    if (repository !== undefined) judgeShrink(draft, repository, world);
    publish(draft, repository, world);
  }
  draft.status["phase"] = phaseWhileUploading(draft) ?? snapshotPhase(draft.statusAs<SnapshotStatus>());
  if (["Succeeded", "Failed"].includes(String(draft.status["phase"]))) ensureRecorded(draft, world);
  tellShrink(draft);
  return draft.turn("its components were looked at");
}

export function repositoryOf(snapshot: KubeObject, world: World): KubeObject | undefined {
  const name = asRecord(snapshot["spec"])["repository"];
  return world.observed.named("Repository", snapshot.metadata.namespace, name);
}

type Json = Readonly<Record<string, unknown>>;

function componentsOf(draft: Draft): readonly (readonly [string, Json])[] {
  return Object.entries(asRecord(draft.status["components"])).map(([name, value]) => [name, asRecord(value)]);
}

function phaseOfComponents(draft: Draft): string {
  const { components, totalComponents } = draft.statusAs<SnapshotStatus>();
  return componentsPhase(components, totalComponents);
}

function componentsAreFinal(draft: Draft): boolean {
  const phase = phaseOfComponents(draft);
  return phase === "Succeeded" || phase === "Failed";
}

/** Re-attaching creates a Snapshot first and fills its status in then; until it has, nobody else may. */
const comingBackMs = 60_000;

function isComingBack(draft: Draft, world: World): boolean {
  if (draft.object["status"] !== undefined || sessionOf(draft.object, world) !== undefined) return false;
  const untilMs = Date.parse(draft.object.metadata.creationTimestamp ?? "") + comingBackMs;
  draft.wakeAt(untilMs);
  return world.now < untilMs;
}

function sessionOf(snapshot: KubeObject, world: World): KubeObject | undefined {
  const name = asRecord(snapshot["spec"])["backupSession"];
  return world.observed.named("BackupSession", snapshot.metadata.namespace, name);
}

/**
 * The session's Jobs are over, were never made, or ran out of time: components that are not final by then never
 * will be, and a Snapshot must not stay Running for ever.
 */
function closeComponents(draft: Draft, world: World): void {
  if (["Succeeded", "Failed"].includes(phaseOf(draft.object))) return;
  const session = sessionOf(draft.object, world);
  const jobs = session === undefined ? [] : jobsOfSession(session, world);
  // Until all of its Jobs are made, those that are there do not say how many components there will be.
  const made = session !== undefined && conditionIs(session, "BackupExecutorEnsured", "True");
  if (made && jobs.length > 0) draft.status["totalComponents"] ??= jobs.length;
  const final = componentsOf(draft).filter(([, component]) =>
    ["Succeeded", "Failed"].includes(String(component["phase"])),
  );
  const total = Number(draft.status["totalComponents"] ?? 0);
  if (total > 0 && final.length >= total) return;
  const reason = reasonItCannotEnd(session, jobs, world);
  if (reason !== undefined)
    draft.setCondition("BackupIncomplete", true, "BackupExecutorTerminatedBeforeCompletion", reason);
}

function reasonItCannotEnd(
  session: KubeObject | undefined,
  jobs: readonly KubeObject[],
  world: World,
): string | undefined {
  if (session === undefined) return "its BackupSession is gone";
  const status = asRecord(session["status"]);
  const executor = records(status["conditions"]).find((one) => one["type"] === "BackupExecutorEnsured");
  if (["Succeeded", "Failed", "Skipped"].includes(phaseOf(session)))
    return `its BackupSession ended as ${phaseOf(session)} without it`;
  if (executor?.["status"] === "False") return String(executor["message"]);
  // Before its Jobs are looked at: what the API server refuses to make never gets as far.
  const over = timePassed(session, status, world.now);
  if (over !== undefined) return over;
  if (executor === undefined || executor["status"] === "Unknown") return undefined;
  if (jobs.length === 0) return "its Job is gone";
  const ends = jobs.map((job) => jobEnd(job, world));
  if (ends.some((end) => end.kind === "running")) return undefined;
  const words = ends
    .map((end) => (end.kind === "failed" ? end.message : ""))
    .find((message) => message !== "");
  return words ?? "its Job ended without a report";
}

function summarize(draft: Draft): void {
  const components = componentsOf(draft).map(([, component]) => component);
  if (components.length === 0) return;
  const sizes = components.map((one) => parseSize(String(one["size"] ?? "")) ?? 0);
  draft.status["size"] = formatSize(sizes.reduce((sum, bytes) => sum + bytes, 0));
  const integrities = components.filter((one) => one["driver"] === "Restic").map((one) => one["integrity"]);
  if (integrities.length > 0 && integrities.every((one) => typeof one === "boolean"))
    draft.status["integrity"] = integrities.every(Boolean);
  const started = components.flatMap((one) =>
    records(one["resticStats"]).map((stats) => String(asRecord(stats["summary"])["startTime"] ?? "")),
  );
  const first = started.filter((time) => time !== "").sort()[0];
  draft.status["snapshotTime"] ??= first ?? draft.object.metadata.creationTimestamp;
}

/** A part of the source is missing: Failed, and restorable by name only (promise 2). */
function judgePartial(draft: Draft): void {
  const missing = componentsOf(draft).flatMap(([name, component]) =>
    (Array.isArray(asRecord(component["proof"])["missing"])
      ? (asRecord(component["proof"])["missing"] as unknown[])
      : []
    ).map((text) => `${name}: ${String(text)}`),
  );
  if (missing.length > 0)
    draft.setCondition("Partial", true, snapshotConditions.partial.whenTrue, missing.slice(0, 5).join("; "));
}

/**
 * Promise 8: none or under half of the last good one, or a component less. Judged once, when the components end, and again only to take
 * a person's acceptance: what is good later must not change what was found then.
 */
function judgeShrink(draft: Draft, repository: KubeObject, world: World): void {
  if (phaseOfComponents(draft) !== "Succeeded") return;
  const { type, whenTrue, whenFalse } = snapshotConditions.sourceShrunk;
  const judged = draft.condition(type);
  if (judged?.status === "False") return;
  const now = { ...draft.object, status: draft.status };
  const isAsked = (component: string) => isAskedFor(component, draft.object, world);
  const named = acceptedShrink(draft.object, world) ? draft.object : undefined;
  const accepted = named ?? (judged && acceptedBeside(now, repository, { world, isAsked }));
  if (accepted !== undefined) {
    const name = accepted.metadata.name;
    const message = named
      ? `${acceptShrink} names ${name}`
      : `it lacks nothing beside ${name}, which is accepted`;
    if (judged !== undefined) draft.setCondition(type, false, whenFalse, message);
    return;
  }
  if (judged !== undefined || draft.condition("SnapshotMetadataUploaded") !== undefined) return;
  const found = losses(now, goodBefore(now, repository, world), isAsked);
  if (found.length === 0) return;
  const message = `${found.join("; ")}. It is kept, is never "latest", and retention stands still`;
  draft.setCondition(type, true, whenTrue, message);
}

/**
 * Whether the declaration still has a task for a component: what a person took out of it in Git is not lost. A pod, a
 * node or a replica less is lost until a person accepts it, whoever scaled it down.
 */
function isAskedFor(component: string, snapshot: KubeObject, world: World): boolean {
  const session = sessionOf(snapshot, world);
  const { name } = asRecord(asRecord(session?.["spec"])["invoker"]);
  const configuration = world.observed.named("BackupConfiguration", snapshot.metadata.namespace, name);
  const declared = records(asRecord(configuration?.["spec"])["sessions"]).find(
    (one) => one["name"] === asRecord(snapshot["spec"])["session"],
  );
  if (declared === undefined) return true;
  const isManifest = (text: string) => text.startsWith("manifest");
  return records(asRecord(declared["addon"])["tasks"]).some(
    (task) => isManifest(String(task["name"])) === isManifest(component),
  );
}

/** Said in every pass until somebody decides: retention stands still meanwhile. */
function tellShrink(draft: Draft): void {
  const shrunk = draft.condition(snapshotConditions.sourceShrunk.type);
  if (shrunk?.status !== "True") return;
  draft.problem({
    severity: "warning",
    reason: "SourceShrunk",
    message: shrunk.message ?? "its source shrank",
    next: `restore what is missing, or declare ${acceptShrink}: ${draft.object.metadata.name} on its BackupConfiguration`,
  });
}

/** Accepted by the annotation on the BackupConfiguration of its session, which is declared in Git. */
function acceptedShrink(snapshot: KubeObject, world: World): boolean {
  return world.observed
    .list("BackupConfiguration", snapshot.metadata.namespace)
    .some((configuration) =>
      (configuration.metadata.annotations?.[acceptShrink] ?? "")
        .split(",")
        .some((name) => name.trim() === snapshot.metadata.name),
    );
}

/** Into the backend's snapshots/ folder, then into the Repository's list: both gate the phase. */
function publish(draft: Draft, repository: KubeObject | undefined, world: World): void {
  const uploaded = draft.condition("SnapshotMetadataUploaded");
  if (uploaded?.status !== "True") {
    if (!isFinal(draft.object)) upload(draft, repository, world);
    return;
  }
  const listed = records(asRecord(repository?.["status"])["recentSnapshots"]).some(
    (one) => one["name"] === draft.object.metadata.name,
  );
  if (listed) draft.setCondition("RecentSnapshotListUpdated", true, "SuccessfullyUpdatedRecentSnapshotList");
}

function isFinal(snapshot: KubeObject): boolean {
  return ["Succeeded", "Failed"].includes(phaseOf(snapshot));
}

/** A backend that is away for a moment must not undo a backup; one that stays away must not hold it for ever. */
const uploadWindowMs = 600_000;

/** Tried at least once, and again until the window has passed; what has not been uploaded by then has failed. */
function upload(draft: Draft, repository: KubeObject | undefined, world: World): void {
  const storage = repository === undefined ? undefined : storageOf(repository, world);
  const untilMs = dataEndedMs(draft) + uploadWindowMs;
  const over = world.now >= untilMs;
  const ready = storage !== undefined && phaseOf(storage) === "Ready";
  if (repository !== undefined && ready && !(over && draft.condition("SnapshotMetadataUploaded"))) {
    const status = { ...draft.status };
    ensureStored(
      draft,
      {
        storage,
        write: { do: "snapshot", repository, snapshot: { ...draft.object, status } },
        condition: "SnapshotMetadataUploaded",
        whenTrue: "SuccessfullyUploadedSnapshotMetadata",
        whenFalse: "FailedToUploadSnapshotMetadata",
        because:
          "a finished Snapshot is kept in the backend too, so that it can be found without this cluster",
      },
      world,
    );
  } else if (over && draft.condition("SnapshotMetadataUploaded") === undefined) {
    const message = "its Repository or BackupStorage has not been Ready since its data was taken";
    draft.setCondition("SnapshotMetadataUploaded", false, "FailedToUploadSnapshotMetadata", message);
  }
  if (!over) draft.wakeAt(untilMs);
}

/** When the last component ended, as far as restic has said so. */
function dataEndedMs(draft: Draft): number {
  const ends = componentsOf(draft).flatMap(([, component]) =>
    records(component["resticStats"]).map((stats) =>
      Date.parse(String(asRecord(stats["summary"])["endTime"])),
    ),
  );
  const known = [...ends, Date.parse(String(draft.status["snapshotTime"]))].filter((ms) => !Number.isNaN(ms));
  return known.length === 0 ? createdMs(draft.object) : Math.max(...known);
}

/**
 * A failed upload is tried again for a while: until then the Snapshot still runs, and no final phase is taken back.
 * Not so where no component has saved anything: there is nothing to be found in the backend later.
 */
function phaseWhileUploading(draft: Draft): string | undefined {
  if (isFinal(draft.object)) return phaseOf(draft.object);
  const failed = draft.condition("SnapshotMetadataUploaded")?.status === "False" && !savedNothing(draft);
  return failed && draft.nowMs < dataEndedMs(draft) + uploadWindowMs ? "Running" : undefined;
}

function savedNothing(draft: Draft): boolean {
  const components = componentsOf(draft);
  const everyOne = components.length >= Number(draft.status["totalComponents"] ?? Number.POSITIVE_INFINITY);
  const partial = draft.condition("Partial")?.status === "True";
  return everyOne && !partial && components.every(([, component]) => component["phase"] === "Failed");
}

/**
 * Retention forgets the data before it deletes a Snapshot. Any other deletion keeps the data, whatever the policy
 * says: nothing that could be consented to in Git stands behind it (promise 4). Its entry stays in the record.
 */
function planRemoval(draft: Draft, world: World): Turn {
  const forgotten = draft.object.metadata.annotations?.[forgottenBy] !== undefined;
  if (!forgotten && !isRecorded(draft, world)) return draft.turn("it is being deleted");
  if (!forgotten && asRecord(draft.object["spec"])["deletionPolicy"] === "WipeOut")
    draft.problem({
      severity: "warning",
      reason: "WipeOutNotAllowed",
      message: "its deletionPolicy WipeOut acts as Delete: only retention removes a snapshot's data",
      next: "let a RetentionPolicy remove it, or forget it with restic",
    });
  draft.removeFinalizers(
    [cleanupFinalizer, recordFinalizer],
    forgotten ? "its data is forgotten" : "its data stays in the backend",
  );
  return draft.turn("it is being deleted");
}
