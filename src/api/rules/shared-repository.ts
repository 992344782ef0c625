import { isFields } from "../../base/json.ts";
import type { ObjectReference } from "../references.ts";

/** Fields that a Repository has once, whoever names it. */
export const sharedFields = ["encryptionSecret", "deletionPolicy"] as const;

/** What such a field means, as a text to compare: `Retain` and nothing are `Delete` to the Repository. */
export function sharedValue(value: ObjectReference | string | undefined, namespace = ""): string {
  if (isFields(value)) return `${value.namespace ?? namespace}/${value.name}`;
  return value === "WipeOut" ? "WipeOut" : "Delete";
}
