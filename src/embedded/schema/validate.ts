import { jsonText } from "../../base/exact-json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import type { Cause } from "../failure.ts";
import { canonical, equal, isList, isObject, listAt, numberAt, textAt } from "../value.ts";
import { formatFits } from "./format.ts";
import { Schema } from "./schema.ts";

/** No more causes than this are collected: one answer is read by people. */
const causesKept = 100;

/** What of an object does not fit its schema, in the words of the real server. */
export function violations(object: JsonObject, schema: Schema): readonly Cause[] {
  const out: Cause[] = [];
  check(object, schema, "", out);
  return out.slice(0, causesKept);
}

export function wrong(field: string, value: Json, message: string): Cause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${jsonText(value)}: ${message}`, field };
}

export function missing(field: string): Cause {
  return { reason: "FieldValueRequired", message: "Required value", field };
}

function check(value: Json, schema: Schema, path: string, out: Cause[]): void {
  if (out.length >= causesKept) return;
  if (value === null && (schema.nullable || !schema.custom || schema.type === "")) return;
  const type = typeOf(value);
  if (!typeFits(type, schema)) {
    out.push({
      reason: "FieldValueTypeInvalid",
      message: `Invalid value: ${JSON.stringify(type)}: ${path} in body must be of type ${schema.isIntOrString ? "integer,string" : schema.type}: ${JSON.stringify(type)}`,
      field: path === "" ? "<nil>" : path,
    });
    checkEnum(value, schema, path, out);
    return;
  }
  checkEnum(value, schema, path, out);
  if (typeof value === "string") checkText(value, schema, path, out);
  else if (typeof value === "number" || typeof value === "bigint") checkNumber(value, schema, path, out);
  else if (isList(value)) checkList(value, schema, path, out);
  else if (isObject(value)) checkObject(value, schema, path, out);
  if (schema.custom) checkJunctors(value, schema, path, out);
}

function typeOf(value: Json): string {
  if (value === null) return "null";
  if (isList(value)) return "array";
  if (typeof value === "bigint") return "integer";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function typeFits(type: string, schema: Schema): boolean {
  if (schema.isIntOrString) return type === "integer" || type === "string";
  const wanted = schema.type;
  if (wanted === "" || wanted === type) return true;
  return wanted === "number" && type === "integer";
}

function checkEnum(value: Json, schema: Schema, path: string, out: Cause[]): void {
  const allowed = schema.raw["enum"];
  // A built-in enum lists what is set; "" is absent.
  if (!isList(allowed) || (!schema.custom && value === "") || allowed.some((item) => equal(item, value)))
    return;
  out.push({
    reason: "FieldValueNotSupported",
    message: `Unsupported value: ${jsonText(value)}: supported values: ${allowed.map((item) => jsonText(item)).join(", ")}`,
    field: path,
  });
}

function checkText(value: string, schema: Schema, path: string, out: Cause[]): void {
  const { raw } = schema;
  // Code points, as the real server counts them.
  const { length } = Array.from(value);
  const least = numberAt(raw, "minLength");
  const most = numberAt(raw, "maxLength");
  if (least !== undefined && length < least) {
    out.push(wrong(path, value, `${path} in body should be at least ${least} chars long`));
  }
  if (most !== undefined && length > most) {
    out.push({
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${most} bytes`,
      field: path,
    });
  }
  const pattern = textAt(raw, "pattern");
  if (pattern !== "" && !new RegExp(pattern, "u").test(value)) {
    out.push(wrong(path, value, `${path} in body should match '${pattern}'`));
  }
  const format = textAt(raw, "format");
  if (format === "" || formatFits(format, value)) return;
  const message = `${path} in body must be of type ${format}: ${JSON.stringify(value)}`;
  out.push({ ...wrong(path, value, message), reason: "FieldValueTypeInvalid" });
}

function checkNumber(value: number | bigint, schema: Schema, path: string, out: Cause[]): void {
  const { raw } = schema;
  const least = numberAt(raw, "minimum");
  const most = numberAt(raw, "maximum");
  const above = raw["exclusiveMinimum"] === true;
  const below = raw["exclusiveMaximum"] === true;
  if (least !== undefined && (above ? value <= least : value < least)) {
    const text = above ? "greater than" : "greater than or equal to";
    out.push(wrong(path, value, `${path} in body should be ${text} ${least}`));
  }
  if (most !== undefined && (below ? value >= most : value > most)) {
    const text = below ? "less than" : "less than or equal to";
    out.push(wrong(path, value, `${path} in body should be ${text} ${most}`));
  }
  const step = numberAt(raw, "multipleOf");
  if (step !== undefined && !Number.isInteger(Number(value) / step)) {
    out.push(wrong(path, value, `${path} in body should be a multiple of ${step}`));
  }
}

