import { isFields } from "../../base/json.ts";
import type { FieldPath } from "../../base/yaml/yaml-node.ts";

const ofMetadata = [
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
  "selfLink",
];

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * An object without the fields that only the cluster sets, as `kubectl get -o yaml` shows them and people paste
 * them; applying them would fail or do nothing. `dropped` names those that said something. Fields of the metadata
 * that are null count as absent.
 */
export function withoutClusterFields(object: Fields): {
  readonly object: Fields;
  readonly dropped: readonly FieldPath[];
} {
  const { status, ...rest } = object;
  const metadata = isFields(rest["metadata"]) ? rest["metadata"] : {};
  const kept = Object.entries(metadata).filter(
    ([name, value]) => !ofMetadata.includes(name) && value !== null,
  );
  const dropped: FieldPath[] = ofMetadata
    .filter((name) => saysSomething(metadata[name]))
    .map((name) => ["metadata", name]);
  if (saysSomething(status)) dropped.push(["status"]);
  const cleaned = isFields(rest["metadata"]) ? { ...rest, metadata: Object.fromEntries(kept) } : rest;
  return { object: cleaned, dropped };
}

function saysSomething(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  return !isFields(value) || Object.keys(value).length > 0;
}
