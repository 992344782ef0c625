import type { Json } from "./json.ts";

/**
 * JSON without loss: a whole number of up to 64 bits that a double would write with other digits is a `bigint`, as
 * servers in Go have them; every other number is a `number`, so that one value has one form.
 */

declare global {
  interface JSON {
    /** A primitive that is written as these very characters. */
    rawJSON(text: string): unknown;
  }
}

/** Where no such number stands, nothing is asked of each value. */
const longNumber = /[:,[]\s*-?\d{16}|^\s*-?\d{16}/;

/** Throws a SyntaxError when the text is no JSON. `seen` hears of every field, and may throw too. */
export function parseJson(text: string, seen?: (name: string) => void): Json {
  if (seen === undefined) return longNumber.test(text) ? JSON.parse(text, exactNumber) : JSON.parse(text);
  return JSON.parse(text, (name, value: unknown, context?: Context) => {
    seen(name);
    return exactNumber(name, value, context);
  });
}

type Context = { readonly source?: string };

/** As JSON.stringify does it, with the digits of every bigint. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (thrown) {
    // Hardly any value holds a bigint, and a replacer costs as much again for all others.
    if (!(thrown instanceof TypeError)) throw thrown;
    return JSON.stringify(value, (_name, each: unknown) =>
      typeof each === "bigint" ? JSON.rawJSON(String(each)) : each,
    );
  }
}

/** A whole number in the form that it has here; undefined beyond 64 bits, where a double says other digits. */
export function exactInteger(value: bigint): number | bigint | undefined {
  const rounded = Number(value);
  if (String(rounded) === String(value)) return rounded;
  return value >= -(2n ** 63n) && value < 2n ** 64n ? value : undefined;
}

const wholeNumber = /^-?\d{16,20}$/;

function exactNumber(_name: string, value: unknown, context?: Context): unknown {
  const source = context?.source ?? "";
  if (typeof value !== "number" || Number.isSafeInteger(value) || !wholeNumber.test(source)) return value;
  return exactInteger(BigInt(source)) ?? value;
}
