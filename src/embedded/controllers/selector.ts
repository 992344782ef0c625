import { isObject, listAt, textAt, textsAt } from "../value.ts";
import { stringsAt } from "./owned-pods.ts";

/** Kubernetes' LabelSelector against labels. An empty selector matches everything. */
export function matchesSelector(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  const equals = Object.entries(stringsAt(selector, "matchLabels"));
  if (!equals.every(([label, value]) => labels[label] === value)) return false;
  return listAt(selector, "matchExpressions")
    .filter(isObject)
    .every((expression) => {
      const value = labels[textAt(expression, "key")];
      const values = textsAt(expression, "values");
      switch (textAt(expression, "operator")) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
        default:
          return false;
      }
    });
}
