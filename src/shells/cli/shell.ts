import type { Command } from "commander";

/** What every command gets from the process around it. */
export type Shell = {
  /** Aborted by Ctrl-C and TERM. */
  readonly signal: AbortSignal;
  readonly setExitCode: (code: number) => void;
};

/** A command file adds its command to the program; its work is imported when it runs, so that Jobs start fast. */
export type AddCommand = (program: Command, shell: Shell) => void;
