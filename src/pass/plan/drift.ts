import { sameJson } from "../../api/same-json.ts";
import { isRecord } from "./world.ts";

/** Paths of wanted fields whose live value differs. Fields that only the server knows are no drift. */
export function driftOf(wanted: unknown, live: unknown, path = ""): readonly string[] {
  if (isRecord(wanted)) {
    const there = isRecord(live) ? live : {};
    return Object.entries(wanted).flatMap(([field, value]) =>
      driftOf(value, there[field], path === "" ? field : `${path}.${field}`),
    );
  }
  if (Array.isArray(wanted) && Array.isArray(live) && wanted.length === live.length)
    return wanted.flatMap((item, index) => driftOf(item, live[index], `${path}[${index}]`));
  return sameJson(wanted, live) ? [] : [path];
}
