import { writeFileSync } from "node:fs";
import type { Argument, Command, Option } from "commander";
import { ExitCode } from "../src/base/exit-code.ts";
import { visible } from "../src/shells/cli/complete-words.ts";
import { createProgram } from "../src/shells/cli/program.ts";
import { table } from "./schemas/spec-page.ts";

/** What each exit code says; a code without a sentence does not compile. */
const exitCodes: Readonly<Record<keyof typeof ExitCode, string>> = {
  ok: "It is done, and nothing is wrong.",
  failed:
    "Something failed, or a problem of severity `error` was found; what could be done was done all the same.",
  usage: "The command line is wrong: nothing was done.",
  partial: "A part is missing: of a backup's source, or of what a download was to bring.",
  planHasChanges:
    "`holdfast plan --exit-code` found something to do, or `holdfast diff --exit-code` a difference.",
  noRepository: "restic found no repository.",
  locked: "Another restic holds the repository's lock.",
  wrongPassword: "The repository's password is wrong.",
  bug: "A bug of Holdfast: the stack is printed, please report it.",
  interrupted: "It was stopped by Ctrl-C or TERM.",
};

/** Variables that stand behind no option. */
const variables: readonly (readonly [string, string])[] = [
  ["HOLDFAST_GIT_TOKEN", "Token or password for an HTTP remote; there is no option for it on purpose."],
  ["HOLDFAST_GIT_USERNAME", "User name that goes with it; `x-access-token` by default."],
  ["HOLDFAST_GIT_TIMEOUT", "How long a remote may say nothing before it is given up; `30s` by default."],
  [
    "HOLDFAST_IMAGE",
    "Image that Jobs run, as `registry/repository:tag`; by default `ghcr.io/holdfast-dev/holdfast:<this version>`.",
  ],
  ["KUBECONFIG", "Kubeconfig files as kubectl reads them; `--kubeconfig` goes before it."],
  ["XDG_CACHE_HOME", "Git objects are cached in `holdfast/git` below it; `~/.cache` by default."],
  [
    "XDG_DATA_HOME",
    "`holdfast up` keeps its state in `holdfast/<cluster>` below it; `~/.local/share` by default.",
  ],
  ["GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL", "Author of the commits that `--commit` makes."],
  ["HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "Proxies for HTTP remotes and for the Kubernetes API."],
  [
    "GIT_SSL_CAINFO",
    "PEM file of authorities that an HTTPS remote may be signed by, besides the well-known ones.",
  ],
  [
    "GIT_SSH_COMMAND",
    "Program and options for SSH remotes; it is split at spaces and quotes, and no shell sees it.",
  ],
];

/** Writes docs/cli.md from the program itself; `root` is the project's URL with a `/`. */
export function generateCliPage(root: string): void {
  writeFileSync(new URL("docs/cli.md", root), cliPage());
}

function cliPage(): string {
  const program = createProgram({ signal: new AbortController().signal, setExitCode: () => undefined });
  const sections = [
    "# Command line",
    "<!-- Made from src/shells/cli by `npm run generate`; change it there. -->",
    program.description(),
    "In a checkout the command is `node bin/holdfast.mjs`; as a package it is `holdfast`, and `kubectl holdfast` where the package's programs are on the `PATH`.",
    table(
      ["command", "what it does"],
      visible(program).map((command) => [
        `[\`${command.name()}\`](#${command.name()})`,
        command.description(),
      ]),
    ),
    ...visible(program).map(commandSection),
    `## Environment\n\nOptions go over environment variables, and those over \`holdfast.yaml\`.\n\n${table(
      ["variable", "what it says"],
      variables.map(([names, says]) => [names.split(", ").map(code).join(", "), says]),
    )}`,
    `## Exit codes\n\nThey are an API: new ones may be added, none changes its meaning.\n\n${table(
      ["code", "name", "meaning"],
      Object.entries(exitCodes).map(([name, says]) => [String(codeOf(name)), code(name), says]),
    )}`,
  ];
  return `${sections.join("\n\n")}\n`;
}

function codeOf(name: string): number {
  const found = Object.entries(ExitCode).find(([known]) => known === name);
  if (found === undefined) throw new Error(`there is no exit code ${name}`);
  return found[1];
}

function commandSection(command: Command): string {
  const words = command.registeredArguments.map(argumentWord);
  const usage = ["holdfast", command.name(), ...words, ...(command.options.length > 0 ? ["[options]"] : [])];
  const sections = [`## ${command.name()}`, sentence(command.description()), fenced(usage.join(" "))];
  if (command.registeredArguments.length > 0)
    sections.push(
      table(
        ["argument", "meaning"],
        command.registeredArguments.map((one) => [code(argumentWord(one)), one.description]),
      ),
    );
  if (command.options.length > 0)
    sections.push(
      table(
        ["option", "meaning", "default", "variable"],
        command.options.map((option) => [
          code(option.flags),
          meaningOf(option),
          defaultOf(option),
          option.envVar === undefined ? "" : code(option.envVar),
        ]),
      ),
    );
  const examples = examplesOf(command);
  if (examples !== "") sections.push(fenced(examples));
  return sections.join("\n\n");
}

function argumentWord(argument: Argument): string {
  const word = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${word}>` : `[${word}]`;
}

function meaningOf({ description, argChoices }: Option): string {
  const text = description.replaceAll("<", "\\<");
  return argChoices === undefined ? text : `${text}: ${argChoices.map(code).join(", ")}`;
}

function defaultOf({ defaultValue }: Option): string {
  return typeof defaultValue === "string" ? code(defaultValue) : "";
}

/** What stands below `Example:` in the command's help. */
function examplesOf(command: Command): string {
  let help = "";
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  const [, examples = ""] = help.split(/^Examples?:\n/m);
  return examples.replaceAll(/^ {2}/gm, "").trimEnd();
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.`;
}

function fenced(text: string): string {
  return `\`\`\`sh\n${text}\n\`\`\``;
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) generateCliPage(new URL("../", import.meta.url).href);
