import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { completeWords, type Names } from "../../../src/shells/cli/complete-words.ts";
import { completionScript } from "../../../src/shells/cli/completion-script.ts";
import { createProgram } from "../../../src/shells/cli/program.ts";
import { requireOrSkip } from "../../support/real-parts.ts";

const program = createProgram({ signal: new AbortController().signal, setExitCode: () => undefined });

const names: Names = async (what, options) => {
  const namespace = options.get("--namespace");
  if (what === "namespace") return ["shop", "vault"];
  if (what === "pausable") return ["repository/shop-data"];
  return namespace === undefined ? ["shop/one", "vault/two"] : ["one"];
};

async function completed(...words: readonly string[]): Promise<readonly string[] | "files"> {
  const { candidates, files } = await completeWords(program, words, names);
  return files ? "files" : candidates.map(({ value }) => value);
}

test.each([
  { words: ["sn"], gives: ["snapshots"] },
  { words: ["re"], gives: ["restore", "resume"] },
  { words: ["complete"], gives: [] },
  { words: ["--v"], gives: ["--version"] },
  { words: ["nothing", ""], gives: [] },
  { words: ["status", "--out"], gives: ["--output"] },
  { words: ["plan", "-o", ""], gives: ["text", "json", "yaml", "markdown"] },
  { words: ["plan", "--output", "m"], gives: ["markdown"] },
  { words: ["plan", "--output=y"], gives: ["--output=yaml"] },
  { words: ["plan", "--output", "=", "y"], gives: ["yaml"] },
  { words: ["plan", "--output", "="], gives: ["text", "json", "yaml", "markdown"] },
  { words: ["plan", "--kubeconfig", ""], gives: "files" },
  { words: ["backup", "-n", ""], gives: ["shop", "vault"] },
  { words: ["log", "-n", ""], gives: ["shop", "vault"] },
  { words: ["log", "--cl"], gives: ["--cluster"] },
  { words: ["backup", "v"], gives: ["vault/two"] },
  { words: ["backup", "-n", "shop", ""], gives: ["one"] },
  { words: ["diff", "shop/one", "va"], gives: ["vault/two"] },
  { words: ["diff", "shop/one", "vault/two", ""], gives: [] },
  { words: ["diff", "--exit-code", "sh"], gives: ["shop/one"] },
  { words: ["pause", "rep"], gives: ["repository/shop-data"] },
  { words: ["restore", "--repository", "shop"], gives: ["shop/one"] },
  { words: ["completion", ""], gives: ["bash", "zsh", "fish"] },
] as const)("$words is completed to $gives", async ({ words, gives }) => {
  expect(await completed(...words)).toEqual(gives);
});

const home = mkdtempSync(join(tmpdir(), "holdfast-completion-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const entry = fileURLToPath(new URL("../../../bin/holdfast.mjs", import.meta.url));

function scriptFor(shell: "bash" | "zsh" | "fish"): string {
  const path = join(home, `it's.${shell}`);
  writeFileSync(path, completionScript(shell, [process.execPath, entry]));
  return path;
}

test.each([
  { words: ["snap"], gives: "snapshots" },
  { words: ["log", "--output", "=", "js"], gives: "json" },
  { words: ["plan", "--kubeconfig", "a fi"], gives: "a file" },
])("bash itself completes $words to $gives", ({ words, gives }) => {
  writeFileSync(join(home, "a file"), "");
  const done = execFileSync(
    "bash",
    [
      "--norc",
      "-c",
      'source "$1"; shift; COMP_WORDS=(holdfast "$@"); COMP_CWORD=$#; complete -p holdfast >/dev/null && _holdfast; printf "%s\\n" "${COMPREPLY[@]}"',
      "bash",
      scriptFor("bash"),
      ...words,
    ],
    { encoding: "utf8", cwd: home },
  );
  expect(done).toBe(`${gives}\n`);
});

test.runIf(requireOrSkip("fish"))("fish itself completes a command and a choice", () => {
  const ask = (line: string) =>
    execFileSync(
      "fish",
      ["--no-config", "-c", "source $argv[1]; complete -C $argv[2]", scriptFor("fish"), line],
      {
        encoding: "utf8",
        env: { ...process.env, HOME: home },
      },
    );
  expect(ask("holdfast snap")).toMatch(/^snapshots\t/);
  expect(ask("holdfast plan -o mark").trim()).toBe("markdown");
});

test.runIf(requireOrSkip("zsh"))("zsh takes the script, and names its function for holdfast", () => {
  const say = 'autoload -Uz compinit; compinit -D -u; source "$1"; print $_comps[holdfast]';
  const env = { ...process.env, HOME: home };
  const done = execFileSync("zsh", ["-f", "-c", say, "zsh", scriptFor("zsh")], { encoding: "utf8", env });
  expect(done).toBe("_holdfast\n");
});
