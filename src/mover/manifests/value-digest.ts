import { createHmac, randomBytes } from "node:crypto";
import { jsonText } from "../../base/exact-json.ts";

/**
 * Shows whether values are equal without showing them. The key is of this call alone, so that no table of digests
 * tells what a short password was.
 */
export function createValueDigest(): (value: unknown) => string {
  const key = randomBytes(32);
  return (value) =>
    `(digest ${createHmac("sha256", key).update(jsonText(value)).digest("hex").slice(0, 12)})`;
}
