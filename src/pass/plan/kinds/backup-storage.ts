import { cleanupFinalizer } from "../../../api/labels.ts";
import { type KubeObject, refOf } from "../../../api/meta.ts";
import { backupStoragePhase } from "../../../api/phases/backup-storage-phase.ts";
import { formatSize, parseSize } from "../../../api/size.ts";
import { asRecord, records } from "../../../base/json.ts";
import { mayWipeOut, outOfReach, storageSecret, tellLeftBehind } from "../deletion.ts";
import { Draft, type Turn } from "../draft.ts";
import { removeAccess } from "../job-access.ts";
import { ensureStored } from "../store.ts";
import { tellUnsupported } from "../unsupported.ts";
import { isBeingDeleted, type World } from "../world.ts";

/** The life of a BackupStorage: Secret found, metadata.yaml written or read back, totals kept, cleaned up. */
export function planBackupStorage(storage: KubeObject, world: World): Turn {
  const draft = new Draft(storage, world.now);
  if (isBeingDeleted(storage)) return planRemoval(draft, world);
  tellUnsupported(draft, world);
  const refusal = refusedProvider(storage);
  if (refusal !== undefined) {
    draft.setCondition("BackendInitialized", false, "NotSupportedYet", refusal);
  } else if (draft.ensureFinalizers([cleanupFinalizer]) && secretFound(draft, world)) {
    reconsider(draft, world);
    ensureStored(
      draft,
      { storage, write: { do: "initialize" }, condition: "BackendInitialized", ...initialized },
      world,
    );
  }
  summarize(draft, world);
  return draft.turn("its backend was looked at");
}

const initialized = {
  whenTrue: "BackendInitializationSucceeded",
  whenFalse: "BackendInitializationFailed",
  because: "its backend needs a metadata.yaml, or has one that brings its repositories back",
};

function refusedProvider(storage: KubeObject): string | undefined {
  const provider = String(asRecord(asRecord(storage["spec"])["storage"])["provider"] ?? "");
  return provider === "local" || provider === "s3"
    ? undefined
    : `provider ${provider || "(none)"} is not supported by this release`;
}

function secretFound(draft: Draft, world: World): boolean {
  const name = storageSecret(draft.object);
  if (name === undefined) {
    draft.dropCondition("BackendSecretFound");
    return true;
  }
  const { namespace } = draft.object.metadata;
  const found = world.observed.get({
    apiVersion: "v1",
    kind: "Secret",
    name,
    ...(namespace ? { namespace } : {}),
  });
  if (found !== undefined && found["unreadable"] !== true) {
    draft.setCondition("BackendSecretFound", true, "BackendSecretAvailable");
    return true;
  }
  const message = `Secret ${namespace}/${name} ${found === undefined ? "does not exist" : "cannot be read"}`;
  draft.setCondition("BackendSecretFound", false, "BackendSecretNotAvailable", message);
  draft.problem({
    severity: "error",
    reason: "BackendSecretNotAvailable",
    message,
    next:
      found === undefined
        ? "create the Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        : "allow the account that Holdfast uses to get this Secret",
  });
  return false;
}

/** A repository that could not be brought back because its namespace was missing is tried again once that is there. */
function reconsider(draft: Draft, world: World): void {
  const back = unsynced(draft).some(
    (one) =>
      world.observed.get({ apiVersion: "v1", kind: "Namespace", name: String(one["namespace"]) }) !==
      undefined,
  );
  const condition = draft.condition("BackendInitialized");
  const age = world.now - Date.parse(condition?.lastTransitionTime ?? "1970-01-01T00:00:00Z");
  const moved =
    condition?.observedGeneration !== undefined &&
    condition.observedGeneration !== draft.object.metadata.generation;
  if (condition?.status === "True" && (moved || (back && age > 60_000)))
    draft.dropCondition("BackendInitialized");
}

function unsynced(draft: Draft): readonly Readonly<Record<string, unknown>>[] {
  return records(draft.status["repositories"]).filter((one) => one["synced"] === false);
}

export function repositoriesOf(storage: KubeObject, world: World): readonly KubeObject[] {
  return world.observed.list("Repository").filter((repository) => {
    const reference = asRecord(asRecord(repository["spec"])["storageRef"]);
    const namespace = reference["namespace"] ?? repository.metadata.namespace;
    return reference["name"] === storage.metadata.name && namespace === storage.metadata.namespace;
  });
}

function summarize(draft: Draft, world: World): void {
  const present = repositoriesOf(draft.object, world);
  const known = present.map((repository) => ({
    name: repository.metadata.name,
    namespace: repository.metadata.namespace,
    path: asRecord(repository["spec"])["path"],
    ...(asRecord(repository["status"])["size"] === undefined
      ? {}
      : { size: asRecord(repository["status"])["size"] }),
    synced: true,
  }));
  const missing = unsynced(draft).filter(
    (one) => !known.some((other) => other.name === one["name"] && other.namespace === one["namespace"]),
  );
  draft.status["repositories"] = [...known, ...missing];
  const bytes = known.reduce((sum, one) => sum + (parseSize(String(one.size ?? "")) ?? 0), 0);
  draft.status["totalSize"] = formatSize(bytes);
  draft.status["phase"] = backupStoragePhase({ conditions: draft.conditions() });
}

/**
 * Its Repositories go first (their data stays), then with consent everything under its prefix, then itself.
 * Without consent WipeOut acts as Delete and says so (promise 4).
 */
function planRemoval(draft: Draft, world: World): Turn {
  const storage = draft.object;
  const repositories = repositoriesOf(storage, world);
  for (const repository of repositories.filter((one) => !isBeingDeleted(one)))
    draft.step({
      kind: "delete",
      ref: refOf(repository),
      uid: repository.metadata.uid ?? "",
      because: "its BackupStorage is being deleted",
    });
  if (repositories.length > 0) {
    draft.wait(`${repositories.length} Repository object(s) to go`);
    return draft.turn("it is being deleted");
  }
  const wipe = mayWipeOut(draft, asRecord(storage["spec"])["deletionPolicy"]);
  const reason = wipe ? outOfReach(storage, storage, world) : undefined;
  if (reason !== undefined) tellLeftBehind(draft, reason, "its whole prefix");
  else if (wipe && storage.metadata.finalizers?.includes(cleanupFinalizer)) {
    const gone = ensureStored(
      draft,
      {
        storage,
        write: { do: "wipe", directory: "" },
        condition: "BackendWiped",
        whenTrue: "WipeOutSucceeded",
        whenFalse: "WipeOutFailed",
        because: "deletionPolicy WipeOut, with consent",
      },
      world,
    );
    if (!gone) return draft.turn("it is being deleted");
  }
  // What stands in no namespace has no owner that could take it along.
  removeAccess(draft, "its BackupStorage is being deleted", world);
  const wiped = wipe && reason === undefined;
  draft.removeFinalizers([cleanupFinalizer], wiped ? "its data is wiped" : "its data stays in the backend");
  return draft.turn("it is being deleted");
}
