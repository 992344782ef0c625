import type { Json, JsonObject } from "../../base/json.ts";
import { isList, isObject } from "../value.ts";
import type { Schema } from "./schema.ts";

/**
 * A custom resource with its schema's defaults: absent fields, and nulls where null is not allowed, get the
 * default; other nulls of that sort go.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting
 */
export function defaulted(object: JsonObject, schema: Schema): JsonObject {
  const value = defaultedValue(object, schema);
  return isObject(value) ? value : object;
}

function defaultedValue(value: Json, schema: Schema): Json {
  if (isList(value)) {
    const items = schema.items;
    return items === undefined ? value : value.map((item) => defaultedValue(item, items));
  }
  if (!isObject(value)) return value;
  const out: Record<string, Json> = {};
  for (const [name, child] of Object.entries(value)) {
    const below = schema.child(name);
    if (child === null && below?.custom === true && !below.nullable) continue;
    out[name] = below === undefined ? child : defaultedValue(child, below);
  }
  for (const name of schema.fieldNames) {
    const below = schema.field(name);
    if (out[name] !== undefined || below?.custom !== true || below.default === undefined) continue;
    out[name] = defaultedValue(below.default, below);
  }
  return out;
}

/** A built-in object with the structs that its kind holds by value: they are there even when empty. */
export function withStructs(object: JsonObject, schema: Schema): JsonObject {
  const out: Record<string, Json> = {};
  for (const [name, child] of Object.entries(object)) out[name] = structsIn(child, schema.child(name));
  for (const name of schema.fieldNames) {
    if (out[name] !== undefined) continue;
    const below = schema.field(name);
    if (below === undefined || !isObject(below.default) || below.raw["properties"] === undefined) continue;
    out[name] = withStructs({}, below);
  }
  return out;
}

function structsIn(value: Json, schema: Schema | undefined): Json {
  if (schema === undefined) return value;
  if (isList(value)) return value.map((item) => structsIn(item, schema.items));
  return isObject(value) ? withStructs(value, schema) : value;
}
