import { backupSessionConditions } from "../../../api/condition-types.ts";
import { timeText } from "../../../api/conditions.ts";
import { parseRetentionPeriod } from "../../../api/duration.ts";
import { isGood, snapshotTime } from "../../../api/good-snapshot.ts";
import { offshootLabels, recordFinalizer } from "../../../api/labels.ts";
import { type KubeObject, ownerOf, refOf } from "../../../api/meta.ts";
import { nameOfParts } from "../../../api/names.ts";
import { asRecord, isFields, records } from "../../../base/json.ts";
import { forgottenBy } from "../deletion.ts";
import { jobEnd, removeStuck } from "../executor-job.ts";
import { accessFor } from "../job-access.ts";
import { localVolume } from "../local-volume.ts";
import { backendOf } from "../repository-requests.ts";
import { type RetentionRule, type RetentionSnapshot, staleSnapshots } from "../retention.ts";
import { conditionIs, phaseOf, snapshotsOf } from "../snapshots.ts";
import { isBeingDeleted } from "../world.ts";
import { encryptionSecretOf, storageOf } from "./repository.ts";
import type { SessionContext } from "./session-context.ts";
import { snapshotsOfSession } from "./session-snapshots.ts";

type Json = Readonly<Record<string, unknown>>;
const ensured = backupSessionConditions.retentionPolicyExecutorEnsured;

type Applied = { readonly phase: "Pending" | "Applied" | "FailedToApply"; readonly error?: string };
/** Why the Job of a Repository was not made and will not be. */
type NotMade = { readonly notMade: string };

/**
 * The RetentionPolicy of each Repository of the session, once its Snapshots have ended: restic forgets and prunes
 * the stale ones in a Job, then their objects go. Held while the source has shrunk and nobody accepted it.
 */
export function applyRetention(context: SessionContext): boolean {
  const { draft, session, world } = context;
  if (draft.condition(ensured.type) !== undefined && !pending(draft.status)) return true;
  const results: Json[] = [];
  const notMade: string[] = [];
  let waiting = false;
  let starting = false;
  for (const request of records(session["repositories"])) {
    const repository = world.observed.named("Repository", draft.object.metadata.namespace, request["name"]);
    const policy = policyOf(context, request);
    if (repository === undefined || policy === undefined) continue;
    const applied = applyTo(context, repository, policy);
    if (applied === "running" || applied === "starting") {
      waiting = true;
      starting ||= applied === "starting";
      continue;
    }
    const gaveUp = "notMade" in applied;
    if (gaveUp) notMade.push(applied.notMade);
    results.push({
      ref: { name: policy.metadata.name, namespace: policy.metadata.namespace },
      repository: repository.metadata.name,
      ...(gaveUp ? { phase: "FailedToApply", error: applied.notMade } : applied),
    });
  }
  // What was refused and is made now is refused no longer; the words of what was given up are still needed.
  if (waiting && !starting && notMade.length === 0) draft.dropCondition(ensured.type);
  if (waiting) return draft.wait("retention");
  draft.status["retentionPolicy"] = results;
  if (notMade.length === 0) draft.setCondition(ensured.type, true, ensured.whenTrue);
  else draft.setCondition(ensured.type, false, ensured.whenFalse, notMade.join("; "));
  return true;
}

/** Set when retention had not run yet for some repository. */
function pending(status: Json): boolean {
  return status["retentionPolicy"] === undefined;
}

function policyOf({ configuration, world }: SessionContext, request: Json): KubeObject | undefined {
  const backend = backendOf(configuration, request);
  const reference = asRecord(backend?.["retentionPolicy"]);
  const namespace = String(reference["namespace"] ?? configuration.metadata.namespace);
  return world.observed.named("RetentionPolicy", namespace, reference["name"]);
}

function applyTo(
  context: SessionContext,
  repository: KubeObject,
  policy: KubeObject,
): Applied | NotMade | "running" | "starting" {
  const { draft, world } = context;
  const snapshots = snapshotsOf(repository, world).filter((one) => !isBeingDeleted(one));
  const job = world.observed.get({
    apiVersion: "batch/v1",
    kind: "Job",
    namespace: draft.object.metadata.namespace ?? "",
    name: jobName(draft.object, repository),
  });
  if (job !== undefined) return followJob(context, job, snapshots);
  const shrunk = snapshots.find((one) => conditionIs(one, "SourceShrunk", "True"));
  if (shrunk !== undefined) {
    const error = `held: the source of Snapshot ${shrunk.metadata.name} shrank; nothing is removed until it is accepted`;
    return { phase: "Pending", error };
  }
  const awaitsRecord = new Set(
    snapshots
      .filter((one) => one.metadata.finalizers?.includes(recordFinalizer))
      .map((one) => one.metadata.name),
  );
  // What the record has not told yet is left to the next session.
  const stale = staleSnapshots(snapshots.flatMap(retentionView), ruleOf(policy), world.now).filter(
    (name) => !awaitsRecord.has(name),
  );
  if (stale.length === 0) return { phase: "Applied" };
  const storage = storageOf(repository, world);
  if (storage === undefined)
    return {
      phase: "FailedToApply",
      error: `BackupStorage of Repository ${repository.metadata.name} is gone`,
    };
  return startJob(context, { repository, storage, stale });
}

/** A Job without an end must not hold its session, and with it all later ones, for ever. */
const forgetSeconds = 86_400;

function jobName(session: KubeObject, repository: KubeObject): string {
  return nameOfParts("retentionpolicy", session.metadata.name, repository.metadata.name);
}

