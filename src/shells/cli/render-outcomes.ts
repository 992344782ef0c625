import { jsonText } from "../../base/exact-json.ts";
import { oneLine } from "../../base/printable.ts";
import type { FieldChange } from "../../mover/manifests/object-outcome.ts";

/** `.spec.replicas: 1 -> 2`; a field that came has no value before, one that went none after. */
export function fieldLine(change: FieldChange): string {
  const { path, from, to } = change;
  if (!("from" in change) && !("to" in change)) return oneLine(`${path}: differs`);
  if (!("from" in change)) return oneLine(`${path}: ${valueText(to)} is new`);
  if (!("to" in change)) return oneLine(`${path}: ${valueText(from)} is gone`);
  return oneLine(`${path}: ${valueText(from)} -> ${valueText(to)}`);
}

function valueText(value: unknown): string {
  return typeof value === "string" && /^[\w (.:/-]+\)?$/.test(value) && Number.isNaN(Number(value))
    ? value
    : jsonText(value);
}
