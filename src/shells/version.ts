import { readFileSync } from "node:fs";

/** Of this package, from its own package.json: the same file in a checkout and in a published package. */
export const version: string = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
).version;
