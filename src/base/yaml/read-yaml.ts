import {
  COLLECTION_STYLE,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from "js-yaml";
import type { MapEntry, Measured, YamlNode } from "./yaml-node.ts";
import { isInt64, isInteger, isRefusal, plainScalar, taggedScalar } from "./yaml-scalar.ts";
import { cutDocuments, lineAt, lineStarts, textOf, type YamlPiece, type YamlRefusal } from "./yaml-text.ts";

/** What a file holds: its documents in order, and what could not be read. */
export type YamlReading = {
  readonly documents: readonly YamlNode[];
  readonly refusals: readonly YamlRefusal[];
};

/** What one file may cost. Whoever outgrows it is told the number. */
export type YamlBudget = {
  readonly fileBytes: number;
  /** Nesting of lists and maps, aliases followed. */
  readonly depth: number;
  /** Values in one file, aliases and merge keys expanded. */
  readonly nodes: number;
  /** Characters of keys and text in one file, aliases and merge keys expanded. */
  readonly characters: number;
};

/**
 * The documents of a YAML or JSON file as `sigs.k8s.io/yaml` reads them. A document that cannot be read does not touch the
 * others; bytes that are no text, and budgets, concern the file. Where kubectl's reader and YAML's rules disagree
 * about a meaning, the document is refused. Refusals carry a line and never a piece of the file, because any file
 * might hold a secret by mistake.
 */
export function readYaml(bytes: Uint8Array, budget: YamlBudget): YamlReading {
  if (bytes.length > budget.fileBytes) {
    return refusedFile({ line: 1, message: `the file is larger than ${budget.fileBytes} bytes` });
  }
  const decoded = textOf(bytes);
  if (!("text" in decoded)) return refusedFile(decoded);
  const spent: Spent = { budget, nodes: 0, characters: 0 };
  const documents: YamlNode[] = [];
  const refusals: YamlRefusal[] = [];
  for (const piece of cutDocuments(decoded.text)) {
    try {
      documents.push(...composeAll(piece, spent));
    } catch (error) {
      refusals.push(refusalOf(error, piece.firstLine, budget.depth));
      if (error instanceof OverBudget) break;
    }
  }
  return { documents, refusals };
}

function refusedFile(refusal: YamlRefusal): YamlReading {
  return { documents: [], refusals: [refusal] };
}

class Refused extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** The rest of the file is not read. */
class OverBudget extends Refused {}

/** Everything but our own refusals comes from the parser: its own exception, or one that it did not foresee. */
function refusalOf(error: unknown, firstLine: number, depth: number): YamlRefusal {
  if (error instanceof Refused) return { line: error.line, message: error.message };
  if (!(error instanceof YAMLException)) return { line: firstLine, message: "this cannot be read as YAML" };
  const line = firstLine + (error.mark?.line ?? 0);
  if (error.reason.startsWith("nesting exceeded")) {
    return { line, message: tooDeep(depth) };
  }
  // Some reasons end with a quotation of the file; it is cut off.
  return { line, message: `YAML syntax error: ${error.reason.replace(/[:"].*$/s, "").trim()}` };
}

/** What the documents of one file have used of its budgets so far. */
type Spent = { readonly budget: YamlBudget; nodes: number; characters: number };

type Composer = YamlPiece & {
  readonly starts: readonly number[];
  readonly events: readonly Event[];
  readonly spent: Spent;
  next: number;
  line: number;
  /** How many collections in brackets are around what is read. */
  brackets: number;
  /** By name; undefined while the value that the anchor names is still being read. */
  readonly anchors: Map<string, YamlNode | undefined>;
};

/** The document of a piece; none where it holds nothing but comments. */
function composeAll(piece: YamlPiece, spent: Spent): readonly YamlNode[] {
  const { text, firstLine } = piece;
  const starts = lineStarts(text);
  const events = parseEvents(text, { maxDepth: spent.budget.depth });
  const composer: Composer = {
    ...piece,
    starts,
    events,
    spent,
    next: 0,
    line: firstLine,
    brackets: 0,
    anchors: new Map(),
  };
  const documents: YamlNode[] = [];
  for (let event = take(composer); event !== undefined; event = take(composer)) {
    if (event.type !== EVENT_ID.DOCUMENT) continue;
    const root = composeNode(composer);
    if (documents.length > 0) throw new Refused(root.line, "a further document must begin with a line `---`");
    documents.push(root);
  }
  return documents;
}

function take(composer: Composer): Event | undefined {
  const event = composer.events[composer.next++];
  const offset = event === undefined ? -1 : offsetOf(event);
  if (offset >= 0) composer.line = lineOfOffset(composer, offset);
  return event;
}

function lineOfOffset({ starts, firstLine }: Composer, offset: number): number {
  return lineAt(starts, offset) + firstLine - 1;
}

function offsetOf(event: Event): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart >= 0 ? event.valueStart : event.tagStart;
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  return event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE ? event.start : -1;
}

