import type { Json, JsonObject } from "../../base/json.ts";
import { badRequest, Failure } from "../failure.ts";
import { equal, isList, isObject, textAt } from "../value.ts";

/** A patch may not blow a list up without end. */
const operationsAllowed = 10_000;

/** RFC 6902. Throws 422 where a path or a test fails, as Kubernetes does. */
export function jsonPatched(document: JsonObject, patch: unknown): JsonObject {
  if (!isList(patch)) throw badRequest("a JSON patch is a list of operations");
  if (patch.length > operationsAllowed) {
    throw new Failure(
      413,
      "RequestEntityTooLarge",
      `a JSON patch has at most ${operationsAllowed} operations`,
    );
  }
  let out: Json = document;
  for (const operation of patch) out = operated(out, operation);
  if (!isObject(out)) throw unprocessable();
  return out;
}

/** The real server says no more either; the operation that failed is the client's to know. */
function unprocessable(): Failure {
  return new Failure(422, "Invalid", "the server rejected our request due to an error in our request", {});
}

function operated(document: Json, operation: Json): Json {
  const op = textAt(operation, "op");
  const path = pointer(operation, "path");
  const value = isObject(operation) ? operation["value"] : undefined;
  switch (op) {
    case "add":
      return put(document, path, needed(value, op), "add");
    case "replace":
      if (lookup(document, path) === undefined) throw unprocessable();
      return put(document, path, needed(value, op), "replace");
    case "remove":
      return removed(document, path);
    case "test":
      if (!equal(lookup(document, path) ?? null, value ?? null)) {
        throw unprocessable();
      }
      return document;
    case "copy":
      return put(document, path, found(document, pointer(operation, "from")), "add");
    case "move": {
      const from = pointer(operation, "from");
      return put(removed(document, from), path, found(document, from), "add");
    }
    default:
      throw unprocessable();
  }
}

function needed(value: Json | undefined, op: string): Json {
  if (value === undefined) throw badRequest(`${op} in a JSON patch needs a value`);
  return value;
}

function found(document: Json, path: readonly string[]): Json {
  const value = lookup(document, path);
  if (value === undefined) throw unprocessable();
  return value;
}

function pointer(operation: Json, field: string): readonly string[] {
  const raw = isObject(operation) ? operation[field] : undefined;
  if (typeof raw !== "string" || (raw !== "" && !raw.startsWith("/"))) {
    throw badRequest(`${field} of a JSON patch operation is a JSON pointer`);
  }
  const steps = raw === "" ? [] : raw.slice(1).split("/");
  return steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function index(list: readonly Json[], step: string, allowEnd: boolean): number {
  if (step === "-" && allowEnd) return list.length;
  const at = /^(0|[1-9][0-9]*)$/.test(step) ? Number(step) : -1;
  if (at < 0 || at > (allowEnd ? list.length : list.length - 1)) {
    throw unprocessable();
  }
  return at;
}

function lookup(document: Json, path: readonly string[]): Json | undefined {
  let here: Json | undefined = document;
  for (const step of path) {
    if (isList(here)) here = here[/^(0|[1-9][0-9]*)$/.test(step) ? Number(step) : -1];
    else if (isObject(here) && Object.hasOwn(here, step)) here = here[step];
    else return undefined;
  }
  return here;
}

function put(document: Json, path: readonly string[], value: Json, mode: "add" | "replace"): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (isList(document)) {
    const last = rest.length === 0;
    const at = index(document, step, last && mode === "add");
    const out = [...document];
    if (last && mode === "add") out.splice(at, 0, value);
    else out[at] = put(out[at] ?? null, rest, value, mode);
    return out;
  }
  if (!isObject(document)) throw unprocessable();
  const child = document[step];
  if (rest.length > 0 && child === undefined) throw unprocessable();
  return { ...document, [step]: put(child ?? null, rest, value, mode) };
}

function removed(document: Json, path: readonly string[]): Json {
  const [step, ...rest] = path;
  if (step === undefined) throw unprocessable();
  if (isList(document)) {
    const at = index(document, step, false);
    if (rest.length === 0) return document.filter((_, position) => position !== at);
    return document.map((item, position) => (position === at ? removed(item, rest) : item));
  }
  const child = isObject(document) && Object.hasOwn(document, step) ? document[step] : undefined;
  if (!isObject(document) || child === undefined) throw unprocessable();
  if (rest.length > 0) return { ...document, [step]: removed(child, rest) };
  return Object.fromEntries(Object.entries(document).filter(([name]) => name !== step));
}
