import type { KubeObject } from "../../api/meta.ts";
import { asRecord, records } from "../../base/json.ts";
import type { Draft } from "./draft.ts";
import { localVolume } from "./local-volume.ts";
import { isBeingDeleted, type World } from "./world.ts";

/** On a Snapshot whose data retention has forgotten: the Job that did it. */
export const forgottenBy = "holdfast.dev/forgotten-by";
/** On a BackupSession and its Snapshots: the commit that was in force when Holdfast first saw the session. */
export const declaredCommit = "holdfast.dev/declared-commit";
/** Beside it: the file that declared the BackupConfiguration then. */
export const declaredFile = "holdfast.dev/declared-file";
export const allowWipeOut = "holdfast.dev/allow-wipe-out";

/**
 * Whether data may be removed with the object: policy WipeOut, and consent by its own name that Holdfast itself
 * applied from an accepted commit (promise 4). A hand-made annotation is no consent. Says so when there is none.
 */
export function mayWipeOut(draft: Draft, policy: unknown): boolean {
  if (policy !== "WipeOut") return false;
  const { metadata } = draft.object;
  const consent = hasConsent(draft.object);
  if (!consent)
    draft.problem({
      severity: "warning",
      reason: "WipeOutNotAllowed",
      message: `deletionPolicy WipeOut has no consent, so it acts as Delete and the data stays`,
      next: `declare the annotation ${allowWipeOut}: ${metadata.name} in a commit of its own before removing the object`,
    });
  return consent;
}

/** Its own name in the annotation, and the annotation applied by Holdfast: nobody else's hand consents. */
export function hasConsent({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[allowWipeOut] === metadata.name && appliedByHoldfast(metadata.managedFields);
}

function appliedByHoldfast(managedFields: unknown): boolean {
  return records(managedFields).some((entry) => {
    if (entry["manager"] !== "holdfast") return false;
    const annotations = asRecord(asRecord(asRecord(entry["fieldsV1"])["f:metadata"])["f:annotations"]);
    return annotations[`f:${allowWipeOut}`] !== undefined;
  });
}

/** Why the data of an object cannot be removed any more, however long one tries; undefined while it can. */
export function outOfReach(
  object: KubeObject,
  storage: KubeObject | undefined,
  world: World,
): string | undefined {
  if (storage === undefined) return "its BackupStorage is gone";
  if (localVolume(storage) !== undefined) {
    const name = object.metadata.namespace ?? "";
    const namespace = world.observed.get({ apiVersion: "v1", kind: "Namespace", name });
    return namespace === undefined || isBeingDeleted(namespace)
      ? `its namespace ${name} is being deleted, and no Job can be made there that mounts the volume`
      : undefined;
  }
  const { namespace } = storage.metadata;
  const name = storageSecret(storage);
  if (name === undefined) return undefined;
  const ref = { apiVersion: "v1", kind: "Secret", name, ...(namespace === undefined ? {} : { namespace }) };
  return world.observed.get(ref) === undefined
    ? `Secret ${namespace}/${name} of its BackupStorage is gone`
    : undefined;
}

/** Says what stays where it is, so that an object may go though its data cannot. */
export function tellLeftBehind(draft: Draft, why: string, where: string): void {
  draft.problem({
    severity: "warning",
    reason: "DataLeftBehind",
    message: `${why}, so its data under ${where} stays behind`,
    next: "remove the data in the backend by hand",
  });
}

/** Name of the Secret of an object store. */
export function storageSecret(storage: KubeObject): string | undefined {
  const name = asRecord(asRecord(asRecord(storage["spec"])["storage"])["s3"])["secretName"];
  return typeof name === "string" && name !== "" ? name : undefined;
}
