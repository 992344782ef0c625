import type { Json, JsonObject } from "../../base/json.ts";
import { type Cluster, timestamp } from "../cluster.ts";
import { definitions, type Kind, keyOf, objectMetaName, type Subresource } from "../kinds.ts";
import { Schema } from "../schema/schema.ts";
import { at, equal, isObject, listAt, objectAt, textAt, textsAt, withAt } from "../value.ts";

export const definitionsResource = "apiextensions.k8s.io/customresourcedefinitions";
export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

const verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

/** The kinds that a CustomResourceDefinition serves, one per served version. */
function kindsOf(definition: JsonObject): readonly Kind[] {
  const spec = objectAt(definition, "spec");
  const names = objectAt(spec, "names");
  const group = textAt(spec, "group");
  const plural = textAt(names, "plural");
  const versions = listAt(spec, "versions").filter(isObject);
  const storage = versions.find((version) => version["storage"] === true);
  return versions
    .filter((version) => version["served"] === true)
    .sort((a, b) => byPriority(textAt(a, "name"), textAt(b, "name")))
    .map((version) => ({
      group,
      version: textAt(version, "name"),
      kind: textAt(names, "kind"),
      listKind: textAt(names, "listKind") || `${textAt(names, "kind")}List`,
      plural,
      singular: textAt(names, "singular"),
      shortNames: textsAt(names, "shortNames"),
      categories: textsAt(names, "categories"),
      namespaced: textAt(spec, "scope") === "Namespaced",
      verbs,
      subresources: subresourcesOf(group, textAt(names, "kind"), version),
      schema: schemaOf(objectAt(version, "schema", "openAPIV3Schema")),
      resource: `${group}/${plural}`,
      storedVersion: textAt(storage, "name"),
      custom: { definition, version },
    }));
}

function subresourcesOf(group: string, kind: string, version: JsonObject): readonly Subresource[] {
  const out: Subresource[] = [];
  const given = objectAt(version, "subresources");
  const change = ["get", "patch", "update"];
  if (given["status"] !== undefined) {
    out.push({ name: "status", group, version: textAt(version, "name"), kind, verbs: change });
  }
  if (given["scale"] !== undefined) {
    out.push({ name: "scale", group: "autoscaling", version: "v1", kind: "Scale", verbs: change });
  }
  return out;
}

/** Every custom resource has apiVersion, kind and metadata, whatever its schema says of them. */
function schemaOf(schema: JsonObject): Schema {
  const text = { type: "string" };
  const properties = {
    ...objectAt(schema, "properties"),
    apiVersion: text,
    kind: text,
    metadata: { $ref: objectMetaName },
  };
  return new Schema({ ...schema, type: "object", properties }, definitions, true);
}

/** GA before beta before alpha, higher numbers first; other names after that by their text. */
export function byPriority(a: string, b: string): number {
  const rank = (name: string): readonly [number, number, number] | undefined => {
    const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(name);
    if (match === null) return undefined;
    const stage = match[2] === undefined ? 0 : match[2] === "beta" ? 1 : 2;
    return [stage, -Number(match[1]), -Number(match[3] ?? 0)];
  };
  const left = rank(a);
  const right = rank(b);
  if (left === undefined || right === undefined) {
    if (left !== undefined) return -1;
    return right !== undefined ? 1 : a < b ? -1 : 1;
  }
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
}

/**
 * Brings what is served in line with the stored definitions. A definition whose names are free is
 * Established.
 */
export function settleDefinition(cluster: Cluster, name: string): void {
  const definition = cluster.store.get(definitionsResource, keyOf("", name));
  if (definition === undefined) {
    cluster.kinds.setCustom(name, []);
    return;
  }
  const taken = namesTaken(cluster, name, definition);
  if (taken === undefined) cluster.kinds.setCustom(name, kindsOf(definition));
  const next = withConditions(cluster, definition, taken);
  if (!equal(next, definition)) cluster.store.write(definitionsResource, keyOf("", name), next);
}

function namesTaken(cluster: Cluster, name: string, definition: JsonObject): string | undefined {
  const group = textAt(definition, "spec", "group");
  const names = objectAt(definition, "spec", "names");
  for (const other of cluster.kinds.all) {
    if (other.group !== group || textAt(other.custom?.definition, "metadata", "name") === name) continue;
    if (other.plural === textAt(names, "plural")) return `plural name "${other.plural}" is already in use`;
    if (other.kind === textAt(names, "kind")) return `kind "${other.kind}" is already in use`;
  }
  return undefined;
}

function withConditions(cluster: Cluster, definition: JsonObject, taken: string | undefined): JsonObject {
  const spec = objectAt(definition, "spec");
  const deleting = textAt(definition, "metadata", "deletionTimestamp") !== "";
  const storage = listAt(spec, "versions").find((version) => at(version, "storage") === true);
  const accepted = taken === undefined;
  let conditions = listAt(definition, "status", "conditions");
  const set = (type: string, status: boolean, reason: string, message: string) => {
    const known = conditions.find((item) => textAt(item, "type") === type);
    const value = status ? "True" : "False";
    if (textAt(known, "status") === value && textAt(known, "reason") === reason) return;
    const same = textAt(known, "status") === value ? textAt(known, "lastTransitionTime") : "";
    const lastTransitionTime = same || timestamp(cluster.clock.now());
    const next: Json = { type, status: value, lastTransitionTime, reason, message };
    conditions = [...conditions.filter((item) => item !== known), next];
  };
  set("NamesAccepted", accepted, accepted ? "NoConflicts" : "NamesConflict", taken ?? "no conflicts found");
  const established = accepted ? "the initial names have been accepted" : "not all names are accepted";
  set("Established", accepted, accepted ? "InitialNamesAccepted" : "NotAccepted", established);
  if (deleting) {
    set("Terminating", true, "InstanceDeletionInProgress", "CustomResource deletion is in progress");
  }
  const versions = new Set([...textsAt(definition, "status", "storedVersions"), textAt(storage, "name")]);
  const status = {
    ...objectAt(definition, "status"),
    conditions,
    acceptedNames: accepted ? objectAt(spec, "names") : { plural: "", kind: "" },
    storedVersions: [...versions].filter((name) => name !== ""),
  };
  return withAt(definition, ["status"], status);
}
