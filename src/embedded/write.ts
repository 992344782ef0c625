import { randomBytes, randomUUID } from "node:crypto";
import { jsonText } from "../base/exact-json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { FieldSet } from "./apply/field-set.ts";
import {
  applied,
  ownedByUpdate,
  sameButForTimes,
  type Writer,
  withLastApplied,
} from "./apply/managed-fields.ts";
import { type Cluster, timestamp } from "./cluster.ts";
import { refuseUndone } from "./crd/check.ts";
import { atCreation, withNewStatus } from "./defaults/built-in.ts";
import { withProtection } from "./defaults/protection.ts";
import {
  alreadyExists,
  badRequest,
  conflict,
  Failure,
  forbidden,
  invalid,
  modifiedMeanwhile,
  notFound,
} from "./failure.ts";
import { apiVersion, hasStatus, type Kind, keyOf } from "./kinds.ts";
import { withStructs } from "./schema/default.ts";
import { requireValid, settled } from "./settle.ts";
import { at, equal, objectAt, textAt, textsAt, withAt, without } from "./value.ts";
import { storedForm, viewed, withoutStatus } from "./view.ts";

export type WriteOptions = {
  readonly dryRun: boolean;
  readonly manager: string;
  readonly validation: "Strict" | "Warn" | "Ignore";
  readonly subresource: "" | "status" | "scale";
  /** A patch, whose mistakes are told in other words than a whole object's. */
  readonly patches: boolean;
  /** Collects what the client should be told beside the answer. */
  readonly warnings: string[];
};

export type Place = { readonly namespace: string; readonly name: string };

/** Kinds that count the changes of their spec in metadata.generation. */
const counted = new Set([
  "/pods",
  "/replicationcontrollers",
  "apps/deployments",
  "apps/replicasets",
  "apps/daemonsets",
  "apps/statefulsets",
  "batch/jobs",
  "batch/cronjobs",
  "networking.k8s.io/ingresses",
  "networking.k8s.io/networkpolicies",
  "policy/poddisruptionbudgets",
  "discovery.k8s.io/endpointslices",
  "apiextensions.k8s.io/customresourcedefinitions",
]);

/** A stored object in the version of `kind`. Throws 404. */
export function read(cluster: Cluster, kind: Kind, place: Place): JsonObject {
  const stored = cluster.store.get(kind.resource, keyOf(place.namespace, place.name));
  if (stored === undefined) throw notFound(kind, place.name);
  return viewed(kind, stored);
}

/** Creates an object in the namespace that it names. Throws 400, 403 (its namespace is ending), 404 (no such namespace), 409, 422. */
export function create(cluster: Cluster, kind: Kind, body: JsonObject, options: WriteOptions): JsonObject {
  if (textAt(body, "metadata", "resourceVersion") !== "") {
    throw badRequest("resourceVersion should not be set on objects to be created");
  }
  const config = named(body);
  const writer = writerOf(cluster, kind, options);
  const object = newObject(cluster, kind, config, options);
  // Defaults belong to who creates; what the server fills in for the kind is nobody's.
  return stored(
    cluster,
    kind,
    completed(cluster, kind, ownedByUpdate(emptyOf(kind), object, writer)),
    options,
  );
}

/** Creates by server-side apply: only what was applied is owned, defaults are nobody's. */
function createApplied(cluster: Cluster, kind: Kind, config: JsonObject, options: WriteOptions): JsonObject {
  const uid = textAt(config, "metadata", "uid");
  if (uid !== "")
    throw conflict(
      kind,
      textAt(config, "metadata", "name"),
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    );
  const owned = applied(emptyOf(kind), config, writerOf(cluster, kind, options), false);
  const object = newObject(cluster, kind, owned, options);
  return stored(cluster, kind, completed(cluster, kind, object), options);
}

function emptyOf(kind: Kind): JsonObject {
  return { apiVersion: apiVersion(kind), kind: kind.kind };
}

function newObject(cluster: Cluster, kind: Kind, config: JsonObject, options: WriteOptions): JsonObject {
  if (textAt(kind.custom?.definition, "metadata", "deletionTimestamp") !== "") {
    const why = "create not allowed while custom resource definition is terminating";
    throw new Failure(405, "MethodNotAllowed", why, {});
  }
  requireNamespace(cluster, kind, config);
  refuseUndone(kind, config);
  const now = timestamp(cluster.clock.now());
  const metadata: Record<string, Json> = {
    ...without(objectAt(config, "metadata"), "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"),
    uid: randomUUID(),
    creationTimestamp: now,
  };
  if (kind.custom !== undefined || counted.has(kind.resource)) metadata["generation"] = 1;
  else delete metadata["generation"];
  const plain = kind.custom === undefined && kind.resource !== "/nodes" && hasStatus(kind);
  const fresh = plain || (kind.custom !== undefined && hasStatus(kind)) ? withoutStatus(config) : config;
  return settled(kind, { ...fresh, metadata }, options);
}

