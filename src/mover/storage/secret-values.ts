import type { KubeObject } from "../../api/meta.ts";
import { fieldsAt } from "./fields.ts";

/** What a Secret holds, decoded. */
export function secretValuesOf(secret: KubeObject): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const [name, encoded] of Object.entries(fieldsAt(secret, "data"))) {
    if (typeof encoded === "string") values[name] = Buffer.from(encoded, "base64").toString("utf8");
  }
  return values;
}
