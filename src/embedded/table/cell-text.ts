import type { Json, JsonObject } from "../../base/json.ts";
import { listAt, objectAt, textAt, textsAt } from "../value.ts";
import { age } from "./duration.ts";

/** The cells of one object, in the order of its kind's columns. `now` in ms. */
export type Cells = (object: JsonObject, now: number) => readonly Json[];

export const none = "<none>";
export const unset = "<unset>";

export const name = (object: JsonObject) => textAt(object, "metadata", "name");
export const ageOf = (object: JsonObject, now: number) =>
  age(textAt(object, "metadata", "creationTimestamp"), now);
export const or = (text: string, otherwise: string) => (text === "" ? otherwise : text);

export function selector(value: JsonObject, otherwise = none): string {
  const labels = Object.entries(objectAt(value, "matchLabels")).map(
    ([key, text]) => `${key}=${String(text)}`,
  );
  for (const expression of listAt(value, "matchExpressions")) {
    const key = textAt(expression, "key");
    const operator = textAt(expression, "operator");
    const values = textsAt(expression, "values").join(",");
    if (operator === "Exists") labels.push(key);
    else if (operator === "DoesNotExist") labels.push(`!${key}`);
    else labels.push(`${key} ${operator.toLowerCase()} (${values})`);
  }
  return labels.length === 0 ? otherwise : labels.join(",");
}

export function labelsText(labels: JsonObject): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
  return pairs.length === 0 ? none : pairs.join(",");
}
