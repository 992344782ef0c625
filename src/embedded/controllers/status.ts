import type { KubeObject, Resource } from "../../api/meta.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { equal, isObject, listAt, objectAt, textAt } from "../value.ts";
import { type Client, targetOf } from "./client.ts";
import { timestamp } from "./event-recorder.ts";

export type ConditionWords = {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
};

export function conditionsOf(object: unknown): readonly JsonObject[] {
  return listAt(object, "status", "conditions").filter(isObject);
}

export function conditionOf(object: unknown, type: string): JsonObject | undefined {
  return conditionsOf(object).find((one) => textAt(one, "type") === type);
}

export function isTrue(object: unknown, type: string): boolean {
  return textAt(conditionOf(object, type), "status") === "True";
}

/**
 * The conditions with one of them set. What is as it was keeps its times, so that an unchanged world is not
 * written again; `extra` adds the kind's own time fields on a change.
 */
export function withCondition(
  conditions: readonly JsonObject[],
  words: ConditionWords,
  nowMs: number,
  extra: JsonObject = {},
): readonly JsonObject[] {
  const old = conditions.find((one) => textAt(one, "type") === words.type);
  const same = old !== undefined && textAt(old, "status") === words.status;
  const lastTransitionTime = same ? textAt(old, "lastTransitionTime") : timestamp(nowMs);
  if (same && textAt(old, "reason") === words.reason && textAt(old, "message") === words.message)
    return conditions;
  const { type, status, ...because } = words;
  // The server drops empty texts, so they are not written.
  const told = Object.fromEntries(Object.entries(because).filter(([, text]) => text !== ""));
  const next: JsonObject = { type, status, ...told, lastTransitionTime, ...extra };
  return old === undefined
    ? [...conditions, next]
    : conditions.map((one) => (textAt(one, "type") === words.type ? next : one));
}

/**
 * Makes the object's status this one, with a merge patch on the condition that nobody has changed the
 * object meanwhile (409). Writes nothing when it is so already. Answers the object as it is then.
 */
export async function writeStatus(
  client: Client,
  resource: Resource,
  object: KubeObject,
  status: JsonObject,
): Promise<KubeObject> {
  const present = objectAt(object, "status");
  const patch = changesOf(present, status);
  if (Object.keys(patch).length === 0) return object;
  const { resourceVersion } = object.metadata;
  return client.patch(resource, targetOf(object), { metadata: { resourceVersion }, status: patch }, "status");
}

/** The merge patch that makes `present` into `wanted`; fields with the value undefined are no fields. */
export function changesOf(present: JsonObject, wanted: JsonObject): Readonly<Record<string, Json>> {
  const patch: Record<string, Json> = {};
  for (const [field, value] of Object.entries(wanted)) {
    const old = present[field];
    if (equal(old, value)) continue;
    patch[field] = isObject(value) && isObject(old) ? changesOf(old, value) : value;
  }
  for (const field of Object.keys(present)) if (!Object.hasOwn(wanted, field)) patch[field] = null;
  return patch;
}
