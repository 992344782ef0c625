import { type KubeObject, keyOf, type ObjectRef, refOf } from "../../../../src/api/meta.ts";
import { sameJson } from "../../../../src/api/same-json.ts";
import { isFields } from "../../../../src/base/json.ts";
import { type Observed, observedFrom } from "../../../../src/pass/observed/observed.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { mergePatched } from "./merge-patch.ts";

/** Why the API server does not do what it is asked: `Conflict`, `NotFound`, `AlreadyExists`, `Forbidden`. */
export class Refusal extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

type Change = {
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
  readonly by: string;
};

const clusterScoped = ["Namespace"];
const withoutNamespace = new Set([...clusterScoped, "Addon", "Function"]);

/**
 * As much of an API server as a pass can tell from a real one: versions, uids, finalizers, deletion, owner
 * references, namespaces on their way out, and who has applied what. Objects are frozen, so that a plan that
 * writes into what it was given fails.
 */
export class Cluster {
  nowMs: number;
  readonly uid: string;
  readonly changes: Change[] = [];
  /** Who writes now: named in every change. */
  writer = "test";
  /** Kinds that a quota or an admission lets nobody make. */
  readonly refused = new Set<string>();
  private readonly objects = new Map<string, KubeObject>();
  private readonly appliedKeys = new Map<string, ReadonlySet<string>>();
  private counter = 0;

  constructor(nowMs: number, uid: string) {
    this.nowMs = nowMs;
    this.uid = uid;
  }

  observed(): Observed {
    return observedFrom(
      [...this.objects.values()].map((object) => (object.kind === "Secret" ? withKeysOnly(object) : object)),
      this.uid,
    );
  }

  get(ref: ObjectRef): KubeObject | undefined {
    return this.objects.get(keyOf(ref));
  }

  list(kind: string, namespace?: string): readonly KubeObject[] {
    return [...this.objects.values()].filter(
      (one) => one.kind === kind && (namespace === undefined || one.metadata.namespace === namespace),
    );
  }

  find(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.list(kind, namespace).find((one) => one.metadata.name === name);
  }

  create(object: KubeObject): KubeObject {
    if (this.get(refOf(object)) !== undefined) throw new Refusal("AlreadyExists");
    if (this.refused.has(object.kind)) throw new Refusal("Forbidden");
    const { namespace } = object.metadata;
    if (namespace !== undefined && !withoutNamespace.has(object.kind)) {
      const place = this.get({ apiVersion: "v1", kind: "Namespace", name: namespace });
      if (place === undefined) throw new Refusal("NotFound");
      if (place.metadata.deletionTimestamp !== undefined) throw new Refusal("Forbidden");
    }
    const { status: _status, ...rest } = object;
    const made = {
      ...rest,
      metadata: {
        ...object.metadata,
        uid: `uid-${++this.counter}`,
        generation: 1,
        creationTimestamp: seconds(this.nowMs),
      },
    } as KubeObject;
    return this.put(undefined, made);
  }

  /** Server-side apply with force by one manager: what it applied before and does not any more goes. */
  apply(object: KubeObject): KubeObject {
    const live = this.get(refOf(object));
    const keys = metadataKeys(object);
    const managedFields = [{ manager: "holdfast", fieldsV1: { "f:metadata": ownedMetadata(object) } }];
    if (live === undefined) {
      const made = this.create({ ...object, metadata: { ...object.metadata, managedFields } });
      this.appliedKeys.set(made.metadata.uid ?? "", keys);
      return made;
    }
    const before = this.appliedKeys.get(live.metadata.uid ?? "") ?? new Set();
    const merged = (field: "labels" | "annotations") => ({
      ...Object.fromEntries(
        Object.entries(live.metadata[field] ?? {}).filter(([key]) => !before.has(`${field}/${key}`)),
      ),
      ...object.metadata[field],
    });
    this.appliedKeys.set(live.metadata.uid ?? "", keys);
    const { metadata: _metadata, status: _status, ...body } = object;
    return this.put(live, {
      ...live,
      ...body,
      metadata: {
        ...live.metadata,
        labels: merged("labels"),
        annotations: merged("annotations"),
        managedFields,
        ...(object.metadata.ownerReferences && { ownerReferences: object.metadata.ownerReferences }),
      },
    } as KubeObject);
  }