/** A new object with what its kind's admission and strategy add, checked. */
function completed(cluster: Cluster, kind: Kind, object: JsonObject): JsonObject {
  let out = object;
  if (kind.custom === undefined) {
    if (hasStatus(kind)) out = withNewStatus(kind.resource, out);
    const surroundings = { list: (resource: string) => cluster.store.list(resource) };
    out = withProtection(kind.resource, atCreation(kind.resource, out, surroundings));
    out = withStructs(out, kind.schema);
  }
  requireValid(kind, out, undefined);
  return out;
}

function named(body: JsonObject): JsonObject {
  const prefix = textAt(body, "metadata", "generateName");
  if (prefix === "" || textAt(body, "metadata", "name") !== "") return body;
  return withAt(body, ["metadata", "name"], `${prefix.slice(0, 58)}${suffix()}`);
}

/** An object in the namespace of its path; "" for cluster-scoped kinds. */
export function placed(object: JsonObject, namespace: string): JsonObject {
  return withAt(object, ["metadata", "namespace"], namespace === "" ? undefined : namespace);
}

/** Five signs that spell no word, as the real server takes them. */
function suffix(): string {
  const signs = "bcdfghjklmnpqrstvwxz2456789";
  return [...randomBytes(5)].map((byte) => signs[byte % signs.length]).join("");
}

function stored(cluster: Cluster, kind: Kind, object: JsonObject, options: WriteOptions): JsonObject {
  const name = textAt(object, "metadata", "name");
  const key = keyOf(textAt(object, "metadata", "namespace"), name);
  if (cluster.store.get(kind.resource, key) !== undefined) throw alreadyExists(kind, name);
  if (options.dryRun) return object;
  return viewed(kind, cluster.store.write(kind.resource, key, storedForm(kind, object)));
}

function requireNamespace(cluster: Cluster, kind: Kind, object: JsonObject): void {
  if (!kind.namespaced) return;
  const name = textAt(object, "metadata", "namespace");
  const namespace = cluster.store.get("/namespaces", keyOf("", name));
  if (namespace === undefined) {
    throw notFound({ group: "", plural: "namespaces", kind: "Namespace" }, name);
  }
  if (textAt(namespace, "metadata", "deletionTimestamp") === "") return;
  const why = `unable to create new content in namespace ${name} because it is being terminated`;
  throw forbidden(kind, textAt(object, "metadata", "name"), why, [
    {
      reason: "NamespaceTerminating",
      message: `namespace ${name} is being terminated`,
      field: "metadata.namespace",
    },
  ]);
}

export type Change =
  /** The whole object as it shall be: PUT and the ordinary patches. */
  | { readonly kind: "replace"; make(live: JsonObject): JsonObject; readonly needsVersion: boolean }
  /** Server-side apply. */
  | { readonly kind: "apply"; readonly config: JsonObject; readonly force: boolean };

export type Written = { readonly object: JsonObject; readonly created: boolean };

/**
 * Changes an object; an apply creates it when it is not there. A change that changes nothing writes nothing.
 * Throws 400, 404, 409 (another resourceVersion or uid, or fields of other managers), 422.
 */
export function change(
  cluster: Cluster,
  kind: Kind,
  wanted: Place & { readonly what: Change },
  options: WriteOptions,
): Written {
  const { what, ...place } = wanted;
  const key = keyOf(place.namespace, place.name);
  const known = cluster.store.get(kind.resource, key);
  if (known === undefined) {
    if (what.kind !== "apply" || options.subresource !== "") throw notFound(kind, place.name);
    return {
      object: createApplied(cluster, kind, placed(what.config, place.namespace), options),
      created: true,
    };
  }
  const live = viewed(kind, known);
  const next = changed(cluster, kind, { live, what }, options);
  if (sameButForTimes(live, next)) return { object: live, created: false };
  if (options.dryRun) return { object: next, created: false };
  return { object: viewed(kind, keep(cluster, kind.resource, key, storedForm(kind, next))), created: false };
}

/** Stores an object, or lets it go when its deletion waited for nothing else. */
export function keep(cluster: Cluster, resource: string, key: string, object: JsonObject): JsonObject {
  if (!isDone(object)) return cluster.store.write(resource, key, object);
  cluster.store.write(resource, key, undefined);
  return object;
}

/** An object that is being deleted and that nobody holds any more. */
function isDone(object: JsonObject): boolean {
  if (textAt(object, "metadata", "deletionTimestamp") === "") return false;
  if (textsAt(object, "metadata", "finalizers").length > 0) return false;
  if (object["kind"] === "Namespace" && textsAt(object, "spec", "finalizers").length > 0) return false;
  return (at(object, "metadata", "deletionGracePeriodSeconds") ?? 0) === 0;
}

