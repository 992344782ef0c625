/** A field of an object by its path; undefined when any part is absent. */
export function fieldOf(object: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, name) =>
      typeof at === "object" && at !== null ? Object.getOwnPropertyDescriptor(at, name)?.value : undefined,
    object,
  );
}

/** The same as text, `-` when absent. */
export function textOf(object: unknown, ...path: readonly string[]): string {
  const value = fieldOf(object, ...path);
  return value === undefined || value === null || value === "" ? "-" : String(value);
}
