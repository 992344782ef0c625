/** What the text of a parameter means, or what is wrong with it: a clause that names the place, and a remedy. */
export type Read<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly message: string; readonly next: string };

export function means<Value>(value: Value): Read<Value> {
  return { ok: true, value };
}

export function misread(message: string, next: string): Read<never> {
  return { ok: false, message, next };
}

/** Comma separated, without blanks around items and without empty ones. */
export function itemsOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** `true` and `false` as Go reads them; nothing is false. */
export function readTruth(text: string): Read<boolean> {
  if (/^(1|t|T|true|True|TRUE)$/.test(text)) return means(true);
  if (/^(0|f|F|false|False|FALSE|)$/.test(text)) return means(false);
  return misread(`${shown(text)} is neither true nor false`, 'Write "true" or "false".');
}

/** Values may be long or hold line ends; messages stay short and on one line. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
