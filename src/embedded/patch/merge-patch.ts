import type { Json, JsonObject } from "../../base/json.ts";
import { isObject } from "../value.ts";

/** RFC 7386: null takes a field out, objects merge, everything else replaces. */
export function mergePatched(target: Json | undefined, patch: JsonObject): JsonObject {
  const out: Record<string, Json> = isObject(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete out[field];
    else if (isObject(value)) out[field] = mergePatched(out[field], value);
    else out[field] = value;
  }
  return out;
}
