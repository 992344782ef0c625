import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { generatedFolders, schemaFiles } from "./schemas/schema-files.ts";

/** Writes the CRDs, JSON Schemas, the catalogue and the pages of the kinds; `root` is the project's URL with a `/`. */
export function generateSchemas(root: string): void {
  const files = schemaFiles();
  const wanted = new Set(files.map((file) => file.path));
  for (const { path, text } of files) {
    const place = new URL(path, root);
    mkdirSync(new URL("./", place), { recursive: true });
    writeFileSync(place, text);
  }
  // A file whose kind is gone would be applied by installs for ever.
  for (const folder of generatedFolders) {
    for (const name of readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: "utf8" })) {
      const path = `${folder}/${name}`;
      if (/\.(ya?ml|json|md)$/.test(name) && !wanted.has(path)) rmSync(new URL(path, root));
    }
  }
}
