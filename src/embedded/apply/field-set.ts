import { jsonText, parseJson } from "../../base/exact-json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import type { Schema } from "../schema/schema.ts";
import { canonical, isList, isObject } from "../value.ts";

/**
 * A set of field paths, as server-side apply counts them. A step of a path is its text in FieldsV1:
 * `f:<field>`, `k:{"<key>":…}` for an item of a map list, `v:<value>` for a member of a set list.
 * Sets are values: every operation makes a new one.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export type FieldSet = {
  /** Steps that are in the set themselves. */
  readonly members: ReadonlySet<string>;
  readonly children: ReadonlyMap<string, FieldSet>;
};

export const emptySet: FieldSet = { members: new Set(), children: new Map() };

export function isEmpty(set: FieldSet): boolean {
  return set.members.size === 0 && [...set.children.values()].every(isEmpty);
}

/** Builds a set path by path. */
export class FieldSetBuilder {
  readonly #members = new Set<string>();
  readonly #children = new Map<string, FieldSetBuilder>();

  insert(path: readonly string[]): void {
    const [first, ...rest] = path;
    if (first === undefined) return;
    if (rest.length === 0) {
      this.#members.add(first);
      return;
    }
    let child = this.#children.get(first);
    if (child === undefined) {
      child = new FieldSetBuilder();
      this.#children.set(first, child);
    }
    child.insert(rest);
  }

  build(): FieldSet {
    const children = [...this.#children].map(([step, child]) => [step, child.build()] as const);
    return { members: new Set(this.#members), children: new Map(children) };
  }
}

function make(members: ReadonlySet<string>, children: Iterable<readonly [string, FieldSet]>): FieldSet {
  return { members, children: new Map([...children].filter(([, child]) => !isEmpty(child))) };
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map(a.children);
  for (const [step, child] of b.children) {
    const other = children.get(step);
    children.set(step, other === undefined ? child : union(other, child));
  }
  return make(new Set([...a.members, ...b.members]), children);
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const members = new Set([...a.members].filter((step) => b.members.has(step)));
  const children: (readonly [string, FieldSet])[] = [];
  for (const [step, child] of a.children) {
    const other = b.children.get(step);
    if (other !== undefined) children.push([step, intersection(child, other)]);
  }
  return make(members, children);
}

export function difference(a: FieldSet, b: FieldSet): FieldSet {
  const members = new Set([...a.members].filter((step) => !b.members.has(step)));
  const children = [...a.children].map(([step, child]) => {
    const other = b.children.get(step);
    return [step, other === undefined ? child : difference(child, other)] as const;
  });
  return make(members, children);
}

/** Like `difference`, and a member of `b` takes everything below it along. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  const members = new Set([...a.members].filter((step) => !b.members.has(step)));
  const children: (readonly [string, FieldSet])[] = [];
  for (const [step, child] of a.children) {
    if (b.members.has(step)) continue;
    const other = b.children.get(step);
    children.push([step, other === undefined ? child : recursiveDifference(child, other)]);
  }
  return make(members, children);
}

export function has(set: FieldSet, path: readonly string[]): boolean {
  const [first, ...rest] = path;
  if (first === undefined) return false;
  if (rest.length === 0) return set.members.has(first);
  const child = set.children.get(first);
  return child !== undefined && has(child, rest);
}

export function pathsOf(set: FieldSet): string[][] {
  const paths = [...set.members].map((step) => [step]);
  for (const [step, child] of set.children) paths.push(...pathsOf(child).map((rest) => [step, ...rest]));
  return paths;
}

/** The set with the named fields above its paths as members too: `a.b.c` also holds `a` if the schema names it. */
export function withNamedParents(set: FieldSet, schema: Schema | undefined): FieldSet {
  const members = new Set(set.members);
  const children: (readonly [string, FieldSet])[] = [];
  for (const [step, child] of set.children) {
    if (step.startsWith("f:") && schema?.field(step.slice(2)) !== undefined) members.add(step);
    children.push([step, withNamedParents(child, schemaAt(schema, step))]);
  }
  return make(members, children);
}

/** The schema one step further down. */
function schemaAt(schema: Schema | undefined, step: string): Schema | undefined {
  return step.startsWith("f:") ? schema?.child(step.slice(2)) : schema?.items;
}

/** FieldsV1, steps in order. */
export function toFieldsV1(set: FieldSet): JsonObject {
  const out: Record<string, Json> = {};
  const steps = new Set([...set.members, ...set.children.keys()]);
  for (const step of [...steps].sort()) {
    const child = set.children.get(step);
    if (child === undefined) out[step] = {};
    else out[step] = { ...(set.members.has(step) ? { ".": {} } : {}), ...toFieldsV1(child) };
  }
  return out;
}

export function fromFieldsV1(fields: JsonObject): FieldSet {
  const members = new Set<string>();
  const children: (readonly [string, FieldSet])[] = [];
  for (const [raw, value] of Object.entries(fields)) {
    if (raw === "." || !isObject(value)) continue;
    const step = normalStep(raw);
    const names = Object.keys(value);
    if (names.length === 0 || names.includes(".")) members.add(step);
    if (names.some((name) => name !== ".")) children.push([step, fromFieldsV1(value)]);
  }
  return make(members, children);
}

/** Keys and values of steps may come with their JSON written in another order. */
function normalStep(step: string): string {
  if (!step.startsWith("k:") && !step.startsWith("v:")) return step;
  try {
    return `${step.slice(0, 2)}${canonical(parseJson(step.slice(2)))}`;
  } catch {
    return step;
  }
}

/**
 * The step of a list's item: its keys for a map list (absent keys by the schema's default), its value for a
 * set. Undefined when the item lacks a key that has no default.
 */
export function itemStep(list: Schema, item: Json): string | undefined {
  if (list.listKind === "set") return isObject(item) || isList(item) ? undefined : `v:${canonical(item)}`;
  if (!isObject(item)) return undefined;
  const keys: Record<string, Json> = {};
  for (const key of list.listKeys) {
    const value = item[key] ?? list.items?.field(key)?.default;
    if (value !== undefined) keys[key] = value;
  }
  return Object.keys(keys).length === 0 ? undefined : `k:${canonical(keys)}`;
}

/** `.spec.containers[name="web"].image` */
export function pathText(path: readonly string[]): string {
  return path
    .map((step) => {
      if (step.startsWith("f:")) return `.${step.slice(2)}`;
      if (step.startsWith("v:")) return `[=${step.slice(2)}]`;
      const keys: unknown = parseJson(step.slice(2));
      const pairs = isObject(keys) ? Object.entries(keys) : [];
      return `[${pairs.map(([key, value]) => `${key}=${jsonText(value)}`).join(",")}]`;
    })
    .join("");
}