function checkList(value: readonly Json[], schema: Schema, path: string, out: Cause[]): void {
  const least = numberAt(schema.raw, "minItems");
  const most = numberAt(schema.raw, "maxItems");
  if (least !== undefined && value.length < least) {
    out.push(wrong(path, value.length, `${path} in body should have at least ${least} items`));
  }
  if (most !== undefined && value.length > most) {
    out.push({
      reason: "FieldValueTooMany",
      message: `Too many: ${value.length}: must have at most ${most} items`,
      field: path,
    });
  }
  const seen = new Set<string>();
  const unique = schema.custom && schema.listKind !== "atomic";
  for (const [index, item] of value.entries()) {
    const below = `${path}[${index}]`;
    if (unique) {
      const id = idOf(item, schema);
      if (seen.has(id)) {
        out.push({ reason: "FieldValueDuplicate", message: `Duplicate value: ${id}`, field: below });
      }
      seen.add(id);
    }
    if (schema.items !== undefined) check(item, schema.items, below, out);
  }
}

function idOf(item: Json, list: Schema): string {
  if (list.listKind === "set" || !isObject(item)) return canonical(item);
  return canonical(Object.fromEntries(list.listKeys.map((key) => [key, item[key] ?? null])));
}

function checkObject(value: JsonObject, schema: Schema, path: string, out: Cause[]): void {
  const names = Object.keys(value);
  const least = numberAt(schema.raw, "minProperties");
  const most = numberAt(schema.raw, "maxProperties");
  if (least !== undefined && names.length < least) {
    out.push(wrong(path, names.length, `${path} in body should have at least ${least} properties`));
  }
  if (most !== undefined && names.length > most) {
    const message = `Too many: ${names.length}: must have at most ${most} items`;
    out.push({ reason: "FieldValueTooMany", message, field: path });
  }
  const within = (name: string) => (path === "" ? name : `${path}.${name}`);
  for (const name of names) {
    const below = schema.child(name);
    const child = value[name];
    // What the cluster itself reports is not held to the letter: the real server does not either.
    if (below === undefined || child === undefined || (!schema.custom && path === "" && name === "status"))
      continue;
    check(child, below, within(name), out);
  }
  for (const name of schema.required) {
    if (isAbsent(value[name], schema, name) && isNeeded(schema, name)) out.push(missing(within(name)));
  }
}

/** A pod without containers is none, whether the list is empty or not there. */
function isAbsent(value: Json | undefined, schema: Schema, name: string): boolean {
  return (
    value === undefined || (!schema.custom && name === "containers" && isList(value) && value.length === 0)
  );
}

/** Built-in lists and structs held by value may be absent although the schema calls them required. */
function isNeeded(schema: Schema, name: string): boolean {
  const field = schema.field(name);
  if (schema.custom || field === undefined) return true;
  if (isObject(field.default)) return false;
  return field.type !== "array" || name === "containers";
}

function checkJunctors(value: Json, schema: Schema, path: string, out: Cause[]): void {
  const fits = (raw: Json): boolean => {
    const causes: Cause[] = [];
    if (isObject(raw)) check(value, new Schema(raw, {}, true), path, causes);
    return causes.length === 0;
  };
  const { raw } = schema;
  for (const part of listAt(raw, "allOf")) {
    if (!isObject(part)) continue;
    check(value, new Schema(part, {}, true), path, out);
  }
  // The two ways to write int-or-string are a type, not a choice.
  if (isList(raw["anyOf"]) && !schema.isIntOrString && !raw["anyOf"].some(fits)) {
    out.push(wrong(path, value, `${path} in body must validate at least one schema (anyOf)`));
  }
  if (isList(raw["oneOf"]) && raw["oneOf"].filter(fits).length !== 1) {
    out.push(wrong(path, value, `${path} in body must validate one and only one schema (oneOf)`));
  }
  if (isObject(raw["not"]) && fits(raw["not"])) {
    out.push(wrong(path, value, `${path} in body must not validate the schema (not)`));
  }
}
