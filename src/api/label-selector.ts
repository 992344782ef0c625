import { choice, list, map, object, optional, type TypeOf, text } from "./schema.ts";

export type LabelSelector = TypeOf<ReturnType<typeof labelSelector>>;

export type LabelRequirement = NonNullable<LabelSelector["matchExpressions"]>[number];

export function labelSelector(description: string) {
  const requirement = object(
    {
      key: text("Label that the requirement is about."),
      operator: choice(["In", "NotIn", "Exists", "DoesNotExist"], "How the label is compared."),
      values: optional(list(text("A value."), "Values for `In` and `NotIn`.")),
    },
    "One requirement on a label.",
  );
  return object(
    {
      matchLabels: optional(map(text("Value of the label."), "Labels that must have exactly these values.")),
      matchExpressions: optional(list(requirement, "Requirements that must all hold.")),
    },
    description,
  );
}

/** Whether labels meet every requirement of a selector; an empty selector matches everything. */
export function matchesSelector(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(selector.matchLabels ?? {});
  if (!wanted.every(([label, value]) => labels[label] === value)) return false;
  return (selector.matchExpressions ?? []).every((requirement) => matchesRequirement(requirement, labels));
}

/** `NotIn` and `DoesNotExist` hold where the label is not. */
export function matchesRequirement(
  { key, operator, values = [] }: LabelRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}
