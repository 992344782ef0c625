import { jsonText } from "../../base/exact-json.ts";
import { oneLine } from "../../base/printable.ts";
import type { FieldChange, ObjectOutcome } from "../../mover/manifests/object-outcome.ts";
import type { RestorePreview } from "./preview-restore.ts";

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

const verbs = {
  failed: "fail",
  conflict: "conflict",
  updated: "change",
  skipped: "skip",
  created: "create",
  same: "same",
} as const satisfies Record<ObjectOutcome["did"], string>;

/** What a restore would do, an object a line, and what in it would change. */
export function previewLines({
  restore,
  snapshot,
  objects,
  warnings,
  unseen,
}: RestorePreview): readonly string[] {
  return [
    `${restore} would restore from Snapshot ${snapshot}:`,
    ...objects.flatMap(outcomeLines),
    ...warnings.map((warning) => `  warning: ${warning}`),
    ...unseen.map((component) => `  component ${component}: its Job decides what is restored`),
    `${countsOf(objects)}.`,
  ].map(oneLine);
}

function outcomeLines({
  type,
  namespace,
  name,
  did,
  reason,
  notes = [],
  changes = [],
}: ObjectOutcome): readonly string[] {
  const why = [...(reason === undefined ? [] : [reason]), ...notes].join("; ");
  const home = namespace === undefined ? "" : `${namespace}/`;
  return [
    `  ${verbs[did]} ${type} ${home}${name}${why === "" ? "" : `: ${why}`}`,
    ...changes.map((change) => `      ${fieldLine(change)}`),
  ];
}

function countsOf(objects: readonly ObjectOutcome[]): string {
  if (objects.length === 0) return "No manifest would be restored";
  const order = ["created", "updated", "same", "skipped", "conflict", "failed"] as const;
  const counts = order.map((did) => ({ did, count: objects.filter((one) => one.did === did).length }));
  return counts
    .filter(({ count }) => count > 0)
    .map(({ did, count }) => `${count} ${verbs[did]}`)
    .join(", ");
}
