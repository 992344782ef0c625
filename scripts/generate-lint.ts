import { writeFileSync } from "node:fs";
import { lintConfig } from "./lint-config.ts";

/** Writes `.oxlintrc.json` into the project at `root`. */
export function generateLint(root: string): void {
  writeFileSync(new URL(".oxlintrc.json", root), `${JSON.stringify(lintConfig(), null, 2)}\n`);
}

if (import.meta.main) generateLint(new URL("../", import.meta.url).href);