function retentionView(snapshot: KubeObject): readonly RetentionSnapshot[] {
  const phase = phaseOf(snapshot);
  if (phase !== "Succeeded" && phase !== "Failed") return [];
  const session = String(asRecord(snapshot["spec"])["session"]);
  const components = Object.keys(asRecord(asRecord(snapshot["status"])["components"]));
  return [
    {
      name: snapshot.metadata.name,
      phase,
      time: snapshotTime(snapshot),
      groups: components.map((component) => `${session}/${component}`),
      good: isGood(snapshot),
    },
  ];
}

function ruleOf(policy: KubeObject): RetentionRule {
  const spec = asRecord(policy["spec"]);
  const period = spec["maxRetentionPeriod"];
  return {
    maxPeriodMs: typeof period === "string" ? parseRetentionPeriod(period) : undefined,
    successful: isFields(spec["successfulSnapshots"])
      ? (spec["successfulSnapshots"] as RetentionRule["successful"])
      : undefined,
    failedLast: Number(asRecord(spec["failedSnapshots"])["last"] ?? 1),
  };
}

const staleList = "holdfast.dev/snapshots";

function followJob(
  context: SessionContext,
  job: KubeObject,
  snapshots: readonly KubeObject[],
): Applied | "running" {
  const { draft, world } = context;
  const end = jobEnd(job, world);
  if (end.kind === "running") return "running";
  removeStuck(draft, [job], world);
  if (end.kind === "failed") return { phase: "FailedToApply", error: end.message };
  const names = (job.metadata.annotations?.[staleList] ?? "").split(",");
  const left = snapshots.filter((one) => names.includes(one.metadata.name));
  for (const snapshot of left) removeForgotten(draft, snapshot, job.metadata.name);
  return left.length === 0 ? { phase: "Applied" } : "running";
}

/** First marked as forgotten, so that its removal knows that no data is left, then deleted. */
function removeForgotten(draft: SessionContext["draft"], snapshot: KubeObject, job: string): void {
  const because = "retention has forgotten its data";
  const ref = refOf(snapshot);
  if (snapshot.metadata.annotations?.[forgottenBy] === undefined)
    draft.step({
      kind: "patch",
      ref,
      resourceVersion: snapshot.metadata.resourceVersion ?? "",
      patch: { metadata: { annotations: { [forgottenBy]: job } }, spec: { deletionPolicy: "WipeOut" } },
      because,
    });
  else draft.step({ kind: "delete", ref, uid: snapshot.metadata.uid ?? "", because });
}

function startJob(context: SessionContext, forget: Forget): NotMade | "starting" {
  const { draft, world } = context;
  const { repository, storage, stale } = forget;
  const job = forgetJob(context, forget);
  const untilMs = mustBeginMs(context);
  if (world.now >= untilMs) {
    const refusal = draft.condition(ensured.type);
    // One condition tells of all Repositories of the session.
    const words = refusal?.status === "Unknown" ? ` (first refusal: ${refusal.message ?? ""})` : "";
    return {
      notMade: `Job ${job.metadata.name} could not be made until ${timeText(untilMs)}${words}; the next session tries again`,
    };
  }
  draft.wakeAt(untilMs);
  const encryption = encryptionSecretOf(repository);
  const because = `${stale.length} snapshot(s) of ${repository.metadata.name} are beyond the RetentionPolicy: ${stale.join(", ")}`;
  const access = accessFor(job, [storage], encryption === undefined ? [] : [encryption], world);
  if (typeof access === "string") return { notMade: access };
  const mark = draft.mark(ensured.type, ensured.whenTrue, ensured.whenFalse);
  for (const object of [...access, job])
    if (world.observed.get(refOf(object)) === undefined)
      draft.step({ kind: "create", object, mark, because });
  return "starting";
}

/** For as long the API server may refuse the Job, by a quota or an admission, until the session ends without it. */
const beginWindowMs = 1_800_000;

/** Counted from the deadline, and from the end of the Snapshots where a pass has come to see that later. */
function mustBeginMs(context: SessionContext): number {
  const ends = snapshotsOfSession(context)
    .flatMap((one) => records(asRecord(one["status"])["conditions"]))
    .map((one) => Date.parse(String(one["lastTransitionTime"])));
  return Math.max(Date.parse(String(context.draft.status["backupDeadline"])), ...ends) + beginWindowMs;
}

type Forget = {
  readonly repository: KubeObject;
  readonly storage: KubeObject;
  readonly stale: readonly string[];
};

function forgetJob({ draft, world }: SessionContext, { repository, storage, stale }: Forget): KubeObject {
  const local = localVolume(storage);
  const name = jobName(draft.object, repository);
  const namespace = draft.object.metadata.namespace ?? "";
  const { registry, repository: image, tag } = world.image;
  const labels = {
    ...offshootLabels(draft.object),
    "app.kubernetes.io/component": "kubestash-retention-policy",
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      namespace,
      labels,
      annotations: { [staleList]: stale.join(",") },
      ownerReferences: [ownerOf(draft.object)],
    },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: forgetSeconds,
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: "Never",
          serviceAccountName: name,
          volumes: [
            { name: "kubestash-tmp-volume", emptyDir: {} },
            ...(local === undefined ? [] : [local.volume]),
          ],
          containers: [
            {
              name: "retentionpolicy",
              image: `${registry}/${image}:${tag}`,
              args: [
                "job",
                "forget",
                `--namespace=${namespace}`,
                `--repository=${repository.metadata.name}`,
                `--snapshots=${stale.join(",")}`,
              ],
              volumeMounts: [
                { name: "kubestash-tmp-volume", mountPath: "/kubestash-tmp" },
                ...(local === undefined ? [] : [local.mount]),
              ],
              terminationMessagePolicy: "FallbackToLogsOnError",
            },
          ],
        },
      },
    },
  };
}
