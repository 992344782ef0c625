import { backupSessionConditions } from "../../../api/condition-types.ts";
import { cleanupFinalizer, labelValue, offshootLabels, recordFinalizer } from "../../../api/labels.ts";
import { type KubeObject, ownerOf, refOf } from "../../../api/meta.ts";
import { snapshotName } from "../../../api/names.ts";
import { ulidOf } from "../../../api/ulid.ts";
import { asRecord, records } from "../../../base/json.ts";
import { createMissing } from "../create-missing.ts";
import { declaredCommit, declaredFile } from "../deletion.ts";
import { phaseOf } from "../snapshots.ts";
import { targetOf } from "../targets.ts";
import type { World } from "../world.ts";
import { createdMs, type SessionContext } from "./session-context.ts";

/** A Snapshot per Repository of the session, by a name that follows from both. */
export function ensureSnapshots(context: SessionContext): boolean {
  const { draft, world } = context;
  if (draft.condition("SnapshotsEnsured")?.status === "True") {
    // Made once: what becomes of a Repository later must not undo that the session has begun.
    mirrorPhases(context);
    return true;
  }
  const wanted = wantedSnapshots(context);
  const { snapshotsEnsured: condition } = backupSessionConditions;
  const failed = (reason: string) => {
    draft.setCondition(condition.type, false, condition.whenFalse, reason);
    return true;
  };
  if (typeof wanted === "string") return failed(wanted);
  const because = "each Repository of the session gets one";
  const { objects, tooLate } = createMissing(draft, { wanted, condition, because }, world);
  if (tooLate !== undefined) return failed(tooLate);
  if (objects.length > 0)
    return draft.wait("its Snapshots", Date.parse(String(draft.status["backupDeadline"])));
  draft.setCondition("SnapshotsEnsured", true, "SuccessfullyEnsuredSnapshots");
  draft.status["totalSnapshots"] = wanted.length;
  draft.status["snapshots"] = wanted.map((one) => snapshotStatus(one, world));
  // Jobs read this list, so they are made in a later pass that has observed it.
  return draft.wait("its list of Snapshots");
}

function wantedSnapshots({
  draft,
  configuration,
  session,
  world,
}: SessionContext): readonly KubeObject[] | string {
  const wanted: KubeObject[] = [];
  for (const request of records(session["repositories"])) {
    const repository = world.observed.named("Repository", draft.object.metadata.namespace, request["name"]);
    if (repository === undefined) return `Repository ${String(request["name"])} does not exist`;
    if (phaseOf(repository) !== "Ready") return `Repository ${String(request["name"])} is not Ready`;
    wanted.push(newSnapshot(draft.object, configuration, repository));
  }
  return wanted;
}

function newSnapshot(
  backupSession: KubeObject,
  configuration: KubeObject,
  repository: KubeObject,
): KubeObject {
  const name = snapshotName(repository.metadata.name, backupSession.metadata.name);
  const target = targetOf(configuration);
  const appRef = target ?? { apiGroup: "na", name: "na" };
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "Snapshot",
    metadata: {
      name,
      namespace: backupSession.metadata.namespace ?? "",
      labels: {
        ...offshootLabels(repository),
        "kubestash.com/repo-name": labelValue(repository.metadata.name),
        "kubestash.com/app-ref-kind": target?.kind ?? "",
        "kubestash.com/app-ref-name": labelValue(target?.name ?? ""),
        "kubestash.com/app-ref-namespace":
          target === undefined ? "" : (target.namespace ?? configuration.metadata.namespace ?? ""),
      },
      annotations: declarationOf(backupSession),
      ownerReferences: [ownerOf(repository)],
      finalizers: [cleanupFinalizer, recordFinalizer],
    },
    spec: {
      snapshotID: ulidOf(
        `${backupSession.metadata.uid}/${repository.metadata.name}`,
        createdMs(backupSession),
      ),
      type: "FullBackup",
      version: "v1",
      repository: repository.metadata.name,
      session: asRecord(backupSession["spec"])["session"],
      backupSession: backupSession.metadata.name,
      deletionPolicy: "Delete",
      appRef,
    },
  };
}

/** The commit and file that its session names. */
function declarationOf(backupSession: KubeObject): Readonly<Record<string, string>> {
  const { annotations = {} } = backupSession.metadata;
  const named = [declaredCommit, declaredFile].map((name) => [name, annotations[name]] as const);
  return Object.fromEntries(named.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function snapshotStatus(snapshot: KubeObject, world: World): Readonly<Record<string, unknown>> {
  const live = world.observed.get(refOf(snapshot)) ?? snapshot;
  const spec = asRecord(snapshot["spec"]);
  return {
    name: snapshot.metadata.name,
    phase: phaseOf(live) || "Pending",
    appRef: spec["appRef"],
    repository: spec["repository"],
  };
}

/** The live Snapshots of a session, as its status lists them. */
export function snapshotsOfSession({ draft, world }: SessionContext): readonly KubeObject[] {
  const names = records(draft.status["snapshots"]).map((one) => one["name"]);
  return world.observed
    .list("Snapshot", draft.object.metadata.namespace)
    .filter((one) => names.includes(one.metadata.name));
}

function mirrorPhases(context: SessionContext): void {
  const live = snapshotsOfSession(context);
  context.draft.status["snapshots"] = records(context.draft.status["snapshots"]).map((listed) => {
    const snapshot = live.find((one) => one.metadata.name === listed["name"]);
    // A Snapshot that somebody removed meanwhile can never end: the session must not run for ever.
    return { ...listed, phase: snapshot === undefined ? "Failed" : phaseOf(snapshot) || "Pending" };
  });
}
