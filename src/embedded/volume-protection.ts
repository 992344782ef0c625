import type { JsonObject } from "../base/json.ts";
import type { Cluster } from "./cluster.ts";
import { protectionFinalizers } from "./defaults/protection.ts";
import { keyOf } from "./kinds.ts";
import type { Address } from "./owners.ts";
import { claimsOf } from "./pod-claims.ts";
import { textAt, textsAt, withAt } from "./value.ts";
import { keep } from "./write.ts";

const claims = "/persistentvolumeclaims";

/** Claims and volumes that may have become free by a write of this object. */
export function protectedBy(resource: string, key: string, object: JsonObject): readonly Address[] {
  if (resource === "/pods") {
    const namespace = textAt(object, "metadata", "namespace");
    return claimsOf(object).map((name) => ({ resource: claims, key: keyOf(namespace, name) }));
  }
  const ending =
    protectionFinalizers[resource] !== undefined && textAt(object, "metadata", "deletionTimestamp") !== "";
  return ending ? [{ resource, key }] : [];
}

/** Takes the protection from a claim or volume that is being deleted and that nothing uses any more. */
export function releaseProtected(cluster: Cluster, { resource, key }: Address): void {
  const { store } = cluster;
  const object = store.get(resource, key);
  const finalizer = protectionFinalizers[resource];
  if (object === undefined || textAt(object, "metadata", "deletionTimestamp") === "") return;
  const rest = textsAt(object, "metadata", "finalizers").filter((one) => one !== finalizer);
  if (rest.length === textsAt(object, "metadata", "finalizers").length) return;
  const used =
    resource === claims
      ? store.list("/pods", textAt(object, "metadata", "namespace")).some((pod) => uses(pod, object))
      : textAt(object, "status", "phase") === "Bound";
  if (used) return;
  keep(
    cluster,
    resource,
    key,
    withAt(object, ["metadata", "finalizers"], rest.length === 0 ? undefined : rest),
  );
}

/** A pod that no node has, or that has ended, holds nothing. */
function uses(pod: JsonObject, claim: JsonObject): boolean {
  const phase = textAt(pod, "status", "phase");
  if (textAt(pod, "spec", "nodeName") === "" || phase === "Succeeded" || phase === "Failed") return false;
  return claimsOf(pod).includes(textAt(claim, "metadata", "name"));
}
