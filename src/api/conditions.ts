import { choice, integer, list, object, optional, type TypeOf, text, time } from "./schema.ts";

export type Condition = TypeOf<typeof conditionSchema>;
export type ConditionStatus = Condition["status"];

const conditionSchema = object(
  {
    type: text("What the condition is about, CamelCase."),
    status: choice(["True", "False", "Unknown"], "Whether it holds."),
    lastTransitionTime: time("When `status` changed last."),
    observedGeneration: optional(
      integer("metadata.generation that the condition was made for.", { format: "int64" }),
    ),
    severity: optional(text("How bad a condition that is not True is.")),
    reason: optional(text("Why, one CamelCase word.")),
    message: optional(text("Why, in a sentence.")),
  },
  "One condition.",
);

export function conditionList(description = "Conditions, one per type.") {
  return list(conditionSchema, description, { mapKeys: ["type"] });
}

/** What to set; `lastTransitionTime` is not the caller's business. */
export type NewCondition = {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
};

/**
 * The conditions with one of them set. Its `lastTransitionTime` moves only when its status changes, and the
 * same list comes back when nothing changes at all.
 */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  wanted: NewCondition,
  nowMs: number,
): readonly Condition[] {
  const before = conditionOf(conditions, wanted.type);
  const lastTransitionTime = before?.status === wanted.status ? before.lastTransitionTime : timeText(nowMs);
  const after: Condition = { ...wanted, lastTransitionTime };
  if (before === undefined) return [...(conditions ?? []), after];
  if (sameCondition(before, after)) return conditions ?? [];
  return (conditions ?? []).map((condition) => (condition === before ? after : condition));
}

function sameCondition(a: Condition, b: Condition): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.severity === b.severity &&
    a.observedGeneration === b.observedGeneration
  );
}

export function conditionOf(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditionOf(conditions, type)?.status === "True";
}

export function isFalse(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditionOf(conditions, type)?.status === "False";
}

/** A point in time as Kubernetes writes it: RFC 3339 in UTC, whole seconds. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
