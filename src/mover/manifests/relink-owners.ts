import {
  groupOf,
  type KubeObject,
  keyOf,
  nameOf,
  type OwnerReference,
  type Resource,
  refOf,
} from "../../api/meta.ts";
import { messageOf } from "../../base/errors.ts";
import type { Kube } from "../../ports/kube/kube.ts";
import { moverManager } from "../job-context.ts";
import { inParallel } from "../storage/in-parallel.ts";
import { nameIn } from "./create-object.ts";

/** An object that was created in this run and had owners. */
export type Orphan = {
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly owners: readonly OwnerReference[];
};

/** Uids of the objects that were created or found in this run, by `keyOf`. */
export type KnownUids = ReadonlyMap<string, string>;

const atOnce = 8;

/**
 * Gives the created objects their owners back, under the owners' new uids. Owners that this run did not meet
 * are left out: an owner that does not exist would have the object collected. Answers what could not be done.
 */
export async function relinkOwners(
  kube: Kube,
  orphans: readonly Orphan[],
  known: KnownUids,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const failures: string[] = [];
  await inParallel(orphans, atOnce, async ({ resource, object, owners }) => {
    const found = owners.flatMap((owner) => ownerWithUid(owner, object.metadata.namespace, known));
    if (found.length === 0) return;
    try {
      const live = await kube.get(resource, nameIn(object), signal);
      const merged = live === undefined ? undefined : mergeOwners(live.metadata.ownerReferences ?? [], found);
      if (live === undefined || merged === undefined) return;
      const { resourceVersion } = live.metadata;
      await kube.mergePatch(
        resource,
        nameIn(object),
        {
          metadata: {
            ownerReferences: merged,
            ...(resourceVersion === undefined ? {} : { resourceVersion }),
          },
        },
        { manager: moverManager, signal },
      );
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      failures.push(`${nameOf(refOf(object))}: its owners could not be set: ${messageOf(thrown)}`);
    }
  });
  return failures.toSorted();
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
