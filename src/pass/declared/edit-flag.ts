import {
  type AliasEvent,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  type ScalarEvent,
} from "js-yaml";
import { apiVersionOf, type Resource } from "../../api/meta.ts";
import { sameJson } from "../../api/same-json.ts";
import { isFields } from "../../base/json.ts";
import { readYaml } from "../../base/yaml/read-yaml.ts";
import { jsonOf } from "../../base/yaml/yaml-node.ts";
import { lineAt, lineStarts, type YamlRefusal } from "../../base/yaml/yaml-text.ts";
import type { Fields } from "./cluster-fields.ts";
import { limits } from "./limits.ts";

/** Which object of a file, and what `spec.<field>` of it is to be. */
export type FlagEdit = {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly field: string;
  readonly value: boolean;
};

/** `content` is the whole file; equal to what was read when the flag stands so already. */
export type FlagEdited = { readonly content: string; readonly changed: boolean };

/**
 * Sets a flag in the spec of one object of a YAML or JSON file, and leaves every other byte of it as it is. What
 * comes out is read again: where anything but the flag would mean something else, the edit is refused with the
 * line of the object. An absent flag is false.
 */
export function editFlag(bytes: Uint8Array, edit: FlagEdit): FlagEdited | YamlRefusal {
  const before = readYaml(bytes, limits);
  const [refusal] = before.refusals;
  if (refusal !== undefined) return refusal;
  const content = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const documents = before.documents.map(jsonOf);
  const [found, second] = findObject(documents, edit);
  if (found === undefined) return { line: 1, message: `the file does not declare ${edit.name} any more` };
  if (second !== undefined) return { line: 1, message: `the file declares ${edit.name} twice` };
  const skipped = content.startsWith("\uFEFF") ? 1 : 0;
  const text = content.slice(skipped);
  const spot = spotAt(spotsOf(text), found);
  const line = spot === undefined ? 1 : lineAt(lineStarts(text), spot.start);
  const spec = specOf(documents, found);
  if ((spec?.[edit.field] ?? false) === edit.value) return { content, changed: false };
  const wanted = documents.map((document, index) =>
    index === found[0] ? withFlag(document, found.slice(1), edit) : document,
  );
  for (const splice of spot === undefined ? [] : splices(text, spot, edit)) {
    const edited = `${content.slice(0, skipped + splice.at)}${splice.text}${content.slice(skipped + splice.until)}`;
    if (means(edited, wanted)) return { content: edited, changed: true };
  }
  return {
    line,
    message: `spec.${edit.field} of ${edit.name} cannot be set here without touching something else`,
  };
}

/** Where an object stands: number of its document, then positions in `items` of lists. */
type Way = readonly number[];

function findObject(documents: readonly unknown[], edit: FlagEdit): readonly Way[] {
  return documents.flatMap((document, index) => waysIn(document, [index], edit));
}

function waysIn(value: unknown, way: Way, edit: FlagEdit): readonly Way[] {
  if (!isFields(value)) return [];
  const { kind, items } = value;
  if (typeof kind === "string" && kind.endsWith("List") && Array.isArray(items))
    return items.flatMap((item, index) => waysIn(item, [...way, index], edit));
  const metadata = isFields(value["metadata"]) ? value["metadata"] : {};
  const same =
    kind === edit.resource.kind &&
    value["apiVersion"] === apiVersionOf(edit.resource) &&
    metadata["name"] === edit.name &&
    metadata["namespace"] === edit.namespace;
  return same ? [way] : [];
}

function specOf(documents: readonly unknown[], way: Way): Fields | undefined {
  let at: unknown = documents[way[0] ?? 0];
  for (const index of way.slice(1))
    at = isFields(at) && Array.isArray(at["items"]) ? at["items"][index] : undefined;
  return isFields(at) && isFields(at["spec"]) ? at["spec"] : undefined;
}