  /** A merge patch against the version that was observed. */
  patch(
    ref: ObjectRef,
    version: string | undefined,
    patch: Readonly<Record<string, unknown>>,
  ): KubeObject | undefined {
    const live = this.get(ref);
    if (live === undefined) throw new Refusal("NotFound");
    if (version !== undefined && live.metadata.resourceVersion !== version) throw new Refusal("Conflict");
    return this.put(live, mergePatched(live, patch) as KubeObject);
  }

  delete(ref: ObjectRef, uid?: string): void {
    const live = this.get(ref);
    if (live === undefined) throw new Refusal("NotFound");
    if (uid !== undefined && live.metadata.uid !== uid) throw new Refusal("Conflict");
    this.remove(live);
    this.collect();
  }

  /** Everything in it goes; the Namespace itself when nothing is left. */
  deleteNamespace(name: string): void {
    const namespace = this.get({ apiVersion: "v1", kind: "Namespace", name });
    if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return;
    const deletionTimestamp = seconds(this.nowMs);
    this.put(namespace, { ...namespace, metadata: { ...namespace.metadata, deletionTimestamp } });
    for (const object of [...this.objects.values()].filter((one) => one.metadata.namespace === name))
      this.remove(object);
    this.collect();
  }

  private put(before: KubeObject | undefined, next: KubeObject): KubeObject {
    if (
      before !== undefined &&
      sameJson(before, { ...next, metadata: { ...next.metadata, ...versionOf(before) } })
    )
      return before;
    const generation =
      before !== undefined && !sameJson(before["spec"], next["spec"])
        ? (before.metadata.generation ?? 1) + 1
        : (next.metadata.generation ?? 1);
    const resourceVersion = String(++this.counter);
    const after = deepFreeze(
      structuredClone({ ...next, metadata: { ...next.metadata, generation, resourceVersion } }),
    );
    this.objects.set(keyOf(refOf(after)), after);
    this.changes.push({ before, after, by: this.writer });
    const leaves =
      after.metadata.deletionTimestamp !== undefined && (after.metadata.finalizers ?? []).length === 0;
    if (leaves && after.kind !== "Namespace") {
      this.drop(after);
      this.collect();
    }
    return after;
  }

  private remove(live: KubeObject): void {
    if (live.metadata.deletionTimestamp !== undefined) return;
    if ((live.metadata.finalizers ?? []).length === 0) this.drop(live);
    else
      this.put(live, {
        ...live,
        metadata: { ...live.metadata, deletionTimestamp: seconds(this.nowMs) },
      });
  }

  private drop(live: KubeObject): void {
    this.objects.delete(keyOf(refOf(live)));
    this.changes.push({ before: live, after: undefined, by: this.writer });
  }

  /** Objects whose owners are all gone, and Namespaces that are empty at last. */
  private collect(): void {
    const uids = new Set([...this.objects.values()].map((one) => one.metadata.uid));
    const orphans = [...this.objects.values()].filter((one) => {
      const owners = one.metadata.ownerReferences ?? [];
      return (
        owners.length > 0 &&
        owners.every((owner) => !uids.has(owner.uid)) &&
        one.metadata.deletionTimestamp === undefined
      );
    });
    for (const orphan of orphans) this.remove(orphan);
    if (orphans.length > 0) this.collect();
    for (const namespace of this.list("Namespace"))
      if (
        namespace.metadata.deletionTimestamp !== undefined &&
        ![...this.objects.values()].some((one) => one.metadata.namespace === namespace.metadata.name)
      )
        this.drop(namespace);
  }
}

function versionOf(object: KubeObject): Readonly<Record<string, unknown>> {
  const { resourceVersion, generation } = object.metadata;
  return { resourceVersion, generation };
}

function withKeysOnly(secret: KubeObject): KubeObject {
  const { data, ...rest } = secret;
  return { ...rest, keys: isFields(data) ? Object.keys(data).sort() : [] } as KubeObject;
}

function metadataKeys(object: KubeObject): ReadonlySet<string> {
  return new Set(
    (["labels", "annotations"] as const).flatMap((field) =>
      Object.keys(object.metadata[field] ?? {}).map((key) => `${field}/${key}`),
    ),
  );
}

function ownedMetadata(object: KubeObject): Readonly<Record<string, unknown>> {
  const names = Object.keys(object.metadata.annotations ?? {});
  return { "f:annotations": Object.fromEntries(names.map((name) => [`f:${name}`, {}])) };
}

export function seconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
