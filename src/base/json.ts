export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [field: string]: Json };

/** Whether a value of any kind is an object with fields, and no list. */
export function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The fields of a value; none of what has no fields. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isFields(value) ? value : {};
}

/** The items of a list that have fields; none of what is no list. */
export function records(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}
