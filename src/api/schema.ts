import Type, { type Static, type TProperties, type TSchema } from "typebox";

/**
 * How the nouns are written down. Each field says its type, default, choices and meaning once; the TypeScript
 * type, the CRD, the JSON Schema, the validation, the defaults and the page in docs/spec are made from it.
 * Only what a structural schema of Kubernetes can say is offered here.
 */
export const optional = Type.Optional;

type Extra = {
  /** Applied by the API server, and by `defaultObject`. */
  readonly default?: unknown;
};

type TextExtra = Extra & {
  readonly pattern?: string;
  readonly format?: "date-time";
  readonly minLength?: number;
};

/** RFC 3339, as metav1.Time is written. */
export function time(description: string) {
  return Type.String({ description, format: "date-time" });
}

/** Go's duration text: `90s`, `1h30m`. */
export function duration(description: string, extra: Extra = {}) {
  return Type.String({ description, pattern: durationPattern, ...extra });
}

const durationPattern = "^(0|(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|ms|s|m|h))+)$";

export function text(description: string, extra: TextExtra = {}) {
  return Type.String({ description, ...extra });
}

export function choice<const Values extends readonly string[]>(
  values: Values,
  description: string,
  extra: Extra = {},
) {
  return Type.Unsafe<Values[number]>({ type: "string", enum: values, description, ...extra });
}

export function flag(description: string, extra: Extra = {}) {
  return Type.Boolean({ description, ...extra });
}

export function integer(
  description: string,
  extra: Extra & { readonly format?: "int32" | "int64"; readonly minimum?: number } = {},
) {
  return Type.Integer({ description, format: "int32", ...extra });
}

type ListExtra = {
  readonly minItems?: number;
  /** Entries are told apart by these fields when they are applied from several sides. */
  readonly mapKeys?: readonly string[];
};

export function list<Item extends TSchema>(items: Item, description: string, extra: ListExtra = {}) {
  const { mapKeys, ...rest } = extra;
  return Type.Array(items, {
    description,
    ...rest,
    ...(mapKeys === undefined
      ? {}
      : { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": mapKeys }),
  });
}

/** An object whose field names are free and whose values are all alike. */
export function map<Value extends TSchema>(values: Value, description: string) {
  return Type.Unsafe<Record<string, Static<Value>>>({
    type: "object",
    additionalProperties: values,
    description,
  });
}

/** An object with exactly these fields. */
export function object<Fields extends TProperties>(fields: Fields, description: string, extra: Extra = {}) {
  return Type.Object(fields, { additionalProperties: false, description, ...extra });
}

/** An object of another API that is passed on as it is; `see` names its definition, such as `core/v1 Affinity`. */
export function passedOn(see: string, description: string) {
  return Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: "object",
    "x-kubernetes-preserve-unknown-fields": true,
    description: `${clause(description)} (${see}, passed on as it is).`,
  });
}

/** A whole number or a text, such as a port or its name. */
export function numberOrText(description: string) {
  return Type.Unsafe<number | string>({ "x-kubernetes-int-or-string": true, description });
}

/** Any JSON value, kept as it is. */
export function anything(description: string) {
  return Type.Unsafe<unknown>({ "x-kubernetes-preserve-unknown-fields": true, description });
}

/** An object of another API with some of its fields known by name. */
export function openObject<Fields extends TProperties>(fields: Fields, see: string, description: string) {
  const known = Type.Object(fields, {
    "x-kubernetes-preserve-unknown-fields": true,
    description: `${clause(description)} (${see}, other fields are passed on as they are).`,
  });
  return Type.Unsafe<Static<typeof known> & { readonly [field: string]: unknown }>(known);
}

function clause(sentence: string): string {
  return sentence.replace(/\.$/, "");
}

export type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Field in keyof T]: Immutable<T[Field]> }
    : T;

/** The read-only type of a schema. */
export type TypeOf<Schema extends TSchema> = Immutable<Static<Schema>>;
