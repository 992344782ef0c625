import { type KubeObject, keyOf, type ObjectRef, refOf } from "../../api/meta.ts";
import { Derived } from "./derived.ts";

/** What the cluster holds: lookups, no verbs. Secrets are here with their keys and without their values. */
export interface Observed {
  get(ref: ObjectRef): KubeObject | undefined;
  /** By kind and optionally namespace, in name order. */
  list(kind: string, namespace?: string): readonly KubeObject[];
  /** Objects with an owner reference to this uid. */
  ownedBy(uid: string): readonly KubeObject[];
  /** uid of the namespace kube-system. */
  readonly clusterUid: string;
  /** Results of pure functions of these objects; they outlive the observation with the objects. */
  readonly derived: Derived;
}

export function observedFrom(
  objects: Iterable<KubeObject>,
  clusterUid: string,
  previous?: Observed,
): Observed {
  const byKey = new Map<string, KubeObject>();
  for (const object of objects) byKey.set(keyOf(refOf(object)), object);
  const byKind = new Map<string, KubeObject[]>();
  const byPlace = new Map<string, KubeObject[]>();
  const byOwner = new Map<string, KubeObject[]>();
  const sorted = [...byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, object] of sorted) {
    append(byKind, object.kind, object);
    append(byPlace, `${object.kind}/${object.metadata.namespace}`, object);
    for (const owner of object.metadata.ownerReferences ?? []) append(byOwner, owner.uid, object);
  }
  return {
    clusterUid,
    derived: previous?.derived.isOf(clusterUid) ? previous.derived : new Derived(clusterUid),
    get: (ref) => byKey.get(keyOf(ref)),
    list: (kind, namespace) =>
      (namespace === undefined ? byKind.get(kind) : byPlace.get(`${kind}/${namespace}`)) ?? [],
    ownedBy: (uid) => byOwner.get(uid) ?? [],
  };
}

/** The very object that was observed before, when this is the same version of it, so that what was derived of it holds. */
export function asObservedBefore(object: KubeObject, previous: Observed | undefined): KubeObject {
  const { uid, resourceVersion } = object.metadata;
  const before = previous?.get(refOf(object));
  if (before === undefined || uid === undefined || resourceVersion === undefined) return object;
  const { metadata } = before;
  return metadata.uid === uid && metadata.resourceVersion === resourceVersion ? before : object;
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