function withFlag(value: unknown, way: Way, edit: FlagEdit): unknown {
  if (!isFields(value)) return value;
  const [index, ...rest] = way;
  const { items } = value;
  if (index !== undefined && Array.isArray(items))
    return { ...value, items: items.map((item, at) => (at === index ? withFlag(item, rest, edit) : item)) };
  const spec = isFields(value["spec"]) ? value["spec"] : {};
  return { ...value, spec: { ...spec, [edit.field]: edit.value } };
}

function means(content: string, wanted: readonly unknown[]): boolean {
  const read = readYaml(new TextEncoder().encode(content), limits);
  return read.refusals.length === 0 && sameJson(read.documents.map(jsonOf), wanted);
}

/** A value and where it stands in the text; `end` is where its last token ends. */
type Spot = { readonly start: number; readonly end: number } & (
  | { readonly kind: "scalar" | "alias"; readonly quoted: boolean; readonly key: string | undefined }
  | { readonly kind: "list"; readonly items: readonly Spot[] }
  | {
      readonly kind: "map";
      readonly flow: boolean;
      readonly entries: readonly { readonly key: Spot; readonly value: Spot }[];
    }
);

type Reader = { readonly text: string; readonly events: readonly Event[]; next: number; end: number };

/** The file was read before: what stops the reading has been refused. */
function spotsOf(text: string): readonly Spot[] {
  const reader: Reader = { text, events: parseEvents(text, { maxDepth: limits.depth }), next: 0, end: 0 };
  const roots: Spot[] = [];
  while (reader.next < reader.events.length) {
    reader.next += 1;
    roots.push(spotOf(reader));
    // The end of the document.
    reader.next += 1;
  }
  return roots;
}

function spotOf(reader: Reader): Spot {
  const event = reader.events[reader.next++];
  if (event?.type === EVENT_ID.MAPPING) {
    const entries: { key: Spot; value: Spot }[] = [];
    while (reader.events[reader.next]?.type !== EVENT_ID.POP)
      entries.push({ key: spotOf(reader), value: spotOf(reader) });
    reader.next += 1;
    const flow = reader.text[event.start] === "{";
    return { kind: "map", start: event.start, end: reader.end, flow, entries };
  }
  if (event?.type === EVENT_ID.SEQUENCE) {
    const items: Spot[] = [];
    while (reader.events[reader.next]?.type !== EVENT_ID.POP) items.push(spotOf(reader));
    reader.next += 1;
    return { kind: "list", start: event.start, end: reader.end, items };
  }
  return leafOf(reader, event);
}

function leafOf(reader: Reader, event: Event | undefined): Spot {
  if (event?.type === EVENT_ID.ALIAS) return aliasSpot(reader, event);
  if (event?.type !== EVENT_ID.SCALAR || event.valueStart < 0)
    return { kind: "scalar", start: reader.end, end: reader.end, quoted: false, key: undefined };
  return scalarSpot(reader, event);
}

function aliasSpot(reader: Reader, { anchorStart, anchorEnd }: AliasEvent): Spot {
  reader.end = anchorEnd;
  return { kind: "alias", start: anchorStart - 1, end: anchorEnd, quoted: false, key: undefined };
}

function scalarSpot(reader: Reader, event: ScalarEvent): Spot {
  const { text } = reader;
  const before = text[event.valueStart - 1] ?? "";
  const quoted = (before === '"' || before === "'") && text[event.valueEnd] === before;
  const start = quoted ? event.valueStart - 1 : event.valueStart;
  const end = quoted ? event.valueEnd + 1 : event.valueEnd;
  reader.end = end;
  return { kind: "scalar", start, end, quoted, key: getScalarValue(text, event) };
}

function spotAt(roots: readonly Spot[], way: Way): Spot | undefined {
  let at = roots[way[0] ?? 0];
  for (const index of way.slice(1)) {
    const items: Spot | undefined = valueOf(at, "items");
    at = items?.kind === "list" ? items.items[index] : undefined;
  }
  return at;
}

