import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** Paths of the tracked files that exist, from the project's root, optionally below a folder. */
export function trackedFiles(folder = ""): readonly string[] {
  const args = ["ls-files", "-z", "--cached", "--deduplicate", "--", folder === "" ? "." : folder];
  const deleted = new Set(list(["ls-files", "-z", "--deleted"]));
  return list(args).filter((path) => !deleted.has(path));
}

function list(args: readonly string[]): readonly string[] {
  const printed = execFileSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return printed.split("\0").filter((path) => path !== "");
}

export function textOf(path: string): string {
  return readFileSync(new URL(path, `file://${root}`), "utf8");
}

/** What a TypeScript file imports, re-exports or loads, as it is written there. */
export type Import = { readonly specifier: string; readonly line: number; readonly typeOnly: boolean };

const declaration = /^(import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
const call = /\bimport\(\s*"([^"]+)"\s*\)/g;

export function importsOf(text: string): readonly Import[] {
  const lineOf = (offset: number) => text.slice(0, offset).split("\n").length;
  const declared = [...text.matchAll(declaration)].map((match) => ({
    specifier: match[3] ?? "",
    line: lineOf(match.index),
    typeOnly: match[2] !== undefined,
  }));
  const loaded = [...text.matchAll(call)].map((match) => ({
    specifier: match[1] ?? "",
    line: lineOf(match.index),
    typeOnly: false,
  }));
  return [...declared, ...loaded];
}