function composeNode(composer: Composer): YamlNode {
  const event = take(composer);
  switch (event?.type) {
    case EVENT_ID.SCALAR:
      return anchored(composer, event, () => composeScalar(composer, event));
    case EVENT_ID.SEQUENCE:
      refuseTag(composer, event, "seq");
      return anchored(composer, event, () => within(composer, event, composeList));
    case EVENT_ID.MAPPING:
      refuseTag(composer, event, "map");
      return anchored(composer, event, () => within(composer, event, composeMap));
    case EVENT_ID.ALIAS:
      return composeAlias(composer, event.anchorStart, event.anchorEnd);
    default:
      throw new Refused(composer.line, "a value is missing");
  }
}

function within(
  composer: Composer,
  { style }: { readonly style: number },
  compose: (composer: Composer) => YamlNode,
): YamlNode {
  const brackets = style === COLLECTION_STYLE.FLOW ? 1 : 0;
  composer.brackets += brackets;
  const node = compose(composer);
  composer.brackets -= brackets;
  return node;
}

type Anchorable = { readonly anchorStart: number; readonly anchorEnd: number };

function anchored(composer: Composer, event: Anchorable, compose: () => YamlNode): YamlNode {
  if (event.anchorStart < 0) return compose();
  const name = composer.text.slice(event.anchorStart, event.anchorEnd);
  if (!/^[\w-]+$/.test(name))
    throw new Refused(composer.line, "an anchor's name may hold letters, digits, - and _ only");
  composer.anchors.set(name, undefined);
  const node = compose();
  composer.anchors.set(name, node);
  return node;
}

function composeAlias(composer: Composer, start: number, end: number): YamlNode {
  const name = composer.text.slice(start, end);
  const node = composer.anchors.get(name);
  if (node !== undefined) {
    count(composer, node);
    return node;
  }
  const why = composer.anchors.has(name)
    ? "the value of this anchor contains itself"
    : "this anchor is not defined";
  throw new Refused(composer.line, `${why}; put text that begins with * in quotes`);
}

function composeScalar(composer: Composer, event: ScalarEvent): YamlNode {
  const { line } = composer;
  const text = getScalarValue(composer.text, event);
  count(composer, { size: 1, characters: text.length });
  if (!text.isWellFormed()) throw new Refused(line, "an escape here is half of a character");
  const value = scalarOf(composer, event, text);
  if (isRefusal(value)) throw new Refused(line, value.refused);
  return { kind: "scalar", line, value, size: 1, depth: 0, characters: text.length };
}

function scalarOf(composer: Composer, event: ScalarEvent, text: string): ReturnType<typeof plainScalar> {
  const isPlain = event.style === SCALAR_STYLE.PLAIN;
  const touched = event.anchorStart >= 0 && composer.text[event.anchorEnd] === ":";
  if (isPlain && (touched || (composer.brackets > 0 && text.startsWith(":"))))
    return { refused: "text that begins with a colon must be in quotes" };
  // Two places in flow collections where YAML 1.1 and 1.2 cut differently.
  const colon =
    composer.text[event.valueEnd] === ":" && /[,[\]{}]/.test(composer.text[event.valueEnd + 1] ?? "");
  if (isPlain && composer.brackets > 0 && event.valueStart >= 0 && (colon || text.startsWith("?"))) {
    return {
      refused: `readers of YAML disagree about this; put a space after the ${colon ? "colon" : "question mark"}`,
    };
  }
  if (event.tagStart < 0) return isPlain ? plainScalar(text) : text;
  if (/[,\]}]/.test(composer.text[event.tagEnd] ?? "")) return { refused: "put a space after the tag" };
  return taggedScalar(text, fullTag(composer, event.tagStart, event.tagEnd));
}

function fullTag(composer: Composer, start: number, end: number): string {
  const tag = composer.text.slice(start, end);
  if (tag.startsWith("!!")) return `tag:yaml.org,2002:${tag.slice(2)}`;
  return tag.startsWith("!<") ? tag.slice(2, -1) : tag;
}

function refuseTag(composer: Composer, event: { tagStart: number; tagEnd: number }, allowed: string): void {
  if (event.tagStart < 0) return;
  const tag = fullTag(composer, event.tagStart, event.tagEnd);
  if (tag === "!" || tag === `tag:yaml.org,2002:${allowed}`) return;
  throw new Refused(composer.line, "this tag has no meaning in JSON; leave it out");
}

function composeList(composer: Composer): YamlNode {
  count(composer, { size: 1, characters: 0 });
  const { line } = composer;
  const items: YamlNode[] = [];
  while (!atPop(composer)) items.push(composeNode(composer));
  return { kind: "list", line, items, ...measured(composer, line, items) };
}

