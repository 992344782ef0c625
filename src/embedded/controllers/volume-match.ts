import { type LabelSelector, matchesSelector } from "../../api/label-selector.ts";
import type { KubeObject } from "../../api/meta.ts";
import { at, isObject, textAt, textsAt } from "../value.ts";
import { parseQuantity } from "./kubelet/quantity.ts";

/** Whether an existing volume can be bound to a claim: free or reserved for it, same class, big enough. */
export function isAvailableFor(volume: KubeObject, claim: KubeObject): boolean {
  if (volume.metadata.deletionTimestamp !== undefined) return false;
  const holder = at(volume, "spec", "claimRef");
  if (isObject(holder)) {
    const { namespace, name, uid } = claim.metadata;
    if (textAt(holder, "namespace") !== (namespace ?? "") || textAt(holder, "name") !== name) return false;
    const bound = textAt(holder, "uid");
    if (bound !== "" && bound !== uid) return false;
  }
  if (textAt(volume, "spec", "storageClassName") !== textAt(claim, "spec", "storageClassName")) return false;
  const modes = textsAt(volume, "spec", "accessModes");
  if (!textsAt(claim, "spec", "accessModes").every((mode) => modes.includes(mode))) return false;
  const selector = at(claim, "spec", "selector");
  if (isObject(selector) && !matchesSelector(selector as LabelSelector, volume.metadata.labels ?? {}))
    return false;
  return (
    bytes(at(volume, "spec", "capacity", "storage")) >=
    bytes(at(claim, "spec", "resources", "requests", "storage"))
  );
}

function bytes(quantity: unknown): number {
  return parseQuantity(String(quantity ?? "0")) ?? 0;
}
