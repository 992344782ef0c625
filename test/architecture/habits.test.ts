import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ExitCode } from "../../src/base/exit-code.ts";
import { root, textOf, trackedFiles } from "./project-files.ts";

const all = trackedFiles();
const code = all.filter((path) => /^(?:src|test|scripts|bin)\/.*\.(?:ts|mjs)$/.test(path));
/** Text of our own: neither locked versions nor what scripts derive from others. */
const texts = all.filter((path) => !/(?:^|\/)(?:package-lock\.json|LICENSE)$|\.(?:png|gz|tgz)$/.test(path));

/** `path:line` of every line of the files that matches. */
function found(paths: readonly string[], pattern: RegExp): readonly string[] {
  return paths.flatMap((path) =>
    textOf(path)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  );
}

test("no file tells where it was made", () => {
  // Written in pieces, or this file would find itself.
  const places = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/[a-z]+/", "/Us" + "ers/", "C:\\\\Us" + "ers"];
  expect(found(texts, new RegExp(`(?:^|[\\s"'\`=(:])(?:file://)?(?:${places.join("|")})`))).toEqual([]);
});

test("no file names a package registry's host", () => {
  expect(found(texts, new RegExp(["registry", "npmjs", "org"].join("\\.")))).toEqual([]);
});

test("nothing is left to be done later", () => {
  expect(
    found(code, new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`)),
  ).toEqual([]);
});

test("no test mocks our own modules", () => {
  const calls = ["mock", "doMock", "spyOn", "stubGlobal", "mocked", "fn"].map(
    (name) => `${["v", "i"].join("")}\\.${name}\\(`,
  );
  expect(found(code, new RegExp(`\\b(?:${calls.join("|")})`))).toEqual([]);
});

test("no test is switched off or runs alone", () => {
  expect(
    found(
      code,
      new RegExp(`\\b(?:test|it|describe)\\.(?:${["sk" + "ip", "on" + "ly", "to" + "do"].join("|")})\\(`),
    ),
  ).toEqual([]);
});

test("sources never mention the folder that only CI has", () => {
  const shipped = all.filter((path) => /^(?:src|bin|scripts|schemas|examples)\//.test(path));
  expect(found(shipped, new RegExp(["..", "shared"].join("/").replaceAll(".", "\\.")))).toEqual([]);
});

test("no source file is a drawer for everything", () => {
  const drawers = /(?:^|\/)(?:utils?|helpers?|common|misc|index)(?:\/|\.ts$)/;
  expect(code.filter((path) => drawers.test(path))).toEqual([]);
});

test("file names are in kebab-case", () => {
  expect(code.filter((path) => !/^[a-z0-9.-]+$/.test(path.split("/").at(-1) ?? ""))).toEqual([]);
});

test.runIf(existsSync(join(root, "docs/cli.md")))(
  "docs/cli.md tells the exit codes that the code has",
  () => {
    const rows = [...textOf("docs/cli.md").matchAll(/^\|\s*`?(\d+)`?\s*\|/gm)].map(([, number]) =>
      Number(number),
    );
    expect(rows.sort((a, b) => a - b)).toEqual(Object.values(ExitCode).sort((a, b) => a - b));
  },
);
