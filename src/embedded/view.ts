import type { Json, JsonObject } from "../base/json.ts";
import { apiVersion, type Kind } from "./kinds.ts";
import { defaulted } from "./schema/default.ts";
import { pruned } from "./schema/prune.ts";
import { objectAt, textAt, without } from "./value.ts";

/** Custom resources as they were read last: the same stored object gives the same view until its schema changes. */
const views = new WeakMap<JsonObject, { readonly kind: Kind; readonly view: JsonObject }>();

/** A stored object in the version that was asked for. */
export function viewed(kind: Kind, stored: JsonObject): JsonObject {
  if (kind.custom === undefined) {
    return kind.group === "events.k8s.io" ? toNewEvent(stored) : stored;
  }
  const known = views.get(stored);
  if (known?.kind === kind) return known.view;
  // A schema may have got new fields and defaults since the object was written.
  const inVersion = { ...stored, apiVersion: apiVersion(kind) };
  const view = defaulted(pruned(inVersion, kind.schema).value, kind.schema);
  views.set(stored, { kind, view });
  return view;
}

/** An object of a request as it is stored. */
export function storedForm(kind: Kind, object: JsonObject): JsonObject {
  if (kind.group === "events.k8s.io") return toCoreEvent(object);
  if (kind.custom === undefined || kind.version === kind.storedVersion) return object;
  return { ...object, apiVersion: apiVersion({ group: kind.group, version: kind.storedVersion }) };
}

/** Fields of an Event: the core API's name, then that of events.k8s.io. */
const eventFields: readonly (readonly [string, string])[] = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["reportingComponent", "reportingController"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
];

function toNewEvent(event: JsonObject): JsonObject {
  const out: Record<string, Json> = { ...event, apiVersion: "events.k8s.io/v1" };
  for (const [core, modern] of eventFields) rename(out, core, modern);
  return out;
}

function toCoreEvent(event: JsonObject): JsonObject {
  const out: Record<string, Json> = { ...event, apiVersion: "v1" };
  for (const [core, modern] of eventFields) rename(out, modern, core);
  return out;
}

function rename(object: Record<string, Json>, from: string, to: string): void {
  const value = object[from];
  if (value === undefined) return;
  delete object[from];
  object[to] = value;
}

/** Only who an object is: `PartialObjectMetadata`. */
export function metadataOnly(object: JsonObject): JsonObject {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: objectAt(object, "metadata"),
  };
}

/** `Status` of a deletion that is done. */
export function deletedStatus(kind: Kind, object: JsonObject): JsonObject {
  const details = {
    name: textAt(object, "metadata", "name"),
    ...(kind.group === "" ? {} : { group: kind.group }),
    kind: kind.plural,
    uid: textAt(object, "metadata", "uid"),
  };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}

export function withoutStatus(object: JsonObject): JsonObject {
  return without(object, "status");
}