function entryOf(spot: Spot | undefined, name: string) {
  return spot?.kind === "map"
    ? spot.entries.find(({ key }) => key.kind === "scalar" && key.key === name)
    : undefined;
}

function valueOf(spot: Spot | undefined, name: string): Spot | undefined {
  return entryOf(spot, name)?.value;
}

type Splice = { readonly at: number; readonly until: number; readonly text: string };

/** Edits that may do it, the tidiest first; each is judged by what the file means afterwards. */
function splices(text: string, object: Spot, { field, value }: FlagEdit): readonly Splice[] {
  const spec = entryOf(object, "spec");
  if (spec === undefined) return object.kind === "map" ? newSpec(text, object, { field, value }) : [];
  const flag = entryOf(spec.value, field);
  if (flag !== undefined) return [replaced(text, flag, String(value))];
  if (spec.value.kind === "scalar") return [replaced(text, spec, `{ ${field}: ${value} }`)];
  if (spec.value.kind !== "map") return [];
  if (spec.value.flow) return [inFlow(text, spec.value, `${field}`, String(value))];
  const line = `${field}: ${value}`;
  return [belowKey(text, spec.key, spec.value, line), beforeFirst(text, spec.value, line)];
}

type MapSpot = Spot & { readonly kind: "map" };
type EntrySpot = MapSpot["entries"][number];

/** Over the value, or behind the colon where there is none. */
function replaced(text: string, { key, value }: EntrySpot, written: string): Splice {
  if (value.end > value.start) return { at: value.start, until: value.end, text: written };
  const at = text.indexOf(":", key.end) + 1;
  return { at, until: at, text: ` ${written}` };
}

/** A line of its own directly below `key:`, so that comments of the fields stay with their fields. */
function belowKey(text: string, key: Spot, map: MapSpot, line: string): Splice {
  const at = endOfLine(text, key.end);
  return { at, until: at, text: `${lineEndOf(text)}${indentOf(text, map)}${line}` };
}

/** Before the first field: for a map that begins on the line of its key. */
function beforeFirst(text: string, map: MapSpot, line: string): Splice {
  return { at: map.start, until: map.start, text: `${line}${lineEndOf(text)}${indentOf(text, map)}` };
}

function inFlow(text: string, map: MapSpot, field: string, value: string): Splice {
  const open = map.start + 1;
  const [first] = map.entries;
  const quoted = first === undefined ? text.trimStart().startsWith("{") : text[first.key.start] === '"';
  const written = `${quoted ? `"${field}"` : field}: ${value}`;
  if (first === undefined) return { at: open, until: open, text: written };
  const between = text.slice(open, first.key.start);
  const separator = /^[ \t]*(\r\n|\r|\n)\s*$/.test(between) ? between : " ";
  return { at: first.key.start, until: first.key.start, text: `${written},${separator}` };
}

function newSpec(
  text: string,
  object: MapSpot,
  { field, value }: Pick<FlagEdit, "field" | "value">,
): readonly Splice[] {
  if (object.flow) return [inFlow(text, object, "spec", `{"${field}": ${value}}`)];
  const lineEnd = lineEndOf(text);
  const indent = indentOf(text, object);
  const at = endOfLine(text, object.end);
  return [{ at, until: at, text: `${lineEnd}${indent}spec:${lineEnd}${indent}  ${field}: ${value}` }];
}

function indentOf(text: string, map: MapSpot): string {
  const start = Math.max(text.lastIndexOf("\n", map.start - 1), text.lastIndexOf("\r", map.start - 1)) + 1;
  return " ".repeat(map.start - start);
}

function endOfLine(text: string, from: number): number {
  const found = text.slice(from).search(/[\r\n]/);
  return found < 0 ? text.length : from + found;
}

function lineEndOf(text: string): string {
  return /\r\n|\r|\n/.exec(text)?.[0] ?? "\n";
}
