import { sameJson } from "../../api/same-json.ts";
import { isFields } from "../../base/json.ts";

/** Paths of wanted fields whose live value differs. Fields that only the server knows are no drift. */
export function driftOf(wanted: unknown, live: unknown, path = ""): readonly string[] {
  const found: string[] = [];
  collectDrift(wanted, live, { path, found });
  return found;
}

function collectDrift(
  wanted: unknown,
  live: unknown,
  { path, found }: { readonly path: string; readonly found: string[] },
): void {
  if (isFields(wanted)) {
    const there = isFields(live) ? live : {};
    for (const [field, value] of Object.entries(wanted))
      collectDrift(value, there[field], { path: path === "" ? field : `${path}.${field}`, found });
  } else if (Array.isArray(wanted) && Array.isArray(live) && wanted.length === live.length) {
    for (const [index, item] of wanted.entries())
      collectDrift(item, live[index], { path: `${path}[${index}]`, found });
  } else if (!sameJson(wanted, live)) found.push(path);
}
