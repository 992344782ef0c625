import { groupOf, type OwnerReference, type Resource } from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Kube, ObjectName } from "../../ports/kube/kube.ts";
import { isKubeError, KubeError } from "../../ports/kube/kube-error.ts";
import { inParallel } from "../storage/in-parallel.ts";
import { pauseAfterConflict } from "./conflict-pause.ts";
import type { ObjectOutcome } from "./object-outcome.ts";
import type { ObjectWriter } from "./object-writer.ts";
import { notTried, type ServerAnswers } from "./server-answers.ts";

/** An object that lacks owners that it had in the dump. */
export type Orphan = {
  readonly resource: Resource;
  /** What is told of it once its owners are set, or none is there. */
  readonly outcome: ObjectOutcome;
  /** In the dump; its owners are there. */
  readonly namespace: string | undefined;
  readonly owners: readonly OwnerReference[];
  /** As the server answered last. */
  readonly live: Live;
};

type Live = { readonly resourceVersion: string | undefined; readonly owners: readonly OwnerReference[] };

export type Relink = {
  readonly kube: Kube;
  readonly clock: Clock;
  readonly writer: ObjectWriter;
  readonly answers: ServerAnswers;
  /** Those that wait are taken out as soon as they are told. */
  readonly orphans: Set<Orphan>;
  /** The owner with the uid that it has now; undefined when this restore left it out or it is not there. */
  readonly findOwner: (
    owner: OwnerReference,
    namespace: string | undefined,
  ) => Promise<OwnerReference | undefined>;
  readonly onOutcome: (outcome: ObjectOutcome) => void;
  readonly signal: AbortSignal;
};

const atOnce = 8;
const attempts = 8;

/**
 * Gives objects their owners back, under the owners' new uids, and tells what became of each. Owners that are not
 * part of this restore are left out: an owner that does not exist would have the object collected.
 */
export async function relinkOwners(request: Relink): Promise<void> {
  await inParallel([...request.orphans], atOnce, async (orphan) => {
    const outcome = await relinkOne(request, orphan);
    request.orphans.delete(orphan);
    request.onOutcome(outcome);
  });
}

async function relinkOne(request: Relink, orphan: Orphan): Promise<ObjectOutcome> {
  const { outcome } = orphan;
  try {
    if (request.answers.isSilent()) throw notTried();
    if (!(await setOwners(request, orphan)) || outcome.did === "created") return outcome;
    return noted(outcome, "its owners were set again");
  } catch (thrown) {
    if (request.signal.aborted) throw thrown;
    const done = outcome.did === "created" ? "created, but its" : "its";
    const reason = `${done} owners could not be set: ${messageOf(thrown)}`;
    return { ...outcome, did: "failed", reason };
  }
}

/** What is told of an object when the restore ends before its owners are set. */
export function withoutItsOwners({ outcome }: Orphan): ObjectOutcome {
  return noted(outcome, "its owners were not set");
}

function noted(outcome: ObjectOutcome, note: string): ObjectOutcome {
  return { ...outcome, notes: [...(outcome.notes ?? []), note] };
}

/** False when there was nothing to set. Controllers write at the same time, and answers may be lost. */
async function setOwners(request: Relink, orphan: Orphan): Promise<boolean> {
  const { clock, answers, signal } = request;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const set = await setOnce(request, orphan, attempt > 1);
      answers.answered();
      return set;
    } catch (thrown) {
      if (isKubeError(thrown, 404)) return false;
      const lost = thrown instanceof KubeError && thrown.code === 0;
      if (lost) answers.unanswered();
      if (!(lost || isKubeError(thrown, 409)) || attempt === attempts || answers.isSilent()) throw thrown;
      await pauseAfterConflict(clock, attempt, signal);
    }
  }
}

/** One patch against the version that is known; the object is read only when that was not the last one. */
async function setOnce(
  { kube, writer, findOwner, signal }: Relink,
  { resource, outcome, owners, namespace, live }: Orphan,
  again: boolean,
): Promise<boolean> {
  const all = await Promise.all(owners.map((owner) => findOwner(owner, namespace)));
  const found = all.filter((owner) => owner !== undefined);
  if (found.length === 0) return false;
  const name: ObjectName =
    outcome.namespace === undefined
      ? { name: outcome.name }
      : { namespace: outcome.namespace, name: outcome.name };
  const stale = again || live.resourceVersion === undefined;
  const known = stale ? await readLive(kube, resource, name, signal) : live;
  const ownerReferences = known === undefined ? undefined : mergeOwners(known.owners, found);
  if (known === undefined || ownerReferences === undefined) return false;
  const { resourceVersion } = known;
  const metadata = { ownerReferences, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  await writer.patch(resource, name, { metadata });
  return true;
}

async function readLive(
  kube: Kube,
  resource: Resource,
  name: ObjectName,
  signal: AbortSignal,
): Promise<Live | undefined> {
  const live = await kube.get(resource, name, signal);
  if (live === undefined) return undefined;
  return { resourceVersion: live.metadata.resourceVersion, owners: live.metadata.ownerReferences ?? [] };
}

/**
 * A controller may have adopted the object meanwhile: its reference stays, and no second controller is added.
 * Undefined when there is nothing to change.
 */
export function mergeOwners(
  live: readonly OwnerReference[],
  wanted: readonly OwnerReference[],
): readonly OwnerReference[] | undefined {
  const merged = [...live];
  for (const owner of wanted) {
    const known = merged.some((one) => one.uid === owner.uid || sameName(one, owner));
    const second = owner.controller === true && merged.some((one) => one.controller === true);
    if (!known && !second) merged.push(owner);
  }
  return merged.length === live.length ? undefined : merged;
}

function sameName(a: OwnerReference, b: OwnerReference): boolean {
  return groupOf(a.apiVersion) === groupOf(b.apiVersion) && a.kind === b.kind && a.name === b.name;
}
