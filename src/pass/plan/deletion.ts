import type { Draft } from "./draft.ts";
import { asRecord, records } from "./targets.ts";

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
  const consent = metadata.annotations?.[allowWipeOut] === metadata.name && appliedByHoldfast(draft);
  if (!consent)
    draft.problem({
      severity: "warning",
      reason: "WipeOutNotAllowed",
      message: `deletionPolicy WipeOut has no consent, so it acts as Delete and the data stays`,
      next: `declare the annotation ${allowWipeOut}: ${metadata.name} in a commit of its own before removing the object`,
    });
  return consent;
}

function appliedByHoldfast(draft: Draft): boolean {
  return records(draft.object.metadata.managedFields).some((entry) => {
    if (entry["manager"] !== "holdfast") return false;
    const annotations = asRecord(asRecord(asRecord(entry["fieldsV1"])["f:metadata"])["f:annotations"]);
    return annotations[`f:${allowWipeOut}`] !== undefined;
  });
}
