import type { ManifestParam } from "../api/manifest-params.ts";
import { itemsOf, readTruth, shown } from "../api/param-text.ts";
import { HoldfastError } from "../base/errors.ts";
import { ExitCode } from "../base/exit-code.ts";

/** The flags of one job; an empty value counts as not given. */
export type JobFlags = {
  text(name: string): string | undefined;
  required(name: string): string;
  /** `true` and `false` as Go reads them. */
  truth(name: string, whenAbsent: boolean): boolean;
  /** Comma separated, without blanks around items and without empty ones. */
  list(name: string): readonly string[];
  read<Value>(param: ManifestParam<Value>): Value;
};

export function usageError(message: string, next: string): HoldfastError {
  return new HoldfastError("Usage", message, { disposition: "stall", next, exitCode: ExitCode.usage });
}

/** Reads `--flag=value` arguments of a job that knows `names`; anything else is a usage error that names it. */
export function parseFlags(job: string, args: readonly string[], names: readonly string[]): JobFlags {
  const values = new Map<string, string>();
  for (const arg of args) {
    const [, name, value] = /^--([a-z][a-z-]*)=(.*)$/s.exec(arg) ?? [];
    if (name === undefined || value === undefined) {
      throw usageError(`job ${job}: ${shown(arg)} is not of the form --flag=value`, `Use ${known(names)}.`);
    }
    if (!names.includes(name)) throw usageError(`job ${job} has no flag --${name}`, `Use ${known(names)}.`);
    if (values.has(name)) throw usageError(`job ${job}: --${name} is given twice`, "Give it once.");
    values.set(name, value);
  }
  const text = (name: string) => values.get(name) || undefined;
  return {
    text,
    required(name) {
      const value = text(name);
      if (value === undefined) throw usageError(`job ${job} needs --${name}`, `Add --${name}=….`);
      return value;
    },
    truth: (name, whenAbsent) => truthOf(job, name, text(name), whenAbsent),
    list: (name) => itemsOf(text(name) ?? ""),
    read({ name, flag, read }) {
      const value = read(text(flag) ?? "");
      if (value.ok) return value.value;
      throw usageError(`--${flag} (${name}): ${value.message}`, value.next);
    },
  };
}

function truthOf(job: string, name: string, text: string | undefined, whenAbsent: boolean): boolean {
  if (text === undefined) return whenAbsent;
  const truth = readTruth(text);
  if (truth.ok) return truth.value;
  throw usageError(`job ${job}: --${name}: ${truth.message}`, truth.next);
}

function known(names: readonly string[]): string {
  return names.map((name) => `--${name}=…`).join(", ");
}