function changed(
  cluster: Cluster,
  kind: Kind,
  step: { readonly live: JsonObject; readonly what: Change },
  options: WriteOptions,
): JsonObject {
  const { live, what } = step;
  const writer = writerOf(cluster, kind, options);
  const wanted =
    what.kind === "apply"
      ? withLastApplied(applied(live, what.config, writer, what.force), what.config, writer.manager)
      : what.make(live);
  if (options.patches) requireIdentity(kind, live, wanted);
  requireSame(kind, live, wanted, what.kind === "replace" && what.needsVersion);
  refuseUndone(kind, wanted);
  const whole = settled(kind, withServersFields(live, wanted), options);
  const parts =
    options.subresource === "status" ? statusOnly(kind, live, whole) : withoutStatusChange(kind, live, whole);
  const numbered = withGeneration(kind, live, parts);
  requireValid(kind, numbered, live);
  return what.kind === "apply" ? numbered : ownedByUpdate(live, numbered, writer);
}

/** A patch may not make another object out of this one. */
function requireIdentity(kind: Kind, live: JsonObject, next: JsonObject): void {
  const name = textAt(live, "metadata", "name");
  for (const field of ["name", "namespace"]) {
    const was = textAt(live, "metadata", field);
    const is = textAt(next, "metadata", field);
    if (is !== "" && is !== was) {
      throw badRequest(`the ${field} of the object (${is}) does not match the ${field} on the URL (${was})`);
    }
  }
  for (const field of ["apiVersion", "kind"]) {
    const is = next[field] ?? "";
    if (is === live[field]) continue;
    throw invalid(kind, name, [
      {
        reason: "FieldValueInvalid",
        message: `Invalid value: ${jsonText(is)}: field is immutable`,
        field,
      },
    ]);
  }
  const uid = textAt(next, "metadata", "uid");
  if (uid === "" || uid === textAt(live, "metadata", "uid")) return;
  const message = `Invalid value: ${JSON.stringify(uid)}: field is immutable`;
  throw invalid(kind, name, [{ reason: "FieldValueInvalid", message, field: "metadata.uid" }]);
}

function requireSame(kind: Kind, live: JsonObject, next: JsonObject, needsVersion: boolean): void {
  const name = textAt(live, "metadata", "name");
  const version = textAt(next, "metadata", "resourceVersion");
  const uid = textAt(next, "metadata", "uid");
  const known = textAt(live, "metadata", "uid");
  if (uid !== "" && uid !== known) {
    throw conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${known}`,
    );
  }
  if (version === "" && needsVersion && kind.custom !== undefined) {
    const message = "Invalid value: 0: must be specified for an update";
    throw invalid(kind, name, [{ reason: "FieldValueInvalid", message, field: "metadata.resourceVersion" }]);
  }
  if (version !== "" && version !== textAt(live, "metadata", "resourceVersion")) {
    throw conflict(kind, name, modifiedMeanwhile);
  }
}

/** Fields of metadata that only the server sets. */
const serversFields = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "resourceVersion",
  "selfLink",
];

function withServersFields(live: JsonObject, next: JsonObject): JsonObject {
  const metadata: Record<string, Json> = { ...objectAt(next, "metadata") };
  for (const field of serversFields) {
    const value = at(live, "metadata", field);
    if (value === undefined) delete metadata[field];
    else metadata[field] = value;
  }
  return { ...next, apiVersion: live["apiVersion"] ?? "", kind: live["kind"] ?? "", metadata };
}

/** Through /status only the status changes; of custom resources not even labels do. */
function statusOnly(kind: Kind, live: JsonObject, next: JsonObject): JsonObject {
  const metadata = kind.custom === undefined ? objectAt(next, "metadata") : objectAt(live, "metadata");
  const managed = at(next, "metadata", "managedFields");
  const combined = withAt({ ...live, metadata }, ["metadata", "managedFields"], managed);
  const labels = at(live, "metadata", "labels");
  const labelled =
    kind.resource === "apps/deployments" ? withAt(combined, ["metadata", "labels"], labels) : combined;
  return withAt(labelled, ["status"], next["status"]);
}

function withoutStatusChange(kind: Kind, live: JsonObject, next: JsonObject): JsonObject {
  return hasStatus(kind) ? withAt(next, ["status"], live["status"]) : next;
}

function withGeneration(kind: Kind, live: JsonObject, next: JsonObject): JsonObject {
  const generation = at(live, "metadata", "generation");
  if (typeof generation !== "number") return next;
  const counts = (object: JsonObject): JsonObject =>
    kind.custom === undefined
      ? objectAt(object, "spec")
      : without(object, "metadata", "apiVersion", ...(hasStatus(kind) ? ["status"] : []));
  return equal(counts(live), counts(next)) ? next : withAt(next, ["metadata", "generation"], generation + 1);
}

const set = (...fields: readonly string[]): FieldSet => ({
  members: new Set(fields.map((field) => `f:${field}`)),
  children: new Map(),
});

function writerOf(cluster: Cluster, kind: Kind, options: WriteOptions): Writer {
  const status = options.subresource === "status";
  const untouched = kind.custom === undefined ? set("spec") : set("spec", "metadata");
  return {
    manager: options.manager,
    apiVersion: apiVersion(kind),
    subresource: options.subresource,
    time: timestamp(cluster.clock.now()),
    schema: kind.schema,
    resets: status ? untouched : hasStatus(kind) ? set("status") : set(),
  };
}
