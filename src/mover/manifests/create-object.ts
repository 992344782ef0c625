import type { KubeObject } from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { Kube, ObjectName } from "../../ports/kube/kube.ts";
import { isKubeError, KubeError } from "../../ports/kube/kube-error.ts";
import { fieldAt, fieldsAt } from "../storage/fields.ts";
import { pauseAfterConflict } from "./conflict-pause.ts";
import { fieldChanges } from "./field-changes.ts";
import { withFreeAddresses } from "./free-addresses.ts";
import { isMadeSince, isWrittenSince } from "./made-by-restore.ts";
import type { ObjectOutcome } from "./object-outcome.ts";
import type { ObjectWriter, Target } from "./object-writer.ts";
import { overlay } from "./overlay.ts";
import { type FieldValidation, withoutSilentLoss } from "./strict-fields.ts";

export type WriteResult = Pick<ObjectOutcome, "reason" | "notes" | "changes"> & {
  readonly did: "created" | "updated" | "same" | "conflict";
  readonly live: KubeObject;
};

export type CreateRequest = {
  readonly kube: Kube;
  readonly clock: Clock;
  readonly writer: ObjectWriter;
  readonly override: boolean;
  /** False when the cluster does not serve the version of the file. */
  readonly ownVersion: boolean;
  /** When an earlier request for it was sent that got no answer. */
  readonly sentAtMs: number | undefined;
  /** Of a Secret's fields that change; without it only their paths are told. */
  readonly showSecret?: (value: unknown) => string;
  readonly signal: AbortSignal;
};

const conflictAttempts = 6;
const otherContent = "it exists with other content, and objects that exist are not to be overwritten";

/**
 * Creates an object. One that exists stays as it is, or with `override` gets the dump's labels, annotations and
 * everything beside metadata and status. One that is being deleted is an error: it can come back later.
 */
export async function createObject(
  request: CreateRequest,
  resource: Target,
  object: KubeObject,
): Promise<WriteResult> {
  try {
    return await createOnce(request, resource, object);
  } catch (thrown) {
    if (!isKubeError(thrown, 409)) throw thrown;
    const live = await getLive(request, resource, object);
    if (live === undefined) throw thrown;
    if (request.sentAtMs !== undefined && isMadeSince(live, request.sentAtMs))
      return { did: "created", live };
    if (!request.override) return await compareWithLive(request, resource, object, live);
    const written = await replaceLive(request, resource, object, live);
    const late =
      written.did === "same" && request.sentAtMs !== undefined && isWrittenSince(live, request.sentAtMs);
    return late ? { ...written, did: "updated" } : written;
  }
}

async function createOnce(
  { writer, ownVersion }: CreateRequest,
  resource: Target,
  object: KubeObject,
): Promise<WriteResult> {
  const { answer, notes } = await sendWhole(object, ownVersion, (one, validation) =>
    writer.create(resource, one, validation),
  );
  const { live, unchecked } = answer;
  return {
    did: "created",
    live,
    notes: unchecked === undefined ? notes : [...notes, `not checked: ${unchecked}`],
  };
}

/** Without losing fields in silence, and without addresses that are not to be had. */
async function sendWhole<Answer>(
  object: KubeObject,
  ownVersion: boolean,
  send: (object: KubeObject, validation: FieldValidation) => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly notes: readonly string[] }> {
  const sent = await withFreeAddresses(object, (one) =>
    withoutSilentLoss(one, ownVersion, (validation) => send(one, validation)),
  );
  return { answer: sent.answer.answer, notes: [...sent.answer.notes, ...sent.notes] };
}

async function getLive(
  request: CreateRequest,
  resource: Target,
  object: KubeObject,
): Promise<KubeObject | undefined> {
  const live = await request.kube.get(resource, nameIn(object), request.signal);
  if (live?.metadata.deletionTimestamp === undefined) return live;
  throw new HoldfastError("BeingDeleted", "the object of this name is being deleted", {
    disposition: "retry",
    next: "Wait until it is gone, or remove the finalizer that holds it.",
  });
}

export function nameIn(object: KubeObject): ObjectName {
  const { name, namespace } = object.metadata;
  return namespace === undefined ? { name } : { namespace, name };
}

/** Asks the server what the dump would change, because only it knows its defaults. */
async function compareWithLive(
  { writer, showSecret }: CreateRequest,
  resource: Target,
  object: KubeObject,
  live: KubeObject,
): Promise<WriteResult> {
  const merged = overlay(live, object);
  const wanted = withFixed(merged.object, object, merged.fixed);
  if (fieldChanges(live, wanted).length === 0) return { did: "same", live };
  // A field that the dump has not may be a default of the server.
  const changes = fieldChanges(live, wanted, (change) => "to" in change, showSecret);
  const conflict: WriteResult = { did: "conflict", live, reason: otherContent, changes };
  if (merged.fixed.length > 0) return conflict;
  try {
    const would = fieldChanges(live, await writer.tryReplace(resource, merged.object), undefined, showSecret);
    return would.length === 0 ? { did: "same", live } : { ...conflict, changes: would };
  } catch (thrown) {
    if (!(thrown instanceof KubeError) || thrown.code === 0) throw thrown;
    // Such an account may not update, or the update would be refused.
    const refusal = `${thrown.code} ${thrown.reason}`;
    const unsure = `it exists and stays; the API server does not say what an update would change: ${refusal}`;
    return changes.length > 0 ? conflict : { ...conflict, reason: unsure };
  }
}

/** With the dump's fields that no update can change, to show how they differ. */
function withFixed(merged: KubeObject, dumped: KubeObject, fixed: readonly string[]): KubeObject {
  const fields = fixed
    .map((path) => path.replace("spec.", ""))
    .map((name) => [name, fieldAt(dumped, "spec", name)]);
  return fields.length === 0
    ? merged
    : { ...merged, spec: { ...fieldsAt(merged, "spec"), ...Object.fromEntries(fields) } };
}

async function replaceLive(
  request: CreateRequest,
  resource: Target,
  object: KubeObject,
  first: KubeObject,
): Promise<WriteResult> {
  let live = first;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await replaceOnce(request, resource, object, live);
    } catch (thrown) {
      if (!isKubeError(thrown, 409) || attempt === conflictAttempts) throw thrown;
      await pauseAfterConflict(request.clock, attempt, request.signal);
      const again = await getLive(request, resource, object);
      if (again === undefined) return await createOnce(request, resource, object);
      live = again;
    }
  }
}

async function replaceOnce(
  { writer, ownVersion, showSecret }: CreateRequest,
  resource: Target,
  object: KubeObject,
  live: KubeObject,
): Promise<WriteResult> {
  const merged = overlay(live, object);
  if (merged.fixed.length > 0) throw cannotChange(merged.fixed);
  const kept = merged.kept.map((path) => `${path} stays as it is`);
  if (fieldChanges(live, merged.object).length === 0) return { did: "same", live, notes: kept };
  const { answer, notes } = await sendWhole(merged.object, ownVersion, (one, validation) =>
    writer.replace(resource, one, validation),
  );
  const changes = fieldChanges(live, answer, undefined, showSecret);
  const told = { live: answer, notes: [...kept, ...notes] };
  return changes.length === 0 ? { did: "same", ...told } : { did: "updated", ...told, changes };
}

function cannotChange(paths: readonly string[]): HoldfastError {
  return new HoldfastError(
    "FieldImmutable",
    `it exists, and its ${paths.join(" and ")} differs from the dump and cannot be changed`,
    { disposition: "stall", next: "Delete the object and restore it again." },
  );
}
