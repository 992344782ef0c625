import { badWhenTrue } from "../api/condition-types.ts";
import { fieldOf } from "./field-of.ts";

/** What the conditions and components of a status say is wrong. */
export function complaintsOf(status: unknown): readonly string[] {
  const conditions = fieldOf(status, "conditions");
  const wrong = (Array.isArray(conditions) ? conditions : []).filter(
    (one) => one.message && ["Unknown", badWhenTrue.has(one.type) ? "True" : "False"].includes(one.status),
  );
  const components = Object.values(fieldOf(status, "components") ?? {}).map((one) => fieldOf(one, "error"));
  return [
    ...wrong.map((one) => `${one.reason}: ${one.message}`),
    ...components.filter((error) => typeof error === "string"),
  ];
}
