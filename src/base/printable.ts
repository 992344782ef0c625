/**
 * Text that others wrote (names in Git, keys of YAML, words of servers), fit for a terminal or a log: characters that
 * control a terminal, have no width or turn the direction of text are written as `\u001b`. Line ends and tabs stay.
 * `##[` is broken up too: runners of CI take it for a command anywhere in a line.
 */
export function printable(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
      /[\n\t]/.test(character) ? character : escaped(character),
    )
    .replaceAll("##[", "#\\u0023[");
}

/** The same on one line, so that no part of it can stand where a line of ours begins. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s*\r?\n\s*/g, " "));
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
  ).join("");
}
