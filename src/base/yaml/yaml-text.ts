import { isUtf8 } from "node:buffer";

/** Something in a file that stops its reading. */
export type YamlRefusal = { readonly line: number; readonly message: string };

const byteOrderMark = "\uFEFF";
// What YAML calls not printable, and three line breaks of YAML 1.1 that editors and newer parsers do not break at.
const strange = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\u2028\u2029\uFEFF\uFFFE\uFFFF]/;

/** The text of a file without its byte order mark, or why it cannot be taken. */
export function textOf(bytes: Uint8Array): { readonly text: string } | YamlRefusal {
  if (!isUtf8(bytes)) {
    return { line: lineOfBadByte(bytes), message: "this is not UTF-8 text; save the file as UTF-8" };
  }
  const decoded = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const text = decoded.startsWith(byteOrderMark) ? decoded.slice(1) : decoded;
  const found = strange.exec(text);
  if (found === null) return separated(text);
  const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return {
    line: lineStarts(text.slice(0, found.index)).length,
    message: `the character U+${code} may not stand in YAML; write it as an escape in double quotes`,
  };
}

/** What would make the places where a file is cut into documents, or the meaning of all of them, doubtful. */
function separated(text: string): { readonly text: string } | YamlRefusal {
  const found = /\r(?!\n)|^---[ \t]*[^ \t\r\n#]|^%/m.exec(text);
  if (found === null) return { text };
  const line = lineStarts(text.slice(0, found.index)).length;
  switch (found[0][0]) {
    case "\r":
      return { line, message: "a line ends with CR alone; save the file with LF or CRLF" };
    case "%":
      return { line, message: "YAML directives (%) are not supported" };
    default:
      return { line, message: "`---` must stand on a line of its own" };
  }
}

/** A part of a file between two lines of dashes; its first line is counted from the file's start. */
export type YamlPiece = { readonly text: string; readonly firstLine: number };

/** Cuts a file as kubectl does, before anything of it is read: at every line that begins with `---`. */
export function* cutDocuments(text: string): Generator<YamlPiece> {
  let start = 0;
  let firstLine = 1;
  let line = 1;
  for (let at = 0; at < text.length; line += 1) {
    const newline = text.indexOf("\n", at);
    const next = newline < 0 ? text.length : newline + 1;
    if (text.startsWith("---", at)) {
      yield { text: text.slice(start, at), firstLine };
      start = next;
      firstLine = line + 1;
    }
    at = next;
  }
  yield { text: text.slice(start), firstLine };
}

function lineOfBadByte(bytes: Uint8Array): number {
  let line = 1;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    line += 1;
    start = end + 1;
  }
}

/** The offset at which each line begins; LF and CRLF end a line. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The 1-based line of an offset. */
export function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return Math.max(low, 1);
}
