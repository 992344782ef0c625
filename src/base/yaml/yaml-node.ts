/** A value read from YAML, with the line that it stands on. Aliases share the node of their anchor. */
export type YamlNode = ScalarNode | ListNode | MapNode;

export type Scalar = string | number | bigint | boolean | null;

export type ScalarNode = {
  readonly kind: "scalar";
  readonly line: number;
  readonly value: Scalar;
} & Measured;

export type ListNode = {
  readonly kind: "list";
  readonly line: number;
  readonly items: readonly YamlNode[];
} & Measured;

export type MapNode = {
  readonly kind: "map";
  readonly line: number;
  readonly entries: ReadonlyMap<string, MapEntry>;
} & Measured;

/** `line` is the key's, which is where an editor should jump to. */
export type MapEntry = { readonly line: number; readonly value: YamlNode };

/** What the value is when every alias below it is written out. */
export type Measured = { readonly size: number; readonly depth: number; readonly characters: number };

/** The way to a field: names of maps, 0-based positions of lists. */
export type FieldPath = readonly (string | number)[];

/** As plain JSON. Bounded, because the node budget was counted with aliases expanded. */
export function jsonOf(node: YamlNode): unknown {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(jsonOf);
    case "map":
      return fieldsOf(node);
  }
}

function fieldsOf({ entries }: MapNode): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = {};
  for (const [key, { value }] of entries) {
    if (key !== "__proto__") fields[key] = jsonOf(value);
    // A field like any other.
    else Object.defineProperty(fields, key, { ...ownField, value: jsonOf(value) });
  }
  return fields;
}

const ownField = { configurable: true, enumerable: true, writable: true };

/** The line of a field, or of the nearest thing around it that is there. */
export function lineOf(node: YamlNode, field: FieldPath): number {
  let line = node.line;
  let here: YamlNode | undefined = node;
  for (const step of field) {
    const next: MapEntry | undefined = childOf(here, step);
    if (next === undefined) return line;
    line = next.line;
    here = next.value;
  }
  return line;
}

function childOf(node: YamlNode | undefined, step: string | number): MapEntry | undefined {
  if (node?.kind === "map") return node.entries.get(String(step));
  if (node?.kind !== "list") return undefined;
  const value = node.items[Number(step)];
  return value === undefined ? undefined : { line: value.line, value };
}

/** The text of a field of a map, when it is there and is text. */
export function textField(node: YamlNode, name: string): string | undefined {
  const value = node.kind === "map" ? node.entries.get(name)?.value : undefined;
  return value?.kind === "scalar" && typeof value.value === "string" ? value.value : undefined;
}
