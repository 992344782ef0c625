import { groupOf, type KubeObject, keyOf, type OwnerReference, type Resource } from "../../api/meta.ts";
import { messageOf } from "../../base/errors.ts";
import type { Kube } from "../../ports/kube/kube.ts";
import { isKubeError } from "../../ports/kube/kube-error.ts";
import { moverManager } from "../job-context.ts";
import { inParallel } from "../storage/in-parallel.ts";
import { nameIn } from "./create-object.ts";
import type { ObjectOutcome } from "./object-outcome.ts";

/** An object that was created in this run and had owners. */
export type Orphan = {
  /** Folder of the tree. */
  readonly type: string;
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly owners: readonly OwnerReference[];
  readonly notes?: readonly string[];
};

/** Uids of the objects that were created or found in this run, by `keyOf`. */
export type KnownUids = ReadonlyMap<string, string>;

const atOnce = 8;
const conflictAttempts = 8;

/**
 * Gives the created objects their owners back, under the owners' new uids. Owners that this run did not meet
 * are left out: an owner that does not exist would have the object collected. Answers what became of each.
 */
export async function relinkOwners(
  kube: Kube,
  orphans: readonly Orphan[],
  known: KnownUids,
  signal: AbortSignal,
): Promise<readonly ObjectOutcome[]> {
  const outcomes: ObjectOutcome[] = [];
  await inParallel(orphans, atOnce, async ({ type, resource, object, owners, notes }) => {
    const named = { type, ...nameIn(object), ...(notes === undefined ? {} : { notes }) };
    const found = owners.flatMap((owner) => ownerWithUid(owner, object.metadata.namespace, known));
    try {
      if (found.length > 0) await addOwners({ kube, resource, object, signal }, found);
      outcomes.push({ ...named, did: "created" });
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const reason = `created, but its owners could not be set: ${messageOf(thrown)}`;
      outcomes.push({ ...named, did: "failed", reason });
    }
  });
  return outcomes;
}

/** Controllers write at the same time, so that the live object is read again after a conflict. */
async function addOwners(
  {
    kube,
    resource,
    object,
    signal,
  }: { readonly kube: Kube; readonly signal: AbortSignal } & Pick<Orphan, "resource" | "object">,
  found: readonly OwnerReference[],
): Promise<void> {
  const name = nameIn(object);
  for (let attempt = 1; ; attempt += 1) {
    const live = await kube.get(resource, name, signal);
    const ownerReferences =
      live === undefined ? undefined : mergeOwners(live.metadata.ownerReferences ?? [], found);
    if (live === undefined || ownerReferences === undefined) return;
    const { resourceVersion } = live.metadata;
    const metadata = { ownerReferences, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    try {
      await kube.mergePatch(resource, name, { metadata }, { manager: moverManager, signal });
      return;
    } catch (thrown) {
      if (!isKubeError(thrown, 409) || attempt === conflictAttempts) throw thrown;
    }
  }
}

/** A namespaced owner goes before a cluster-scoped one of the same kind and name. */
function ownerWithUid(
  owner: OwnerReference,
  namespace: string | undefined,
  known: KnownUids,
): readonly OwnerReference[] {
  const { apiVersion, kind, name } = owner;
  const inNamespace =
    namespace === undefined ? undefined : known.get(keyOf({ apiVersion, kind, namespace, name }));
  const uid = inNamespace ?? known.get(keyOf({ apiVersion, kind, name }));
  return uid === undefined ? [] : [{ ...owner, uid }];
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
