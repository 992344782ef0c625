/**
 * The first field that holds a whole number beyond 2^53, which JavaScript may have rounded when it was read:
 * `.spec.limit`. Undefined when there is none.
 */
export function unsafeIntegerAt(value: unknown, path = ""): string | undefined {
  if (typeof value === "number") {
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? path : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, child] of Object.entries(value)) {
    const found = unsafeIntegerAt(child, Array.isArray(value) ? `${path}[${name}]` : `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
