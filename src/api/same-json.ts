/** Whether two JSON values say the same; the order of fields does not matter, and an undefined field is none. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => sameJson(item, b[index]))
    );
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  return within(a, b) && fieldCount(a) === fieldCount(b);
}

function within(some: object, all: object): boolean {
  return Object.entries(some).every(
    ([name, value]) =>
      value === undefined || (Object.hasOwn(all, name) && sameJson(value, fieldOf(all, name))),
  );
}

function fieldOf(value: object, name: string): unknown {
  return (value as Readonly<Record<string, unknown>>)[name];
}

function fieldCount(value: object): number {
  return Object.values(value).reduce<number>((count, one) => (one === undefined ? count : count + 1), 0);
}
