import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { timedProcess } from "./timed-process.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What is measured is what people run: JavaScript, without the work that Node.js has with sources. */
export type BuiltPackage = {
  /** The command. */
  readonly entry: string;
  /** A worker of this folder. */
  readonly worker: (name: string) => string;
  readonly remove: () => void;
};

export async function buildPackage(): Promise<BuiltPackage> {
  const place = mkdtempSync(join(tmpdir(), "holdfast-built-"));
  const project = ["-p", join(root, "test/bench/tsconfig.json"), "--outDir", place];
  await timedProcess(join(root, "node_modules/.bin/tsc"), project, { cwd: root });
  for (const name of ["schemas", "package.json", "node_modules"])
    symlinkSync(join(root, name), join(place, name));
  // A link would be followed back to the sources.
  cpSync(join(root, "bin"), join(place, "bin"), { recursive: true });
  symlinkSync(join(place, "src"), join(place, "dist"));
  return {
    entry: join(place, "bin/holdfast.mjs"),
    worker: (name) => join(place, `test/bench/workers/${name}.js`),
    remove: () => rmSync(place, { recursive: true, force: true }),
  };
}
