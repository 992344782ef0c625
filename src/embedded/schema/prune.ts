import type { Json, JsonObject } from "../../base/json.ts";
import { definitionOf, objectMetaName } from "../kinds.ts";
import { isList, isObject } from "../value.ts";
import type { Schema } from "./schema.ts";

type Pruned = { readonly value: JsonObject; readonly unknown: readonly string[] };

/** The object without fields that its schema does not name, and the paths of those (`spec.foo`). */
export function pruned(object: JsonObject, schema: Schema): Pruned {
  const unknown: string[] = [];
  const value = prunedObject(object, schema, "", unknown);
  return { value, unknown };
}

function prunedValue(value: Json, schema: Schema | undefined, path: string, unknown: string[]): Json {
  if (schema === undefined) return value;
  if (isObject(value)) return prunedObject(value, schema, path, unknown);
  if (isList(value) && schema.items !== undefined) {
    return value.map((item, index) => prunedValue(item, schema.items, `${path}[${index}]`, unknown));
  }
  return value;
}

function prunedObject(object: JsonObject, schema: Schema, path: string, unknown: string[]): JsonObject {
  const out: Record<string, Json> = {};
  for (const [name, value] of Object.entries(object)) {
    const below = path === "" ? name : `${path}.${name}`;
    const child = schema.child(name);
    if (child !== undefined) out[name] = prunedValue(value, child, below, unknown);
    else if (schema.embedsResource && (name === "apiVersion" || name === "kind")) out[name] = value;
    else if (schema.embedsResource && name === "metadata") {
      out[name] = prunedValue(value, definitionOf(objectMetaName), below, unknown);
    } else if (schema.keepsUnknown) out[name] = value;
    else unknown.push(below);
  }
  return out;
}

/** Without nulls: to a built-in kind a null field is an absent one. */
export function withoutNulls(value: Json): Json {
  if (isList(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const out: Record<string, Json> = {};
  for (const [name, child] of Object.entries(value)) if (child !== null) out[name] = withoutNulls(child);
  return out;
}
