import { isFields } from "../../base/json.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** What stands at a path of fields; undefined as soon as one of them is absent. */
export function fieldAt(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const name of path) {
    if (!isFields(here) || !Object.hasOwn(here, name)) return undefined;
    here = here[name];
  }
  return here;
}

/** Undefined for anything but text with at least one character. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = fieldAt(value, ...path);
  return typeof found === "string" && found !== "" ? found : undefined;
}

export function fieldsAt(value: unknown, ...path: readonly string[]): Fields {
  const found = fieldAt(value, ...path);
  return isFields(found) ? found : {};
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = fieldAt(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** A copy without one field, however deep; the value itself when the field is absent. */
export function withoutField(value: Fields, ...path: readonly string[]): Fields {
  const [name, ...rest] = path;
  if (name === undefined || !Object.hasOwn(value, name)) return value;
  if (rest.length === 0) {
    const { [name]: _gone, ...left } = value;
    return left;
  }
  const child = value[name];
  return isFields(child) ? { ...value, [name]: withoutField(child, ...rest) } : value;
}

/** A copy with one field set; what is missing on the way is made. */
export function withField(value: Fields, path: readonly [string, ...string[]], field: unknown): Fields {
  const [name, next, ...rest] = path;
  if (next === undefined) return { ...value, [name]: field };
  return { ...value, [name]: withField(fieldsAt(value, name), [next, ...rest], field) };
}
