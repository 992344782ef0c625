import type { JsonObject } from "../../base/json.ts";
import { textsAt, withAt } from "../value.ts";

/** By resource: what keeps a claim that a pod uses, and a volume that is bound, until they are free. */
export const protectionFinalizers: Readonly<Record<string, string>> = {
  "/persistentvolumeclaims": "kubernetes.io/pvc-protection",
  "/persistentvolumes": "kubernetes.io/pv-protection",
};

/** A new claim or volume with its protection; other kinds as they are. */
export function withProtection(resource: string, object: JsonObject): JsonObject {
  const finalizer = protectionFinalizers[resource];
  const known = textsAt(object, "metadata", "finalizers");
  if (finalizer === undefined || known.includes(finalizer)) return object;
  return withAt(object, ["metadata", "finalizers"], [...known, finalizer]);
}
