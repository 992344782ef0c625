import type { Json, JsonObject } from "../base/json.ts";
import { itemStep, pathText } from "./apply/field-set.ts";
import { badRequest, Failure } from "./failure.ts";
import { apiVersion, type Kind } from "./kinds.ts";
import { pruned } from "./schema/prune.ts";
import type { Schema } from "./schema/schema.ts";
import { isList, isObject, listAt, textAt } from "./value.ts";
import type { Place } from "./write.ts";

/** A body must be of the kind that the path names, and say no other name or namespace. */
export function requireFitting(
  kind: Pick<Kind, "group" | "version" | "kind">,
  place: Place,
  body: unknown,
): JsonObject {
  if (!isObject(body)) throw badRequest("the body of the request is no JSON object");
  const wanted = apiVersion(kind);
  const sent = textAt(body, "apiVersion");
  if (sent !== "" && sent !== wanted) {
    throw badRequest(
      `the API version in the data (${sent}) does not match the expected API version (${wanted})`,
    );
  }
  const sentKind = textAt(body, "kind");
  if (sentKind !== "" && sentKind !== kind.kind) {
    throw badRequest(`the kind in the data (${sentKind}) does not match the expected kind (${kind.kind})`);
  }
  if (sent === "" || sentKind === "") {
    throw new Failure(
      400,
      "BadRequest",
      `Object 'Kind' and 'apiVersion' must be given in the body of the request`,
    );
  }
  const name = textAt(body, "metadata", "name");
  if (place.name !== "" && name !== "" && name !== place.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${place.name})`);
  }
  const namespace = textAt(body, "metadata", "namespace");
  if (namespace !== "" && namespace !== place.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  return body;
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
