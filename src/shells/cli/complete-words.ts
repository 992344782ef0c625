import type { Argument, Command, Option } from "commander";

/** What could stand in the place of the last word. */
export type Completion = {
  readonly candidates: readonly Candidate[];
  /** Whether names of files could stand there too. */
  readonly files: boolean;
};

export type Candidate = { readonly value: string; readonly about: string };

/** Names in the cluster, with the options that were typed so far; empty where they cannot be had quickly. */
export type Names = (what: NamedThing, options: ReadonlyMap<string, string>) => Promise<readonly string[]>;

export type NamedThing = "namespace" | "configuration" | "snapshot" | "repository" | "pausable";

const none: Completion = { candidates: [], files: false };
const fileOptions = ["--kubeconfig", "--to", "--file", "--state", "--remote"];
const argumentNames: Readonly<Record<string, NamedThing>> = {
  configuration: "configuration",
  snapshot: "snapshot",
  before: "snapshot",
  after: "snapshot",
  "kind/name": "pausable",
};

/**
 * Completes the last of `words`, which may be empty; the words stand behind the program's name. A shell that cuts
 * words at `=`, as bash does, gives that sign as a word of its own.
 */
export async function completeWords(
  program: Command,
  words: readonly string[],
  names: Names,
): Promise<Completion> {
  const { before, current, prefix } = lastWord(words);
  const [name, ...typed] = before;
  const command = visible(program).find((one) => one.name() === name);
  if (name === undefined) {
    if (current.startsWith("-")) return fitting(["--help", "--version"].map(plain), current);
    return fitting(
      visible(program).map((one) => ({ value: one.name(), about: one.description() })),
      current,
    );
  }
  if (command === undefined) return none;
  const { positionals, options, open } = reading(command, typed);
  if (open !== undefined) return await forOption(open, { current, prefix, options, names });
  if (current.startsWith("-")) return fitting(optionNames(command), current);
  const argument = command.registeredArguments[positionals];
  return argument === undefined ? none : await forArgument(argument, { current, options, names });
}

/** The commands for people, with `help` left out. */
export function visible(program: Command): readonly Command[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((one) => one.name() !== "help");
}

/** Turns `--option=val`, `--option = val` and `--option val` into the same. */
function lastWord(words: readonly string[]) {
  const joined: string[] = [];
  for (const word of words.slice(0, -1)) if (word !== "=") joined.push(...cut(word));
  const last = words.at(-1) ?? "";
  if (last === "=") return { before: joined, current: "", prefix: "" };
  const [option = "", value] = cut(last);
  if (value === undefined) return { before: joined, current: last, prefix: "" };
  return { before: [...joined, option], current: value, prefix: `${option}=` };
}

function cut(word: string): readonly string[] {
  const at = word.startsWith("--") ? word.indexOf("=") : -1;
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

/** What the words before the last one are; `open` is an option that waits for its value. */
function reading(command: Command, words: readonly string[]) {
  const options = new Map<string, string>();
  let positionals = 0;
  let open: Option | undefined;
  for (const word of words) {
    if (open !== undefined) {
      options.set(open.long ?? "", word);
      open = undefined;
    } else if (word.startsWith("-") && word !== "-") {
      const found = command.options.find((one) => one.long === word || one.short === word);
      open = found?.required === true ? found : undefined;
    } else positionals += 1;
  }
  return { positionals, options, open };
}

type Asked = {
  readonly current: string;
  readonly options: ReadonlyMap<string, string>;
  readonly names: Names;
};

async function forOption(option: Option, asked: Asked & { readonly prefix: string }): Promise<Completion> {
  const { current, prefix, options, names } = asked;
  const long = option.long ?? "";
  if (fileOptions.includes(long)) return { candidates: [], files: true };
  const choices =
    option.argChoices ??
    (long === "--namespace" ? await names("namespace", options) : undefined) ??
    (option.flags.includes("<namespace/name>") ? await names("repository", options) : []);
  const { candidates } = fitting(choices.map(plain), current);
  return {
    candidates: candidates.map(({ value, about }) => ({ value: `${prefix}${value}`, about })),
    files: false,
  };
}

async function forArgument(argument: Argument, { current, options, names }: Asked): Promise<Completion> {
  const thing = argumentNames[argument.name()];
  const choices = argument.argChoices ?? (thing === undefined ? [] : await names(thing, options));
  return fitting(choices.map(plain), current);
}

function optionNames(command: Command): readonly Candidate[] {
  const own = command.options.flatMap(({ long, description, hidden }) =>
    long === undefined || long === null || hidden ? [] : [{ value: long, about: description }],
  );
  return [...own, plain("--help")];
}

function plain(value: string): Candidate {
  return { value, about: "" };
}

function fitting(candidates: readonly Candidate[], current: string): Completion {
  return { candidates: candidates.filter(({ value }) => value.startsWith(current)), files: false };
}
