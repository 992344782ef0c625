import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

const program = new URL("../../../src/shells/cli/program.ts", import.meta.url);

/** Imports the command line and prints the packages that came with it. */
const script = `
import { registerHooks } from "node:module";
const packages = new Set();
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(found.url)?.[1];
    if (name !== undefined) packages.add(name);
    return found;
  },
});
const { createProgram } = await import(${JSON.stringify(program.href)});
createProgram({ signal: new AbortController().signal, setExitCode: () => undefined });
console.log(JSON.stringify([...packages].sort()));
`;

test("before a command is chosen, nothing is loaded that only some commands need", () => {
  const printed = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
    encoding: "utf8",
  });
  expect(JSON.parse(printed)).toEqual(["commander"]);
});
