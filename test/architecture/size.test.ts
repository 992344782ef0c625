import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { root, textOf, trackedFiles } from "./project-files.ts";

/** Files and functions that may be longer, each with its reason. */
const exceptions: readonly { readonly path: string; readonly because: string }[] = [
  { path: "test/e2e/seeds/cluster-resources.test.ts", because: "its rows are one table over one story" },
  { path: "test/e2e/seeds/workload-volumes.test.ts", because: "its rows are one table over one story" },
];

const maxLines = 400;
const counted = trackedFiles().filter((path) => /^(?:src|test|scripts|bin)\/.*\.(?:ts|mjs)$/.test(path));
const folder = mkdtempSync(join(tmpdir(), "holdfast-size-"));
afterAll(() => rmSync(folder, { recursive: true }));
const excepted = new Set(exceptions.map(({ path }) => path));

test(`no file is longer than ${maxLines} lines`, () => {
  const long = counted.filter((path) => lines(textOf(path)) > maxLines && !excepted.has(path));
  expect(long).toEqual([]);
  expect(counted.length).toBeGreaterThan(0);
});

test("no function is longer than 80 lines", () => {
  const long = functionsOverLimit().filter(({ filename }) => !excepted.has(filename));
  expect(long.map(({ filename, message }) => `${filename}: ${message}`)).toEqual([]);
});

test("every exception is still needed", () => {
  const long = new Set(functionsOverLimit().map(({ filename }) => filename));
  const idle = exceptions.filter(({ path }) => !long.has(path) && lines(textOf(path)) <= maxLines);
  expect(idle).toEqual([]);
});

test("no comment switches a rule off", () => {
  const word = ["lint", "disable"].join("-");
  expect(counted.filter((path) => textOf(path).includes(word))).toEqual([]);
});

function lines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

type Diagnostic = { readonly filename: string; readonly message: string };

/** Counted by the linter's own parser. */
function functionsOverLimit(): readonly Diagnostic[] {
  const config = join(folder, "size.json");
  const rules = { "max-lines-per-function": ["error", { max: 80 }] };
  writeFileSync(config, JSON.stringify({ categories: { correctness: "off" }, rules }));
  const args = [join(root, "node_modules/oxlint/bin/oxlint"), "-c", config, "--format", "json", ...counted];
  const { stdout, status } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status !== 0 && status !== 1) throw new Error(`oxlint ended with ${status}`);
  const { diagnostics }: { readonly diagnostics: readonly Diagnostic[] } = JSON.parse(stdout);
  return diagnostics;
}
