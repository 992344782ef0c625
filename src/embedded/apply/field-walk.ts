import type { Json, JsonObject } from "../../base/json.ts";
import type { Schema } from "../schema/schema.ts";
import { equal, isList, isObject } from "../value.ts";
import { type FieldSet, FieldSetBuilder, has, itemStep } from "./field-set.ts";

/**
 * How a value is taken apart: `leaf` as a whole, `map` field by field, `list` item by item.
 * A value whose type is not the schema's goes as what it is, with its lists as wholes.
 */
type Shape = "leaf" | "map" | "list";

function shapeOf(schema: Schema | undefined, value: Json | undefined): Shape {
  if (isObject(value)) return schema?.isAtomicMap === true ? "leaf" : "map";
  if (isList(value)) {
    if (schema === undefined || schema.type !== "array") return "leaf";
    return schema.listKind === "atomic" ? "leaf" : "list";
  }
  return "leaf";
}

function isBlank(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  if (isList(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

/** The fields that a value holds. */
export function fieldsOf(value: JsonObject, schema: Schema): FieldSet {
  const builder = new FieldSetBuilder();
  collect(value, schema, [], builder);
  return builder.build();
}

function collect(
  value: Json,
  schema: Schema | undefined,
  path: readonly string[],
  out: FieldSetBuilder,
): void {
  const shape = shapeOf(schema, value);
  if (shape === "leaf") return out.insert(path);
  if (isObject(value)) {
    for (const [name, child] of Object.entries(value)) {
      const below = [...path, `f:${name}`];
      collect(child, schema?.child(name), below, out);
      if (child === null || (isObject(child) && isBlank(child))) out.insert(below);
      else if (schema?.field(name) === undefined) out.insert(below);
    }
  } else if (isList(value) && schema !== undefined) {
    for (const item of value) {
      const step = itemStep(schema, item);
      if (step === undefined) continue;
      const below = [...path, step];
      collect(item, schema.items, below, out);
      out.insert(below);
    }
  }
}

type Comparison = {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
};

/** What changes from `before` to `after`, field by field. */
export function compare(before: JsonObject, after: JsonObject, schema: Schema): Comparison {
  const builders = {
    added: new FieldSetBuilder(),
    modified: new FieldSetBuilder(),
    removed: new FieldSetBuilder(),
  };
  compareAt(before, after, { schema, path: [] }, builders);
  return {
    added: builders.added.build(),
    modified: builders.modified.build(),
    removed: builders.removed.build(),
  };
}

type Builders = Readonly<Record<"added" | "modified" | "removed", FieldSetBuilder>>;
type Position = { readonly schema: Schema | undefined; readonly path: readonly string[] };

function compareAt(
  before: Json | undefined,
  after: Json | undefined,
  position: Position,
  out: Builders,
): void {
  if (before === undefined && after === undefined) return;
  const { schema, path } = position;
  const shapes = [before, after].filter((value) => value !== undefined && value !== null);
  const first = shapeOf(schema, shapes[0] ?? null);
  const mixed = shapes.length === 2 && shapeOf(schema, shapes[1]) !== first;
  if (first === "leaf" || mixed || (isBlank(before) && isBlank(after))) {
    if (before === undefined) out.added.insert(path);
    else if (after === undefined) out.removed.insert(path);
    else if (!equal(before, after)) out.modified.insert(path);
    return;
  }
  if (first === "map") compareMaps(before, after, position, out);
  else if (schema !== undefined) compareLists(before, after, { schema, path }, out);
  if (before === undefined) out.added.insert(path);
  else if (after === undefined) out.removed.insert(path);
}

function compareMaps(
  before: Json | undefined,
  after: Json | undefined,
  position: Position,
  out: Builders,
): void {
  const left = isObject(before) ? before : {};
  const right = isObject(after) ? after : {};
  for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const schema = position.schema?.child(name);
    const always = (object: JsonObject, side: Json | undefined) =>
      side === undefined ? object[name] : (object[name] ?? alwaysThere(position.schema, name));
    compareAt(
      always(left, before),
      always(right, after),
      { schema, path: [...position.path, `f:${name}`] },
      out,
    );
  }
}

/**
 * What a built-in kind has in a field that nobody set: structs that it holds by value are there, if empty
 * (their schema says so by the default {}), and so are, as null, lists and maps that are always written.
 * https://github.com/kubernetes/kube-openapi
 */
function alwaysThere(parent: Schema | undefined, name: string): Json | undefined {
  const schema = parent?.field(name);
  if (parent === undefined || schema === undefined || schema.custom) return undefined;
  if (isObject(schema.default) && schema.raw["properties"] !== undefined) return {};
  const container = schema.type === "array" || schema.type === "object";
  return container && parent.required.includes(name) ? null : undefined;
}

function compareLists(
  before: Json | undefined,
  after: Json | undefined,
  position: { readonly schema: Schema; readonly path: readonly string[] },
  out: Builders,
): void {
  const { schema, path } = position;
  const left = itemsByStep(before, schema);
  const right = itemsByStep(after, schema);
  for (const step of new Set([...left.keys(), ...right.keys()])) {
    const mine = left.get(step) ?? [];
    const theirs = right.get(step) ?? [];
    const below = [...path, step];
    if (mine.length <= 1 && theirs.length <= 1) {
      compareAt(mine[0], theirs[0], { schema: schema.items, path: below }, out);
    } else if (mine.length === 0) out.added.insert(below);
    else if (theirs.length === 0) out.removed.insert(below);
    else if (!equal(mine, theirs)) out.modified.insert(below);
  }
}

function itemsByStep(list: Json | undefined, schema: Schema): Map<string, Json[]> {
  const out = new Map<string, Json[]>();
  for (const item of isList(list) ? list : []) {
    const step = itemStep(schema, item);
    if (step === undefined) continue;
    const known = out.get(step);
    if (known === undefined) out.set(step, [item]);
    else known.push(item);
  }
  return out;
}

/** `live` with `config` laid over it: fields and items of `config` win, the rest stays. */
export function mergeConfig(
  live: Json | undefined,
  config: Json | undefined,
  schema: Schema | undefined,
): Json | undefined {
  if (config === undefined) return live;
  const shape = shapeOf(schema, config);
  if (live === undefined || shape === "leaf" || shapeOf(schema, live) !== shape) return config;
  if (isBlank(live) && isBlank(config)) return config;
  if (isObject(live) && isObject(config)) {
    const out: Record<string, Json> = {};
    for (const name of new Set([...Object.keys(live), ...Object.keys(config)])) {
      const merged = mergeConfig(live[name], config[name], schema?.child(name));
      if (merged !== undefined) out[name] = merged;
    }
    return out;
  }
  if (isList(live) && isList(config) && schema !== undefined) return mergeItems(live, config, schema);
  return config;
}

/** The items of both lists: in the order of `config`, the others of `live` where they stood between them. */
function mergeItems(live: readonly Json[], config: readonly Json[], schema: Schema): readonly Json[] {
  const leftSteps = live.map((item) => itemStep(schema, item) ?? "");
  const rightSteps = config.map((item) => itemStep(schema, item) ?? "");
  const left = new Map(leftSteps.map((step, index) => [step, live[index]] as const));
  const right = new Map(rightSteps.map((step, index) => [step, config[index]] as const));
  const shared = rightSteps.filter((step) => left.has(step));
  const done = new Set<string>();
  const out: Json[] = [];
  const push = (item: Json | undefined) => {
    if (item !== undefined) out.push(item);
  };
  const take = (step: string) => {
    done.add(step);
    push(mergeConfig(left.get(step), right.get(step), schema.items));
    if (shared[0] === step) shared.shift();
  };
  let l = 0;
  let r = 0;
  while (l < live.length || r < config.length) {
    const mine = leftSteps[l];
    const theirs = rightSteps[r];
    if (mine !== undefined && mine === theirs) {
      take(mine);
      l++;
      r++;
    } else if (mine !== undefined && !right.has(mine)) push(live[l++]);
    else if (mine !== undefined && (done.has(mine) || (theirs !== undefined && shared[0] !== mine))) l++;
    else if (theirs !== undefined) {
      take(theirs);
      r++;
    } else l++;
  }
  return out;
}

/** `value` without the fields and items of the set; undefined when nothing is left of it. */
export function withoutFields(value: Json, set: FieldSet, schema: Schema | undefined): Json | undefined {
  const shape = shapeOf(schema, value);
  if (shape === "leaf") return value;
  if (isObject(value)) {
    const out: Record<string, Json> = {};
    for (const [name, child] of Object.entries(value)) {
      const kept = remaining(child, `f:${name}`, set, schema?.child(name));
      if (kept !== undefined) out[name] = kept;
    }
    return Object.keys(out).length === 0 && !isBlank(value) ? undefined : out;
  }
  if (!isList(value) || schema === undefined) return value;
  const out: Json[] = [];
  for (const item of value) {
    const step = itemStep(schema, item);
    const kept = step === undefined ? item : remaining(item, step, set, schema.items);
    if (kept !== undefined) out.push(kept);
  }
  return out.length === 0 && !isBlank(value) ? undefined : out;
}

function remaining(value: Json, step: string, set: FieldSet, schema: Schema | undefined): Json | undefined {
  if (has(set, [step])) return undefined;
  const below = set.children.get(step);
  return below === undefined ? value : withoutFields(value, below, schema);
}
