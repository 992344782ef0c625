import { jsonText } from "../base/exact-json.ts";
import { isFields } from "../base/json.ts";
import { nearestName } from "../base/nearest-name.ts";
import { parseGoDuration, tooLong } from "./duration.ts";
import { type FieldError, type FieldPath, invalid, required } from "./field-error.ts";
import type { SchemaNode } from "./schema-node.ts";

/** Deeper than any object that Kubernetes takes; what is deeper is refused, not followed. */
const deepest = 100;

/**
 * Where a JSON value is not what the schema says. As in the API server, a field that is null counts as absent;
 * as with kubectl's strict validation, a field that the schema does not know is an error by name.
 */
export function schemaErrors(node: SchemaNode, value: unknown, path: FieldPath): readonly FieldError[] {
  if (path.length > deepest) return [invalid(path, "lies too deep")];
  const { type } = node;
  switch (type) {
    case "object":
      return isFields(value) ? fieldErrors(node, value, path) : [mismatch(path, "an object", value)];
    case "array":
      return Array.isArray(value) ? itemErrors(node, value, path) : [mismatch(path, "a list", value)];
    case "string":
      return typeof value === "string" ? textErrors(node, value, path) : [mismatch(path, "a text", value)];
    case "boolean":
      return typeof value === "boolean" ? [] : [mismatch(path, "true or false", value)];
    case "integer":
    case "number":
      if (typeof value === "bigint") return [tooLarge(path, value)];
      return typeof value === "number"
        ? numberErrors(node, value, path)
        : [mismatch(path, "a number", value)];
    default:
      return node["x-kubernetes-int-or-string"] !== true || isNumberOrText(value)
        ? []
        : [mismatch(path, "a whole number or a text", value)];
  }
}

function isNumberOrText(value: unknown): boolean {
  return typeof value === "string" || Number.isInteger(value);
}

type Fields = Readonly<Record<string, unknown>>;

function fieldErrors(node: SchemaNode, value: Fields, path: FieldPath): readonly FieldError[] {
  const known = node.properties ?? {};
  const missing = (node.required ?? [])
    .filter((name) => value[name] === undefined || value[name] === null)
    .map((name) => required([...path, name], `${name} is missing`));
  const errors = Object.entries(value).flatMap(([name, inner]) => {
    const schema = Object.hasOwn(known, name) ? known[name] : node.additionalProperties;
    if (inner === null || inner === undefined) return schema === false ? unknownField(name, known, path) : [];
    if (schema === false) return unknownField(name, known, path);
    return schema === undefined ? [] : schemaErrors(schema, inner, [...path, name]);
  });
  return [...missing, ...errors];
}

export function unknownField(
  name: string,
  known: Readonly<Record<string, unknown>>,
  path: FieldPath,
): readonly FieldError[] {
  const nearest = nearestName(name, Object.keys(known));
  const error = {
    path: [...path, name],
    message: `there is no field ${name} here`,
    severity: "error",
    reason: "UnknownField",
  } as const;
  return [nearest === undefined ? error : { ...error, next: `Write ${nearest} if that is meant.` }];
}

function itemErrors(node: SchemaNode, value: readonly unknown[], path: FieldPath): readonly FieldError[] {
  const fewest = node.minItems ?? 0;
  const errors = value.flatMap((item, index) =>
    node.items === undefined ? [] : schemaErrors(node.items, item, [...path, index]),
  );
  return value.length < fewest
    ? [invalid(path, "must not be empty"), ...errors]
    : [...errors, ...twice(node, value, path)];
}

/** Entries of a list-map that the API server would refuse as doubles. */
function twice(node: SchemaNode, value: readonly unknown[], path: FieldPath): readonly FieldError[] {
  const keys = node["x-kubernetes-list-map-keys"];
  if (keys === undefined) return [];
  const seen = new Set<string>();
  return value.flatMap((item, index) => {
    const key = jsonText(keys.map((name) => (isFields(item) ? item[name] : undefined)));
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [invalid([...path, index], `is there twice: ${keys.join(", ")} must differ`)];
  });
}

function textErrors(node: SchemaNode, value: string, path: FieldPath): readonly FieldError[] {
  if (node.enum !== undefined && !node.enum.includes(value)) return [notOneOf(node.enum, value, path)];
  if (value.length < (node.minLength ?? 0)) return [invalid(path, "must not be empty")];
  if (node.pattern !== undefined && !new RegExp(node.pattern, "u").test(value))
    return [
      invalid(path, `${quoted(value)} is no duration`, "Write numbers with units, such as 90s or 1h30m."),
    ];
  if (node.pattern !== undefined && parseGoDuration(value) === undefined)
    return [invalid(path, `${quoted(value)} ${tooLong}`, "Write a shorter duration, such as 90s or 1h30m.")];
  if (node.format === "date-time" && !isTime(value))
    return [invalid(path, `${quoted(value)} is no time`, "Write it as in 2026-01-31T12:00:00Z.")];
  return [];
}

function notOneOf(choices: readonly string[], value: string, path: FieldPath): FieldError {
  const nearest = nearestName(value, choices);
  return invalid(
    path,
    `${quoted(value)} is not one of ${choices.join(", ")}`,
    nearest === undefined ? undefined : `Write ${nearest} if that is meant.`,
  );
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function isTime(value: string): boolean {
  return rfc3339.test(value) && !Number.isNaN(Date.parse(value));
}

function numberErrors(node: SchemaNode, value: number, path: FieldPath): readonly FieldError[] {
  if (!Number.isFinite(value)) return [invalid(path, "must be a number")];
  if (node.type === "integer" && !Number.isInteger(value))
    return [invalid(path, `${value} is no whole number`)];
  if (node.format === "int32" && Math.abs(value) > 2 ** 31 - 1) return [tooLarge(path, value)];
  if (node.minimum !== undefined && value < node.minimum)
    return [invalid(path, `${value} is less than ${node.minimum}`)];
  return [];
}

function tooLarge(path: FieldPath, value: number | bigint): FieldError {
  return invalid(path, `${value} is too large`);
}

function mismatch(path: FieldPath, wanted: string, value: unknown): FieldError {
  return invalid(path, `must be ${wanted}, and is ${typeName(value)}`);
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "a text";
  if (typeof value === "bigint") return "a number";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** A value that was written, short enough for a sentence. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
}
