/** Shorter values are not searched for: a password of two letters would blacken every word. */
export const shortestSecret = 4;
/** Pieces of base64 that are shorter are found in ordinary words. */
const shortestPiece = 6;
/** Lines of a key are shown one by one; shorter ones say nothing. */
const shortestLine = 16;

/**
 * Answers a function that replaces every given secret in a text by `***`, and the userinfo of every URL. A secret is
 * found as it is, percent-encoded as URLs and forms do it, escaped as in JSON, line by line, and in base64, also
 * inside something longer such as `user:password`.
 */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  const values = new Set<string>();
  for (const secret of secrets) {
    if (secret.length >= shortestSecret) values.add(secret);
    if (!secret.includes("\n")) continue;
    for (const line of secret.split(/\r?\n/)) if (line.length >= shortestLine) values.add(line);
  }
  // The longest first, so that a secret inside another one leaves no remains.
  const ordered = [...values].sort((a, b) => b.length - a.length);
  const patterns = [...ordered.map(spellings), ...ordered.flatMap(base64Pieces)];
  return (text) => patterns.reduce((left, form) => left.replace(form, "***"), redactUserinfo(text));
}

/** A copy of plain JSON in which no URL has userinfo. */
export function withoutUserinfo(value: unknown): unknown {
  if (typeof value === "string") return redactUserinfo(value);
  if (Array.isArray(value)) return value.map(withoutUserinfo);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withoutUserinfo(each)]));
}

function redactUserinfo(text: string): string {
  // Hardly any text holds a URL, and every text of a pass comes by here.
  if (!text.includes("://")) return text;
  return text.replace(/([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]{1,512}@/gi, "$1***@");
}

/** The secret with each of its characters as it is, percent-encoded or escaped, in any mixture. */
function spellings(secret: string): RegExp {
  const each = Array.from(secret, (character) => {
    const percent = [...Buffer.from(character, "utf8")].map((byte) => `%${anyCase(byte, 2)}`).join("");
    const units = character.split("").map((unit) => `\\\\u${anyCase(unit.charCodeAt(0), 4)}`);
    const json = JSON.stringify(character).slice(1, -1);
    const plus = character === " " ? ["\\+"] : [];
    return `(?:${[...[character, json].map(literally), percent, units.join(""), ...plus].join("|")})`;
  });
  return new RegExp(each.join(""), "g");
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function anyCase(number: number, digits: number): string {
  const hex = number.toString(16).padStart(digits, "0");
  return hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

/** What base64 makes of the secret after 0, 1 and 2 bytes of something else, without what its neighbours touch. */
function base64Pieces(secret: string): readonly RegExp[] {
  const bytes = Buffer.from(secret, "utf8");
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const piece = whole
      .toString("base64")
      .slice(Math.ceil((before * 8) / 6), Math.floor((whole.length * 8) / 6));
    if (piece.length < shortestPiece) return [];
    const inUrlsToo = piece.replaceAll("+", "[+-]").replaceAll("/", "[/_]");
    return [new RegExp(`${inUrlsToo}[\\w+/-]{0,2}={0,2}`, "g")];
  });
}