function composeMap(composer: Composer): YamlNode {
  count(composer, { size: 1, characters: 0 });
  const { line } = composer;
  const entries = new Map<string, MapEntry>();
  let merge: Merge | undefined;
  while (!atPop(composer)) {
    const isMerge = atMergeKey(composer);
    const key = composeKey(composer);
    const event = composer.events[composer.next];
    refuseMapOnKeyLine(composer, event);
    const isAlias = event?.type === EVENT_ID.ALIAS;
    const entry = { line: composer.line, value: composeNode(composer) };
    const before = entries.get(key);
    if (isMerge && isAlias && entry.value.kind === "list")
      throw new Refused(entry.line, "a merge key (<<) takes a list only as it stands, not by an alias");
    if (isMerge && merge === undefined) merge = { ...entry, before: new Set(entries.keys()) };
    else if (isMerge)
      throw new Refused(entry.line, "this map has a merge key (<<) already; give that one a list");
    else if (before === undefined) entries.set(key, entry);
    else throw new Refused(entry.line, `this key stands in the same map already, at line ${before.line}`);
  }
  const all = merge === undefined ? entries : withMerged(composer, merge, entries);
  const values = [...all.values()].map(({ value }) => value);
  return { kind: "map", line, entries: all, ...measured(composer, line, values, [...all.keys()]) };
}

/** The parser takes `a: !!str b: c` for a map in a map; nobody else does. */
function refuseMapOnKeyLine(composer: Composer, event: Event | undefined): void {
  if (event?.type !== EVENT_ID.MAPPING || event.style !== COLLECTION_STYLE.BLOCK) return;
  if (lineOfOffset(composer, event.start) !== composer.line) return;
  throw new Refused(composer.line, "a map may not begin on the line of its key");
}

/** A merge key, with the keys that stood before it. */
type Merge = MapEntry & { readonly before: ReadonlySet<string> };

function withMerged(
  composer: Composer,
  merge: Merge,
  own: ReadonlyMap<string, MapEntry>,
): Map<string, MapEntry> {
  const all = new Map(own);
  for (const source of mergeSources(merge)) {
    for (const [key, entry] of source) {
      count(composer, { size: 1, characters: 0 });
      if (merge.before.has(key)) {
        // YAML says that the map's own key wins, kubectl lets the merged one win.
        throw new Refused(merge.line, "this merge key (<<) brings a key that stands above it; put << first");
      }
      if (all.has(key)) continue;
      count(composer, entry.value, key.length);
      all.set(key, entry);
    }
  }
  return all;
}

function mergeSources(merge: MapEntry): readonly ReadonlyMap<string, MapEntry>[] {
  const { value } = merge;
  const sources = value.kind === "list" ? value.items : [value];
  return sources.map((source) => {
    if (source.kind === "map") return source.entries;
    throw new Refused(merge.line, "a merge key (<<) takes a map or a list of maps");
  });
}

function atMergeKey(composer: Composer): boolean {
  const event = composer.events[composer.next];
  if (event?.type !== EVENT_ID.SCALAR || event.style !== SCALAR_STYLE.PLAIN || event.tagStart >= 0)
    return false;
  return event.valueStart >= 0 && composer.text.slice(event.valueStart, event.valueEnd) === "<<";
}

/**
 * JSON has text keys only; kubectl turns whole numbers and booleans into text, and so do we. It rounds
 * other numbers on the way, and refuses a key of several lines where it stands in braces.
 */
function composeKey(composer: Composer): string {
  const event = composer.events[composer.next];
  const node = composeNode(composer);
  composer.line = node.line;
  if (node.kind === "scalar") {
    const source =
      event?.type === EVENT_ID.SCALAR ? composer.text.slice(event.valueStart, event.valueEnd) : "";
    if (source.includes("\n")) throw new Refused(node.line, "a key must stand on one line");
    const { value } = node;
    if (typeof value === "string") return value;
    const tagged = event?.type === EVENT_ID.SCALAR && event.tagStart >= 0;
    if (typeof value === "boolean" || (!tagged && isInteger(source) && isInt64(value))) return String(value);
  }
  throw new Refused(node.line, "a key must be text; put it in quotes");
}

function atPop(composer: Composer): boolean {
  if (composer.events[composer.next]?.type !== EVENT_ID.POP) return false;
  composer.next += 1;
  return true;
}

function count({ spent, line }: Composer, added: Pick<Measured, "size" | "characters">, keyLength = 0): void {
  spent.nodes += added.size;
  spent.characters += added.characters + keyLength;
  const { nodes, characters } = spent.budget;
  const many = spent.nodes > nodes ? `${nodes} values` : undefined;
  const long = spent.characters > characters ? `${characters} characters` : undefined;
  const over = many ?? long;
  if (over === undefined) return;
  throw new OverBudget(line, `the file holds more than ${over} once its aliases are written out`);
}

function measured(
  { spent: { budget } }: Composer,
  line: number,
  children: readonly YamlNode[],
  keys: readonly string[] = [],
): Measured {
  let size = 1;
  let depth = 1;
  let characters = keys.reduce((sum, key) => sum + key.length, 0);
  for (const child of children) {
    size += child.size;
    characters += child.characters;
    depth = Math.max(depth, child.depth + 1);
  }
  if (depth <= budget.depth) return { size, depth, characters };
  throw new Refused(line, tooDeep(budget.depth));
}

function tooDeep(depth: number): string {
  return `lists and maps are nested deeper than ${depth} levels`;
}
