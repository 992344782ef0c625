import { jsonText } from "../../base/exact-json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { badRequest } from "../failure.ts";
import type { Schema } from "../schema/schema.ts";
import { equal, isList, isObject, textAt } from "../value.ts";

/**
 * A strategic merge patch: like a merge patch, except that lists whose schema names a merge key are merged
 * item by item, and that directives say otherwise: `$patch` (replace, delete, merge), `$retainKeys`,
 * `$deleteFromPrimitiveList/<field>`, `$setElementOrder/<field>`.
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function strategicMerged(target: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const merged = mergedObject(target, patch, schema);
  return merged ?? {};
}

const deletePrefix = "$deleteFromPrimitiveList/";
const orderPrefix = "$setElementOrder/";

/** Undefined when the patch deletes the object itself. */
function mergedObject(
  target: Json | undefined,
  patch: JsonObject,
  schema: Schema | undefined,
): JsonObject | undefined {
  const directive = patch["$patch"];
  if (directive === "delete") return undefined;
  if (directive === "replace") return plain(patch);
  if (directive !== undefined && directive !== "merge") {
    throw badRequest(`unknown $patch directive ${JSON.stringify(directive)} in a strategic merge patch`);
  }
  const out: Record<string, Json> = isObject(target) ? { ...target } : {};
  const retained = patch["$retainKeys"];
  if (isList(retained)) {
    for (const field of Object.keys(out)) if (!retained.includes(field)) delete out[field];
  }
  for (const [field, value] of Object.entries(patch)) {
    if (field === "$patch" || field === "$retainKeys") continue;
    if (field.startsWith(deletePrefix)) {
      const name = field.slice(deletePrefix.length);
      const list = out[name];
      if (isList(list) && isList(value))
        out[name] = list.filter((item) => !value.some((gone) => equal(gone, item)));
    } else if (!field.startsWith(orderPrefix)) {
      const merged = mergedValue(out[field], value, schema?.child(field));
      if (merged === undefined) delete out[field];
      else out[field] = merged;
    }
  }
  for (const [field, order] of Object.entries(patch)) {
    if (!field.startsWith(orderPrefix) || !isList(order)) continue;
    const name = field.slice(orderPrefix.length);
    const list = out[name];
    const server = isObject(target) ? target[name] : undefined;
    if (isList(list))
      out[name] = ordered(list, order, isList(server) ? server : [], schema?.child(name)?.mergeKey);
  }
  return out;
}

function mergedValue(target: Json | undefined, patch: Json, schema: Schema | undefined): Json | undefined {
  if (patch === null) return undefined;
  if (isObject(patch)) {
    if (schema?.patchStrategies.includes("replace") === true) return plain(patch);
    return mergedObject(target, patch, schema);
  }
  if (!isList(patch)) return patch;
  if (schema?.patchStrategies.includes("merge") !== true) return patch.map(plainValue);
  const key = schema.mergeKey;
  if (key === undefined) return mergedPrimitives(isList(target) ? target : [], patch);
  return mergedItems(isList(target) ? target : [], patch, key, schema.items);
}

function mergedPrimitives(target: readonly Json[], patch: readonly Json[]): readonly Json[] {
  const merged = [...target, ...patch.filter((item) => !target.some((known) => equal(known, item)))];
  return ordered(merged, patch, target, undefined);
}

function mergedItems(
  target: readonly Json[],
  patch: readonly Json[],
  key: string,
  schema: Schema | undefined,
): readonly Json[] {
  if (patch.some((item) => isObject(item) && item["$patch"] === "replace")) {
    return patch.filter((item) => !(isObject(item) && item["$patch"] === "replace")).map(plainValue);
  }
  let out = [...target];
  for (const item of patch) {
    if (!isObject(item)) throw badRequest(`an item of a list merged by ${key} is no object`);
    const id = item[key];
    if (id === undefined)
      throw badRequest(`map: ${jsonText(item)} does not contain declared merge key: ${key}`);
    const matches = (known: Json) => isObject(known) && equal(known[key], id);
    if (item["$patch"] === "delete") {
      out = out.filter((known) => !matches(known));
      continue;
    }
    const position = out.findIndex(matches);
    const merged = mergedObject(position < 0 ? undefined : out[position], item, schema);
    if (merged === undefined) continue;
    if (position < 0) out.push(merged);
    else out[position] = merged;
  }
  return ordered(out, patch, target, key);
}

/**
 * Items in the order that the patch wants; those that only the server has keep their place relative to the
 * server's own neighbours.
 */
function ordered(
  list: readonly Json[],
  order: readonly Json[],
  server: readonly Json[],
  key: string | undefined,
): readonly Json[] {
  const idOf = (item: Json) => (key === undefined ? item : isObject(item) ? (item[key] ?? null) : item);
  const rank = (item: Json) => order.findIndex((wanted) => equal(idOf(wanted), idOf(item)));
  const wanted = list.filter((item) => rank(item) >= 0).sort((a, b) => rank(a) - rank(b));
  const others = list.filter((item) => rank(item) < 0);
  const place = (item: Json) => server.findIndex((known) => equal(idOf(known), idOf(item)));
  const out: Json[] = [];
  while (wanted.length > 0 || others.length > 0) {
    const [next] = wanted;
    const [other] = others;
    const otherFirst =
      other !== undefined &&
      (next === undefined || (place(next) >= 0 && place(other) >= 0 && place(other) < place(next)));
    const item = otherFirst ? others.shift() : (wanted.shift() ?? others.shift());
    if (item !== undefined) out.push(item);
  }
  return out;
}

/** Without the directives, which must not be stored. */
function plain(patch: JsonObject): JsonObject {
  const out: Record<string, Json> = {};
  for (const [field, value] of Object.entries(patch)) {
    if (field === "$patch" || field === "$retainKeys") continue;
    if (field.startsWith(deletePrefix) || field.startsWith(orderPrefix) || value === null) continue;
    out[field] = plainValue(value);
  }
  return out;
}

function plainValue(value: Json): Json {
  if (isList(value)) return value.map(plainValue);
  return isObject(value) && textAt(value, "$patch") !== "delete" ? plain(value) : value;
}
