import { type KubeObject, keyOf, type ObjectRef, refOf } from "../../api/meta.ts";
import { Derived } from "./derived.ts";

/** What the cluster holds: lookups, no verbs. Secrets are here with their keys and without their values. */
export interface Observed {
  get(ref: ObjectRef): KubeObject | undefined;
  /** By kind and optionally namespace, in name order. */
  list(kind: string, namespace?: string): readonly KubeObject[];
  /** The one of this name in the namespace, or among the kind's objects that have none. */
  named(kind: string, namespace: string | undefined, name: unknown): KubeObject | undefined;
  /** Those of a kind under a key, by a pure function of the object that answers its keys: it is asked once of each object. */
  keyed(kind: string, keysOf: KeysOf, key: string): readonly KubeObject[];
  /** What a pure function makes of all objects of a kind: it is asked once. */
  indexed<Index>(kind: string, indexOf: IndexOf<Index>): Index;
  /** Objects with an owner reference to this uid. */
  ownedBy(uid: string): readonly KubeObject[];
  /** uid of the namespace kube-system. */
  readonly clusterUid: string;
  /** Results of pure functions of these objects; they outlive the observation with the objects. */
  readonly derived: Derived;
}

/** A constant, so that what it answered is found again. */
export type KeysOf = (object: KubeObject) => readonly string[];

/** A constant, too. */
export type IndexOf<Index> = (objects: readonly KubeObject[]) => Index;

export function observedFrom(
  objects: Iterable<KubeObject>,
  clusterUid: string,
  previous?: Observed,
): Observed {
  const byKey = new Map<string, KubeObject>();
  for (const object of objects) byKey.set(keyOf(refOf(object)), object);
  const byKind = new Map<string, KubeObject[]>();
  const byPlace = new Map<string, KubeObject[]>();
  const byName = new Map<string, KubeObject>();
  const byOwner = new Map<string, KubeObject[]>();
  const byKeys = new Map<KeysOf, Map<string, ReadonlyMap<string, readonly KubeObject[]>>>();
  const keyed = (kind: string, keysOf: KeysOf) => {
    const ofKinds = byKeys.get(keysOf) ?? new Map<string, ReadonlyMap<string, readonly KubeObject[]>>();
    byKeys.set(keysOf, ofKinds);
    const known = ofKinds.get(kind);
    if (known !== undefined) return known;
    const found = new Map<string, KubeObject[]>();
    for (const object of byKind.get(kind) ?? [])
      for (const key of new Set(keysOf(object))) append(found, key, object);
    ofKinds.set(kind, found);
    return found;
  };
  const indexes = new Map<IndexOf<unknown>, Map<string, unknown>>();
  const indexed = <Index>(kind: string, indexOf: IndexOf<Index>): Index => {
    const ofKinds = indexes.get(indexOf) ?? new Map<string, unknown>();
    indexes.set(indexOf, ofKinds);
    if (!ofKinds.has(kind)) ofKinds.set(kind, indexOf(byKind.get(kind) ?? []));
    // What stands under a function was made by it.
    return ofKinds.get(kind) as Index;
  };
  const sorted = [...byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, object] of sorted) {
    append(byKind, object.kind, object);
    append(byPlace, `${object.kind}/${object.metadata.namespace}`, object);
    const name = nameKey(object.kind, object.metadata.namespace, object.metadata.name);
    if (!byName.has(name)) byName.set(name, object);
    for (const owner of object.metadata.ownerReferences ?? []) append(byOwner, owner.uid, object);
  }
  return {
    clusterUid,
    derived: previous?.derived.isOf(clusterUid) ? previous.derived : new Derived(clusterUid),
    get: (ref) => byKey.get(keyOf(ref)),
    list: (kind, namespace) =>
      (namespace === undefined ? byKind.get(kind) : byPlace.get(`${kind}/${namespace}`)) ?? [],
    named: (kind, namespace, name) =>
      typeof name === "string" ? byName.get(nameKey(kind, namespace, name)) : undefined,
    indexed,
    keyed: (kind, keysOf, key) => keyed(kind, keysOf).get(key) ?? [],
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

function nameKey(kind: string, namespace: string | undefined, name: string): string {
  return `${kind}/${namespace ?? ""}/${name}`;
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
