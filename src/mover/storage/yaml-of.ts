import { dump } from "js-yaml";

/**
 * YAML as `kubectl` reads it back, value for value: text that a reader of YAML 1.1 or 1.2 would take for
 * something else is quoted. Keys are sorted, so that equal objects have equal bytes.
 *
 * But for keys like a document's mark it is js-yaml's own text, byte for byte, at a small part of its cost: js-yaml tries the patterns of all styles on
 * every text. What is plain or a block at first sight is written here; the rest is asked of js-yaml.
 */
export function yamlOf(value: unknown): string {
  // What stands alone at the margin must not look like a document's mark.
  if (typeof value !== "object") return wholeByLibrary(value);
  const writing: Writing = { openEnded: false };
  const text = nodeText(value, { level: 0, compact: true }, writing);
  if (text === undefined) return wholeByLibrary(value);
  return writing.openEnded ? `${text}\n...\n` : `${text}\n`;
}

/** `openEnded`: what was written last is a block that only the document's end mark can close. */
type Writing = { openEnded: boolean };

/** `compact`: the first line stands behind something else on its line. */
type Where = { readonly level: number; readonly compact: boolean };

function wholeByLibrary(value: unknown): string {
  return dump(value, { lineWidth: -1, noRefs: true, sortKeys: byCodeUnit });
}

function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Undefined when js-yaml must write the whole. */
function nodeText(value: unknown, where: Where, writing: Writing): string | undefined {
  if (typeof value === "object" && value !== null) {
    const text = Array.isArray(value)
      ? listText(value, where, writing)
      : mapText(value as Readonly<Record<string, unknown>>, where, writing);
    if (text !== "") return text;
    writing.openEnded = false;
    return Array.isArray(value) ? "[]" : "{}";
  }
  writing.openEnded = false;
  if (typeof value === "string") return scalarText(value, where.level, writing);
  const short = value === null || typeof value === "boolean" || Number.isSafeInteger(value);
  return short && !Object.is(value, -0) ? String(value) : byLibrary(value);
}

function listText(
  items: readonly unknown[],
  { level, compact }: Where,
  writing: Writing,
): string | undefined {
  const line = newLine(level);
  let all = "";
  for (const item of items) {
    const text = nodeText(item ?? null, { level: level + 1, compact: true }, writing);
    if (text === undefined) return undefined;
    if (!compact || all !== "") all += line;
    all += `- ${text}`;
  }
  return all;
}

function mapText(
  fields: Readonly<Record<string, unknown>>,
  { level, compact }: Where,
  writing: Writing,
): string | undefined {
  const line = newLine(level);
  let all = "";
  for (const name of Object.keys(fields).sort()) {
    const value = fields[name];
    if (value === undefined) continue;
    // Such a key is written in a way of its own.
    if (name.length > 1_000 || name.includes("\n")) return undefined;
    const text = nodeText(value, { level: level + 1, compact: false }, writing);
    if (text === undefined) return undefined;
    if (!compact || all !== "") all += line;
    // At the margin js-yaml writes what a reader takes for the end of the document.
    const key = level === 0 && documentMark.test(name) ? JSON.stringify(name) : lineText(name);
    all += text.charCodeAt(0) === lineFeed ? `${key}:${text}` : `${key}: ${text}`;
  }
  return all;
}

const lineFeed = 10;
const documentMark = /^(?:---|\.\.\.)\s/;

function newLine(level: number): string {
  return `\n${"  ".repeat(level)}`;
}

function scalarText(text: string, level: number, writing: Writing): string {
  if (!text.includes("\n")) return lineText(text);
  if (!blockCharacters.test(text) || !/\S/.test(text)) return byLibrary(text);
  writing.openEnded = text.endsWith("\n\n");
  // Of lines that begin with spaces a reader cannot see how deep the block is.
  const depth = /^\n* /.test(text) ? "2" : "";
  const ending = writing.openEnded ? "+" : text.endsWith("\n") ? "" : "-";
  const body = text.endsWith("\n") ? text.slice(0, -1) : text;
  const indent = "  ".repeat(level);
  return `|${depth}${ending}\n${body.replace(/^(?=[^\n])/gm, indent)}`;
}

/** All that is printable, without the tab. */
const blockCharacters =
  /^[\n\x20-\x7E\xA1-\u2027\u202A-\uD7FF\uE000-\uFEFE\uFF00-\uFFFD\u{10000}-\u{10FFFF}]*$/u;

function lineText(text: string): string {
  return plainText.test(text) && !otherType.test(text) ? text : byLibrary(text);
}

/** Begins as no sign of YAML and no number does, and holds no `: `, no ` #`, and no space at its end. */
const plainText = /^[A-Za-z_/](?:[!-"$-9;-~]| (?=[!-"$-~])|:(?=[!-~])|(?<! )#)*$/;
/** Plain, these are no texts. */
const otherType = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

/** As js-yaml writes a scalar of one line inside of something. */
function byLibrary(value: unknown): string {
  return wholeByLibrary([value]).slice(2, -1);
}
