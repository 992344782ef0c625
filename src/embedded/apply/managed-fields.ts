import { jsonText, parseJson } from "../../base/exact-json.ts";
import type { JsonObject } from "../../base/json.ts";
import { type Cause, Failure } from "../failure.ts";
import type { Schema } from "../schema/schema.ts";
import { equal, isObject, listAt, objectAt, textAt, withAt } from "../value.ts";
import {
  difference,
  emptySet,
  type FieldSet,
  fromFieldsV1,
  intersection,
  isEmpty,
  pathsOf,
  pathText,
  recursiveDifference,
  toFieldsV1,
  union,
  withNamedParents,
} from "./field-set.ts";
import { compare, fieldsOf, mergeConfig, withoutFields } from "./field-walk.ts";

/** Who owns which fields: one entry of metadata.managedFields. */
type Owner = {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  readonly fields: FieldSet;
};

type Owners = ReadonlyMap<string, Owner>;

/** Who writes, in which version, through which subresource ("" for the object itself). */
export type Writer = {
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339, seconds. */
  readonly time: string;
  readonly schema: Schema;
  /** Fields that this way of writing cannot set, e.g. `status` of the object itself: never owned. */
  readonly resets: FieldSet;
};

/** More managers than this that only update are put together, oldest first. */
const updateManagersKept = 10;

/** What the server itself keeps in every object: nobody owns it. */
const serversOwn: FieldSet = {
  members: new Set(["f:apiVersion", "f:kind", "f:metadata"]),
  children: new Map([
    [
      "f:metadata",
      {
        members: new Set(
          [
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "clusterName",
            "generation",
            "managedFields",
            "resourceVersion",
          ].map((name) => `f:${name}`),
        ),
        children: new Map(),
      },
    ],
  ]),
};

function ownerKey(owner: Pick<Owner, "manager" | "operation" | "apiVersion" | "subresource">): string {
  const version = owner.operation === "Apply" ? "" : owner.apiVersion;
  return JSON.stringify([owner.manager, owner.operation, version, owner.subresource]);
}

function ownersOf(object: JsonObject): Owners {
  const owners = new Map<string, Owner>();
  for (const entry of listAt(object, "metadata", "managedFields")) {
    const operation = textAt(entry, "operation");
    if (operation !== "Apply" && operation !== "Update") continue;
    const owner: Owner = {
      manager: textAt(entry, "manager"),
      operation,
      apiVersion: textAt(entry, "apiVersion"),
      subresource: textAt(entry, "subresource"),
      time: textAt(entry, "time"),
      fields: fromFieldsV1(objectAt(entry, "fieldsV1")),
    };
    owners.set(ownerKey(owner), owner);
  }
  return owners;
}

function withOwners(object: JsonObject, owners: Owners): JsonObject {
  const list = [...capped(owners).values()].filter((owner) => !isEmpty(owner.fields));
  list.sort(
    (a, b) =>
      text(a.operation, b.operation) ||
      text(a.time, b.time) ||
      text(a.manager, b.manager) ||
      text(a.apiVersion, b.apiVersion) ||
      text(a.subresource, b.subresource),
  );
  const entries = list.map(
    (owner): JsonObject => ({
      manager: owner.manager,
      operation: owner.operation,
      apiVersion: owner.apiVersion,
      ...(owner.time === "" ? {} : { time: owner.time }),
      fieldsType: "FieldsV1",
      fieldsV1: toFieldsV1(owner.fields),
      ...(owner.subresource === "" ? {} : { subresource: owner.subresource }),
    }),
  );
  return withAt(object, ["metadata", "managedFields"], entries.length === 0 ? undefined : entries);
}

