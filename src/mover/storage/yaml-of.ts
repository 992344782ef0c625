/**
 * A JSON value as YAML that every reader reads back value for value, of YAML 1.1 (`kubectl`) and of 1.2: text that
 * one of them could take for something else is quoted. Keys are sorted, so that equal objects have equal bytes.
 */
export function yamlOf(value: unknown): string {
  // Lines of a block at the margin could be taken for a document's mark.
  const text = typeof value === "string" ? lineText(value) : nodeText(value, { level: 0, compact: true });
  return `${text}\n`;
}

/** `compact`: the first line stands behind something else on its line. */
type Where = { readonly level: number; readonly compact: boolean };

function nodeText(value: unknown, where: Where): string {
  switch (typeof value) {
    case "string":
      return value.includes("\n") ? blockText(value, where.level) : lineText(value);
    case "number":
      return numberText(value);
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? listText(value, where) : mapText(value as Fields, where);
    default:
      return String(value);
  }
}

type Fields = Readonly<Record<string, unknown>>;

function listText(items: readonly unknown[], { level, compact }: Where): string {
  if (items.length === 0) return "[]";
  const line = newLine(level);
  const rows = items.map((item) => `- ${nodeText(item ?? null, { level: level + 1, compact: true })}`);
  return `${compact ? "" : line}${rows.join(line)}`;
}

function mapText(fields: Fields, { level, compact }: Where): string {
  const line = newLine(level);
  let all = "";
  for (const name of Object.keys(fields).sort()) {
    const value = fields[name];
    if (value === undefined) continue;
    if (!compact || all !== "") all += line;
    all += entryText(lineText(name), value, level);
  }
  return all === "" ? "{}" : all;
}

function entryText(key: string, value: unknown, level: number): string {
  if (key.length > longestSimpleKey) {
    return `? ${key}${newLine(level)}: ${nodeText(value, { level: level + 1, compact: true })}`;
  }
  const text = nodeText(value, { level: level + 1, compact: false });
  return text.startsWith("\n") ? `${key}:${text}` : `${key}: ${text}`;
}

/** Readers look for the colon in the first 1,024 bytes. */
const longestSimpleKey = 300;

function newLine(level: number): string {
  return `\n${"  ".repeat(level)}`;
}

/** Readers of YAML 1.1 know an exponent by the dot and the sign before it. JSON has no other numbers. */
function numberText(value: number): string {
  return Number.isFinite(value) ? String(value).replace(/^(-?\d+)e/, "$1.0e") : "null";
}

/** Text of several lines, as it stands; where its end or a sign in it would need care, in quotes. */
function blockText(text: string, level: number): string {
  if (!blockCharacters.test(text) || text.endsWith("\n\n") || !/\S/.test(text)) return quotedText(text);
  // Of lines that begin with spaces a reader cannot see how deep the block is.
  const depth = /^\n* /.test(text) ? "2" : "";
  const [ending, body] = text.endsWith("\n") ? ["", text.slice(0, -1)] : ["-", text];
  return `|${depth}${ending}\n${body.replace(/^(?=[^\n])/gm, "  ".repeat(level))}`;
}

/** Text on one line, as a key or a value. */
function lineText(text: string): string {
  if (plainText.test(text) && !otherType.test(text)) return text;
  return lineCharacters.test(text) ? `'${text.replaceAll("'", "''")}'` : quotedText(text);
}

/** As JSON, whose escapes YAML has too, without what YAML calls not printable. */
function quotedText(text: string): string {
  return JSON.stringify(text).replace(
    unprintable,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Begins as no sign of YAML and no number does, and holds no `: `, no ` #`, and no space at its end. */
const plainText = /^[A-Za-z_/](?:[!-"$-9;-~]| (?=[!-"$-~])|:(?=[!-~])|(?<! )#)*$/;
/** Plain, these are no texts. */
const otherType = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
/** All that is printable, without the tab. */
const lineCharacters =
  /^[\x20-\x7E\xA1-\u2027\u202A-\uD7FF\uE000-\uFEFE\uFF00-\uFFFD\u{10000}-\u{10FFFF}]*$/u;
const blockCharacters =
  /^[\n\x20-\x7E\xA1-\u2027\u202A-\uD7FF\uE000-\uFEFE\uFF00-\uFFFD\u{10000}-\u{10FFFF}]*$/u;
const unprintable = /[\x7F-\xA0\u2028\u2029\uFEFF\uFFFE\uFFFF]/g;
