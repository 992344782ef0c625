import { timeText } from "../../../api/conditions.ts";
import { snapshotTime } from "../../../api/good-snapshot.ts";
import { cleanupFinalizer } from "../../../api/labels.ts";
import { type KubeObject, nameOf, refOf } from "../../../api/meta.ts";
import { repositoryPhase } from "../../../api/phases/repository-phase.ts";
import { formatSize, parseSize } from "../../../api/size.ts";
import { asRecord } from "../../../base/json.ts";
import { mayWipeOut, outOfReach, tellLeftBehind } from "../deletion.ts";
import { Draft, type Turn } from "../draft.ts";
import { phaseOf, snapshotsOf } from "../snapshots.ts";
import { ensureStored } from "../store.ts";
import { isBeingDeleted, type World } from "../world.ts";

export type SecretName = { readonly namespace: string; readonly name: string };

/** The life of a Repository: repository.yaml written or read back, figures kept, cleaned up. */
export function planRepository(repository: KubeObject, world: World): Turn {
  const draft = new Draft(repository, world.now);
  if (isBeingDeleted(repository)) return planRemoval(draft, world);
  const paused = asRecord(repository["spec"])["paused"] === true;
  if (!paused && draft.ensureFinalizers([cleanupFinalizer])) initialize(draft, world);
  summarize(draft, world);
  return draft.turn("its snapshots were looked at");
}

export function storageOf(repository: KubeObject, world: World): KubeObject | undefined {
  return storageAt(asRecord(repository["spec"])["storageRef"], repository.metadata.namespace ?? "", world);
}

/** What a storageRef means to an object of the namespace. */
export function storageAt(
  reference: unknown,
  namespace: string,
  { observed }: World,
): KubeObject | undefined {
  const { name, namespace: where = namespace } = asRecord(reference);
  return observed.named("BackupStorage", String(where), name);
}

function initialize(draft: Draft, world: World): void {
  const repository = draft.object;
  const storage = storageOf(repository, world);
  if (storage === undefined || phaseOf(storage) !== "Ready") return;
  ensureStored(
    draft,
    {
      storage,
      write: { do: "repository", repository },
      condition: "RepositoryInitialized",
      whenTrue: "RepositoryInitializationSucceeded",
      whenFalse: "RepositoryInitializationFailed",
      because: "its directory needs a repository.yaml, or has one that brings its snapshots back",
    },
    world,
  );
}

const recentLimit = 5;

function summarize(draft: Draft, world: World): void {
  const snapshots = snapshotsOf(draft.object, world);
  const succeeded = snapshots.filter((snapshot) => phaseOf(snapshot) === "Succeeded");
  const newest = succeeded[0];
  const componentPaths = new Map<string, number>();
  for (const snapshot of snapshots) {
    for (const component of Object.values(asRecord(asRecord(snapshot["status"])["components"]))) {
      const { path, size } = asRecord(component);
      if (typeof path === "string" && !componentPaths.has(path))
        componentPaths.set(path, parseSize(String(size ?? "")) ?? 0);
    }
  }
  const integrities = succeeded
    .map((snapshot) => asRecord(snapshot["status"])["integrity"])
    .filter((one) => one !== undefined);
  draft.status["snapshotCount"] = snapshots.length;
  draft.status["size"] = formatSize([...componentPaths.values()].reduce((sum, bytes) => sum + bytes, 0));
  draft.status["componentPaths"] = [...componentPaths.keys()].sort();
  draft.status["recentSnapshots"] = snapshots.slice(0, recentLimit).map((snapshot) => {
    const status = asRecord(snapshot["status"]);
    return {
      name: snapshot.metadata.name,
      phase: status["phase"] ?? "Pending",
      session: asRecord(snapshot["spec"])["session"],
      ...(status["size"] === undefined ? {} : { size: status["size"] }),
      snapshotTime: status["snapshotTime"] ?? snapshot.metadata.creationTimestamp,
    };
  });
  if (newest !== undefined) draft.status["lastBackupTime"] = timeText(snapshotTime(newest));
  if (integrities.length > 0) draft.status["integrity"] = integrities.every((one) => one === true);
  draft.status["phase"] = repositoryPhase({ conditions: draft.conditions() });
}

/** Its Snapshot objects go with it; its data only by WipeOut with consent. */
function planRemoval(draft: Draft, world: World): Turn {
  const repository = draft.object;
  const snapshots = snapshotsOf(repository, world);
  const storage = storageOf(repository, world);
  for (const snapshot of snapshots.filter((one) => !isBeingDeleted(one)))
    draft.step({
      kind: "delete",
      ref: refOf(snapshot),
      uid: snapshot.metadata.uid ?? "",
      because: "its Repository is being deleted; the data stays",
    });
  if (snapshots.length > 0) {
    draft.wait(`${snapshots.length} Snapshot object(s) to go`);
    return draft.turn("it is being deleted");
  }
  const { deletionPolicy, path } = asRecord(repository["spec"]);
  const wipe = mayWipeOut(draft, deletionPolicy) && typeof path === "string" && path !== "";
  const reason = wipe ? outOfReach(repository, storage, world) : undefined;
  if (reason !== undefined) tellLeftBehind(draft, reason, String(path));
  else if (wipe && storage !== undefined) {
    const request = {
      storage,
      write: { do: "wipe", directory: path },
      condition: "RepositoryWiped",
      whenTrue: "WipeOutSucceeded",
      whenFalse: "WipeOutFailed",
      because: `deletionPolicy WipeOut of ${nameOf(refOf(repository))}, with consent`,
    } as const;
    if (!ensureStored(draft, request, world)) return draft.turn("it is being deleted");
  }
  const wiped = wipe && reason === undefined;
  draft.removeFinalizers([cleanupFinalizer], wiped ? "its data is wiped" : "its data stays in the backend");
  return draft.turn("it is being deleted");
}

/** Whether the storage that its Jobs need is there; the sentence says what is not. */
export function repositoryObstacle(repository: KubeObject, world: World): string | undefined {
  const storage = storageOf(repository, world);
  if (storage === undefined) return `BackupStorage of Repository ${repository.metadata.name} does not exist`;
  if (phaseOf(storage) !== "Ready") return `BackupStorage ${storage.metadata.name} is not Ready`;
  if (phaseOf(repository) !== "Ready") return `Repository ${repository.metadata.name} is not Ready`;
  return undefined;
}

export function encryptionSecretOf(repository: KubeObject): SecretName | undefined {
  return secretAt(asRecord(repository["spec"])["encryptionSecret"], repository.metadata.namespace ?? "");
}

/** What an encryptionSecret means to an object of the namespace; an empty text is the same as none. */
export function secretAt(reference: unknown, namespace: string): SecretName | undefined {
  const { name, namespace: where } = asRecord(reference);
  return typeof name === "string" && name !== ""
    ? { name, namespace: String(where || namespace) }
    : undefined;
}