function text(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function capped(owners: Owners): Owners {
  const updaters = [...owners].filter(([, owner]) => owner.operation === "Update");
  if (updaters.length <= updateManagersKept) return owners;
  updaters.sort(([, a], [, b]) => text(a.time, b.time) || text(a.manager, b.manager));
  const out = new Map(owners);
  for (const [key, owner] of updaters.slice(0, updaters.length - updateManagersKept + 1)) {
    out.delete(key);
    const ancient = { ...owner, manager: "ancient-changes", subresource: "" };
    const known = out.get(ownerKey(ancient));
    out.set(
      ownerKey(ancient),
      known === undefined ? ancient : { ...ancient, fields: union(known.fields, owner.fields) },
    );
  }
  return out;
}

/** A request may rewrite managedFields itself: one empty entry takes all away, something readable replaces. */
function ownersToStartFrom(live: JsonObject, next: JsonObject, writer: Writer): Owners {
  const sent = listAt(next, "metadata", "managedFields");
  if (writer.subresource !== "") return ownersOf(live);
  if (sent.length === 1 && isObject(sent[0]) && Object.keys(sent[0]).length === 0) return new Map();
  const owners = ownersOf(next);
  return owners.size === 0 ? ownersOf(live) : owners;
}

function bare(object: JsonObject): JsonObject {
  return withAt(object, ["metadata", "managedFields"], undefined);
}

/** `next` with the ownership that an ordinary write (not an apply) of it brings about. */
export function ownedByUpdate(live: JsonObject, next: JsonObject, writer: Writer): JsonObject {
  const start = ownersToStartFrom(live, next, writer);
  const change = compare(bare(live), bare(next), writer.schema);
  const touched = union(change.modified, change.added);
  const owners = new Map<string, Owner>();
  for (const [key, owner] of start) {
    owners.set(key, { ...owner, fields: difference(difference(owner.fields, touched), change.removed) });
  }
  const fields = difference(recursiveDifference(touched, writer.resets), serversOwn);
  if (!isEmpty(fields)) {
    const me: Owner = { ...ownerOf(writer, "Update"), fields };
    const known = owners.get(ownerKey(me));
    owners.set(ownerKey(me), known === undefined ? me : { ...me, fields: union(known.fields, fields) });
  }
  return withOwners(next, owners);
}

function ownerOf(writer: Writer, operation: "Apply" | "Update"): Owner {
  const { manager, apiVersion, subresource, time } = writer;
  return { manager, operation, apiVersion, subresource, time, fields: emptySet };
}

/**
 * Server-side apply: `live` with `config` merged in, without what this manager applied before and does not
 * any more (unless somebody else holds it), with the new ownership.
 * Throws a 409 `Conflict` that names the other managers, unless `force`.
 */
export function applied(live: JsonObject, config: JsonObject, writer: Writer, force: boolean): JsonObject {
  try {
    return applyOnce(live, config, writer, force);
  } catch (error) {
    if (!(error instanceof ConflictOfManagers)) throw error;
    if (!force && allowedByLastApplied(live, error.paths, writer))
      return applyOnce(live, config, writer, true);
    throw error.toFailure();
  }
}

function applyOnce(live: JsonObject, sent: JsonObject, writer: Writer, force: boolean): JsonObject {
  const rest = withoutFields(sent, writer.resets, writer.schema);
  const config = isObject(rest) ? rest : {};
  const before = bare(live);
  const merged = mergeConfig(before, config, writer.schema);
  const me = ownerOf(writer, "Apply");
  const owners = new Map(ownersOf(live));
  const last = owners.get(ownerKey(me))?.fields ?? emptySet;
  const fields = fieldsOf(config, writer.schema);
  owners.set(ownerKey(me), { ...me, fields });
  const next = pruned(isObject(merged) ? merged : {}, last, owners, writer.schema);

  const change = compare(before, next, writer.schema);
  const touched = union(change.modified, change.added);
  const conflicts = new Map<Owner, FieldSet>();
  for (const [key, owner] of owners) {
    if (key === ownerKey(me)) continue;
    const taken = intersection(owner.fields, touched);
    if (!isEmpty(taken)) conflicts.set(owner, taken);
    owners.set(key, { ...owner, fields: difference(difference(owner.fields, taken), change.removed) });
  }
  if (!force && conflicts.size > 0) throw new ConflictOfManagers(conflicts);
  // An apply that changes no value keeps the time of the last one, or has none.
  const time = equal(before, next) ? (ownersOf(live).get(ownerKey(me))?.time ?? "") : me.time;
  owners.set(ownerKey(me), { ...me, fields: difference(fields, serversOwn), time });
  return withOwners(next, owners);
}

function pruned(merged: JsonObject, last: FieldSet, owners: Owners, schema: Schema): JsonObject {
  if (isEmpty(last)) return merged;
  const named = (set: FieldSet) => withNamedParents(set, schema);
  const lastNamed = named(last);
  const mergedSet = named(fieldsOf(merged, schema));
  let managed = emptySet;
  for (const owner of owners.values()) managed = union(managed, owner.fields);
  const remove = (set: FieldSet): JsonObject => {
    const rest = withoutFields(merged, set, schema);
    return isObject(rest) ? rest : {};
  };
  const setOf = (object: JsonObject) => named(fieldsOf(object, schema));
  // Without everything applied before; then with what anybody owns; then with what was never applied by us.
  const without = remove(lastNamed);
  const owned = remove(difference(mergedSet, union(setOf(without), named(managed))));
  return remove(intersection(difference(mergedSet, setOf(owned)), lastNamed));
}

class ConflictOfManagers extends Error {
  readonly conflicts: ReadonlyMap<Owner, FieldSet>;

  constructor(conflicts: ReadonlyMap<Owner, FieldSet>) {
    super("conflict of field managers");
    this.conflicts = conflicts;
  }

  get paths(): readonly string[] {
    return [...this.conflicts.values()].flatMap((set) => pathsOf(set).map((path) => JSON.stringify(path)));
  }

  toFailure(): Failure {
    const causes: Cause[] = [];
    const sections: string[] = [];
    for (const [owner, set] of this.conflicts) {
      const fields = pathsOf(set).map(pathText).sort();
      const name = ownerText(owner);
      sections.push(`conflicts with ${name}:`, ...fields.map((field) => `- ${field}`));
      for (const field of fields) {
        causes.push({ reason: "FieldManagerConflict", message: `conflict with ${name}`, field });
      }
    }
    const only = causes.length === 1 ? causes[0] : undefined;
    const message =
      only === undefined
        ? `Apply failed with ${causes.length} conflicts: ${sections.join("\n")}`
        : `Apply failed with 1 conflict: ${only.message}: ${only.field}`;
    return new Failure(409, "Conflict", message, { causes });
  }
}

function ownerText(owner: Owner): string {
  const name = JSON.stringify(owner.manager);
  const sub = owner.subresource === "" ? "" : ` with subresource ${JSON.stringify(owner.subresource)}`;
  return owner.operation === "Update" ? `${name}${sub} using ${owner.apiVersion}` : `${name}${sub}`;
}

const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

/** `kubectl apply --server-side` takes over, without force, what `kubectl apply` had applied before. */
function allowedByLastApplied(live: JsonObject, paths: readonly string[], writer: Writer): boolean {
  if (writer.manager !== "kubectl") return false;
  const config = parsed(textAt(live, "metadata", "annotations", lastAppliedAnnotation));
  if (config === undefined) return false;
  const allowed = new Set(pathsOf(fieldsOf(config, writer.schema)).map((path) => JSON.stringify(path)));
  return paths.every((path) => allowed.has(path));
}

/** `kubectl apply --server-side` keeps the annotation of `kubectl apply` up to date where it exists. */
export function withLastApplied(object: JsonObject, config: JsonObject, manager: string): JsonObject {
  const path = ["metadata", "annotations", lastAppliedAnnotation];
  if (manager !== "kubectl" || textAt(object, ...path) === "") return object;
  const plain = withAt(bare(config), path, undefined);
  return withAt(object, path, `${jsonText(plain)}\n`);
}

function parsed(json: string): JsonObject | undefined {
  if (json === "") return undefined;
  try {
    const value = parseJson(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True when nothing but the times of managedFields differs: such a write is no write. */
export function sameButForTimes(a: JsonObject, b: JsonObject): boolean {
  const timeless = (object: JsonObject) =>
    listAt(object, "metadata", "managedFields").map((entry) =>
      isObject(entry) ? { ...entry, time: "" } : entry,
    );
  return equal(bare(a), bare(b)) && equal(timeless(a), timeless(b));
}
