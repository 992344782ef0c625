import { isObject, listAt, textAt } from "./value.ts";

/** Names of the claims that a pod mounts: those that it names, and those that are made for it alone. */
export function claimsOf(pod: unknown): readonly string[] {
  return listAt(pod, "spec", "volumes").flatMap((volume) => {
    if (!isObject(volume)) return [];
    const name = textAt(volume, "persistentVolumeClaim", "claimName");
    if (name !== "") return [name];
    return isObject(volume["ephemeral"]) ? [ephemeralClaim(pod, volume)] : [];
  });
}

/** Name of the claim that is made for an ephemeral volume of a pod. */
export function ephemeralClaim(pod: unknown, volume: unknown): string {
  return `${textAt(pod, "metadata", "name")}-${textAt(volume, "name")}`;
}
