import type { Json } from "../../base/json.ts";
import { at, isList, isObject } from "../value.ts";

type Step =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "all" }
  | {
      readonly kind: "filter";
      readonly path: readonly string[];
      readonly equals: boolean;
      readonly value: Json;
    };

const stepPattern =
  /\.?([\w$/-](?:\\.|[\w$/-])*)|\.?\['([^']*)'\]|\.?\["([^"]*)"\]|\[(-?\d+)\]|(\[\*\]|\.\*)|\[\?\(@\.([\w.-]+)\s*(==|!=)\s*("[^"]*"|'[^']*'|[\w.-]+)\)\]/y;

/**
 * The values at a JSON path as printer columns write them: fields, indexes, `[*]`, and filters of the form
 * `[?(@.type=="Ready")]`. A path that cannot be read finds nothing.
 */
export function valuesAt(document: Json, path: string): readonly Json[] {
  const steps = stepsOf(path.startsWith("{") ? path.slice(1, -1) : path);
  let values: readonly Json[] = [document];
  for (const step of steps ?? []) values = values.flatMap((value) => next(value, step));
  return steps === undefined ? [] : values;
}

function stepsOf(path: string): readonly Step[] | undefined {
  const text = path.startsWith("$") ? path.slice(1) : path;
  const out: Step[] = [];
  const pattern = new RegExp(stepPattern);
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null || match[0] === "") return undefined;
    const [, plain, single, double, index, all, field, sign, literal] = match;
    const name = plain?.replaceAll(/\\(.)/g, "$1") ?? single ?? double;
    if (name !== undefined) out.push({ kind: "field", name });
    else if (index !== undefined) out.push({ kind: "index", index: Number(index) });
    else if (all !== undefined) out.push({ kind: "all" });
    else if (field !== undefined && literal !== undefined) {
      out.push({ kind: "filter", path: field.split("."), equals: sign === "==", value: literalOf(literal) });
    }
  }
  return out;
}

function literalOf(text: string): Json {
  if (/^["']/.test(text)) return text.slice(1, -1);
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function next(value: Json, step: Step): readonly Json[] {
  switch (step.kind) {
    case "field": {
      const found = at(value, step.name);
      return found === undefined ? [] : [found];
    }
    case "index": {
      const found = isList(value) ? value.at(step.index) : undefined;
      return found === undefined ? [] : [found];
    }
    case "all":
      return isList(value) ? value : isObject(value) ? Object.values(value) : [];
    case "filter":
      return isList(value)
        ? value.filter((item) => (at(item, ...step.path) === step.value) === step.equals)
        : [];
  }
}
