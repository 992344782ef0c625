import type { KubeObject } from "../../api/meta.ts";
import { jsonText } from "../../base/exact-json.ts";
import { isFields } from "../../base/json.ts";
import type { FieldChange } from "./object-outcome.ts";

const maxChanges = 50;
const maxText = 200;
/** What the server counts or notes by itself. */
const bookkeeping: ReadonlySet<string> = new Set(["managedFields", "resourceVersion", "generation"]);

/**
 * In which fields an object differs from what it was; the first 50. Long values are cut, and of a Secret only the
 * paths are told, or what `showSecret` makes of the values.
 */
export function fieldChanges(
  from: KubeObject,
  to: KubeObject,
  counts: (change: FieldChange) => boolean = () => true,
  showSecret?: (value: unknown) => string,
): readonly FieldChange[] {
  const changes: FieldChange[] = [];
  for (const change of differences(withoutBookkeeping(from), withoutBookkeeping(to), "")) {
    if (!counts(change)) continue;
    changes.push(to.kind === "Secret" ? ofSecret(change, showSecret) : shown(change));
    if (changes.length === maxChanges) break;
  }
  return changes;
}

function withoutBookkeeping(object: KubeObject): Readonly<Record<string, unknown>> {
  const kept = Object.entries(object.metadata).filter(([name]) => !bookkeeping.has(name));
  return { ...object, metadata: Object.fromEntries(kept) };
}

function* differences(from: unknown, to: unknown, path: string): Generator<FieldChange, undefined> {
  if (Object.is(from, to)) return;
  if (isFields(from) && isFields(to)) {
    for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
      yield* differences(from[name], to[name], `${path}${segment(name)}`);
    }
  } else if (Array.isArray(from) && Array.isArray(to)) {
    for (let index = 0; index < Math.max(from.length, to.length); index += 1) {
      yield* differences(from[index], to[index], `${path}[${index}]`);
    }
  } else {
    yield { path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  }
}

function segment(name: string): string {
  return /^[\w-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function ofSecret({ path, ...values }: FieldChange, show?: (value: unknown) => string): FieldChange {
  if (show === undefined) return { path };
  const digests = Object.entries(values).map(([name, value]) => [name, show(value)]);
  return { path, ...Object.fromEntries(digests) };
}

function shown({ path, ...values }: FieldChange): FieldChange {
  const cut = Object.entries(values).map(([name, value]) => {
    const text = typeof value === "string" ? value : jsonText(value);
    return [name, text.length <= maxText ? value : `${text.slice(0, maxText)}…`];
  });
  return { path, ...Object.fromEntries(cut) };
}

/** Whether every field of one value is in the other, which may have more; lists are as long. */
export function covers(whole: unknown, part: unknown): boolean {
  if (isFields(part)) {
    return isFields(whole) && Object.entries(part).every(([name, value]) => covers(whole[name], value));
  }
  if (Array.isArray(part)) {
    return (
      Array.isArray(whole) &&
      whole.length === part.length &&
      part.every((value, index) => covers(whole[index], value))
    );
  }
  // Kubernetes writes null where a field is empty.
  return Object.is(whole, part) || (part === null && whole === undefined);
}
