import { exactInteger } from "../exact-json.ts";
import type { Scalar } from "./yaml-node.ts";

/** Why a scalar is refused. The text itself is never part of it: it might be a secret. */
export type ScalarRefusal = { readonly refused: string };

const nulls = new Set(["", "~", "null", "Null", "NULL"]);
const trues = new Set(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]);
const falses = new Set(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]);
const notFinite = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const longestWord = "false".length;
const integer = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const decimalDigits = /^[-+]?[0-9]+$/;
const shortDecimal = /^-?(?:0|[1-9][0-9]*)$/;
/** 64 binary digits, a prefix, a sign, and some zeros before them. */
const longestInteger = 80;
const tooLarge: ScalarRefusal = {
  refused: "this whole number is too large to be kept exactly; put it in quotes if it is text",
};
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const standardTag = "tag:yaml.org,2002:";

/**
 * The value of a plain scalar by the rules of go-yaml 2 behind `sigs.k8s.io/yaml`, which
 * are YAML 1.1 with octals of both spellings, without sexagesimals, and with dates as text.
 */
export function plainScalar(text: string): Scalar | ScalarRefusal {
  if (text.length <= longestWord) {
    if (nulls.has(text)) return null;
    if (trues.has(text)) return true;
    if (falses.has(text)) return false;
    if (notFinite.test(text)) return { refused: "infinity and not-a-number do not exist in JSON" };
  }
  return /^[-+.0-9]/.test(text) ? numberOr(text) : text;
}

/** The value of a scalar with an explicit tag, given in full (`tag:yaml.org,2002:int`). */
export function taggedScalar(text: string, tag: string): Scalar | ScalarRefusal {
  const name = tag.startsWith(standardTag) ? tag.slice(standardTag.length) : "";
  if (name === "str" || tag === "!") return text;
  const value = plainScalar(text);
  if (isRefusal(value)) return value;
  const fits = fitsTag(name, value, text);
  if (fits === undefined) {
    return {
      refused: "this tag has no meaning in JSON; only !!str, !!int, !!float, !!bool and !!null have",
    };
  }
  return fits ? value : { refused: `the value is not what its tag !!${name} says` };
}

export function isRefusal(value: Scalar | ScalarRefusal): value is ScalarRefusal {
  return typeof value === "object" && value !== null;
}

function fitsTag(name: string, value: Scalar, text: string): boolean | undefined {
  switch (name) {
    case "int":
      return isInteger(text) && (typeof value === "bigint" || isInt64(value));
    case "float":
      return typeof value === "number";
    case "bool":
      return typeof value === "boolean";
    case "null":
      return value === null;
    default:
      return undefined;
  }
}

/** Of a value that is spelled as a whole number. */
export function isInt64(value: Scalar): boolean {
  if (typeof value !== "number" && typeof value !== "bigint") return false;
  return BigInt.asIntN(64, BigInt(value)) === BigInt(value);
}

/** Whether plain text is spelled as a whole number, in any base. */
export function isInteger(text: string): boolean {
  return integer.test(text.replaceAll("_", ""));
}

function numberOr(text: string): Scalar | ScalarRefusal {
  const plain = text.replaceAll("_", "");
  if (text.startsWith(".") && text !== plain && float.test(plain)) {
    return { refused: "readers of YAML disagree whether this is a number; put it in quotes if it is text" };
  }
  if (integer.test(plain)) return wholeNumber(plain);
  if (!float.test(plain)) return text;
  const value = Number(plain);
  // Out of range: go-yaml falls back on the text.
  if (!Number.isFinite(value)) return text;
  // A zero before an 8 or 9: no octal, and so a float to go-yaml.
  if (decimalDigits.test(plain) && (plain.length > longestInteger || BigInt(value) !== decimal(plain)))
    return tooLarge;
  return value === 0 ? 0 : value;
}

/** To go-yaml it has at most 64 bits, 63 with a plus before it; a larger decimal one is a float. */
function wholeNumber(plain: string): number | bigint | ScalarRefusal {
  if (plain.length < 16 && shortDecimal.test(plain)) return Number(plain) || 0;
  if (plain.length > longestInteger) return tooLarge;
  const value = integerOf(plain);
  const found = exactInteger(value);
  const bits = plain.startsWith("+") ? 63n : 64n;
  const isFloat = typeof found === "number" && /^[-+]?[1-9][0-9]*$/.test(plain);
  const isInteger = value >= -(2n ** 63n) && value < 2n ** bits;
  return found !== undefined && (isInteger || isFloat) ? found : tooLarge;
}

function integerOf(plain: string): bigint {
  const digits = plain.replace(/^[-+]/, "");
  const octal = /^0[oO]?([0-7]+)$/.exec(digits)?.[1];
  const size = BigInt(octal === undefined ? digits : `0o${octal}`);
  return plain.startsWith("-") ? -size : size;
}

function decimal(plain: string): bigint {
  return BigInt(plain.replace(/^\+/, ""));
}
