import { createHash } from "node:crypto";
import { type KubeObject, type OwnerReference, ownerOf } from "../../api/meta.ts";
import type { JsonObject } from "../../base/json.ts";
import { objectAt, textAt } from "../value.ts";
import { isTrue } from "./status.ts";

/** What controllers ask of pods. */

export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

export function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  return owner.metadata.uid !== undefined && controllerOf(object)?.uid === owner.metadata.uid;
}

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";

export function phaseOf(pod: KubeObject): string {
  return textAt(pod, "status", "phase") || "Pending";
}

export function isTerminal(pod: KubeObject): boolean {
  const phase = phaseOf(pod);
  return phase === "Succeeded" || phase === "Failed";
}

export function isTerminating(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** Neither finished nor on its way out. */
export function isActive(pod: KubeObject): boolean {
  return !isTerminal(pod) && !isTerminating(pod);
}

export function isReady(pod: KubeObject): boolean {
  return !isTerminating(pod) && isTrue(pod, "Ready");
}

const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/** A short text for names, of characters that form no words; the same input gives the same text. */
export function shortHash(input: string, length: number): string {
  const digest = createHash("sha256").update(input).digest();
  return [...digest.subarray(0, length)].map((byte) => alphabet[byte % alphabet.length]).join("");
}

/** A pod of a template; the caller adds what its kind adds. */
export function podFromTemplate(
  template: unknown,
  owner: KubeObject,
  name: string,
  extra: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly spec?: JsonObject;
  } = {},
): KubeObject {
  const { namespace } = owner.metadata;
  const labels = { ...stringsAt(template, "metadata", "labels"), ...extra.labels };
  const annotations = { ...stringsAt(template, "metadata", "annotations"), ...extra.annotations };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(extra.finalizers === undefined ? {} : { finalizers: extra.finalizers }),
      ownerReferences: [ownerOf(owner)],
    },
    spec: { ...objectAt(template, "spec"), ...extra.spec },
  };
}

/** The string fields of an object at a path. */
export function stringsAt(value: unknown, ...path: readonly string[]): Readonly<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const [field, text] of Object.entries(objectAt(value, ...path)))
    if (typeof text === "string") out[field] = text;
  return out;
}
