import type { Json, JsonObject } from "../base/json.ts";
import { itemStep, pathText } from "./apply/field-set.ts";
import { badRequest, Failure } from "./failure.ts";
import { apiVersion, type Kind } from "./kinds.ts";
import { pruned } from "./schema/prune.ts";
import type { Schema } from "./schema/schema.ts";
import { isList, isObject, listAt, textAt } from "./value.ts";
import type { Place } from "./write.ts";

type Identity = Pick<Kind, "group" | "version" | "kind"> & Partial<Pick<Kind, "custom">>;

/**
 * A body of the kind that the path names, with no other name or namespace. Of built-in kinds it may leave out
 * what it is; custom ones have to say it. Throws 400.
 */
export function requireFitting(kind: Identity, place: Place, body: unknown): JsonObject {
  if (!isObject(body)) throw badRequest("the body of the request is no JSON object");
  requireIdentity(kind, body);
  const name = textAt(body, "metadata", "name");
  if (place.name !== "" && name !== place.name) {
    throw badRequest(
      name === ""
        ? `the object for ${place.name} has no metadata.name: name must be provided`
        : `the name of the object (${name}) does not match the name on the URL (${place.name})`,
    );
  }
  const namespace = textAt(body, "metadata", "namespace");
  if (namespace !== "" && namespace !== place.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  return { ...body, apiVersion: apiVersion(kind), kind: kind.kind };
}

function requireIdentity(kind: Identity, body: JsonObject): void {
  const wanted = { apiVersion: apiVersion(kind), kind: kind.kind };
  for (const field of ["apiVersion", "kind"] as const) {
    const sent = body[field] ?? "";
    if (sent === "" && kind.custom === undefined) continue;
    if (sent === "" || typeof sent !== "string") {
      throw badRequest(
        `the object provided is unrecognized (must be of type ${kind.kind}): ${field} is missing, or no text`,
      );
    }
    if (sent !== wanted[field]) {
      throw badRequest(
        `the ${field} in the data (${sent}) does not match the expected ${field} (${wanted[field]})`,
      );
    }
  }
}

/** An applied configuration names only fields that the schema has, and no managedFields. Throws 400, 500. */
export function requireApplicable(kind: Kind, place: Place, config: JsonObject): void {
  const [unknown] = pruned(config, kind.schema).unknown;
  const wrong =
    unknown === undefined
      ? duplicateIn(config, kind.schema, "")
      : `.${unknown}: field not declared in schema`;
  if (wrong !== undefined) {
    const where = `${place.namespace}/${place.name}; ${apiVersion(kind)}, Kind=${kind.kind}`;
    throw new Failure(500, "", `failed to create typed patch object (${where}): ${wrong}`);
  }
  if (listAt(config, "metadata", "managedFields").length > 0)
    throw badRequest("metadata.managedFields must be nil");
}

/** Two items with one key in a list that is a map or a set: nobody could own them apart. */
function duplicateIn(value: Json, schema: Schema | undefined, path: string): string | undefined {
  if (schema === undefined) return undefined;
  if (isObject(value)) {
    for (const [name, child] of Object.entries(value)) {
      const found = duplicateIn(child, schema.child(name), `${path}.${name}`);
      if (found !== undefined) return found;
    }
  } else if (isList(value) && schema.type === "array" && schema.listKind !== "atomic") {
    const seen = new Set<string>();
    for (const item of value) {
      const step = itemStep(schema, item);
      if (step === undefined) return `${path}: element lacks the keys ${schema.listKeys.join(", ")}`;
      if (seen.has(step)) return `${path}: duplicate entries for key ${pathText([step])}`;
      seen.add(step);
      const found = duplicateIn(item, schema.items, `${path}${pathText([step])}`);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
