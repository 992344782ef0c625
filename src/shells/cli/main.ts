import { CommanderError } from "commander";
import { type HoldfastError, toHoldfastError } from "../../base/errors.ts";
import { ExitCode } from "../../base/exit-code.ts";
import { oneLine, printable } from "../../base/printable.ts";
import { createProgram } from "./program.ts";

/** Runs one command line; answers its exit code. Errors end here: one sentence and what to do next. */
export async function main(argv: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  const interrupted = () => interrupt.abort();
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  let exitCode: number = ExitCode.ok;
  const program = createProgram({
    signal: interrupt.signal,
    setExitCode: (code) => {
      exitCode = code;
    },
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return interrupt.signal.aborted ? ExitCode.interrupted : exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
    if (interrupt.signal.aborted) return ExitCode.interrupted;
    return report(toHoldfastError(thrown), argv.includes("json"));
  } finally {
    process.removeListener("SIGINT", interrupted);
    process.removeListener("SIGTERM", interrupted);
  }
}

function report(error: HoldfastError, json: boolean): number {
  const { reason, message, next, exitCode } = error;
  if (json)
    process.stdout.write(`${JSON.stringify({ error: { reason, message, ...(next ? { next } : {}) } })}\n`);
  const advice = next === undefined ? "" : `  ${printable(next)}\n`;
  process.stderr.write(`holdfast: ${oneLine(message)}\n${advice}`);
  if (error.disposition === "bug")
    process.stderr.write(`${error.cause instanceof Error ? error.cause.stack : error.stack}\n`);
  return exitCode;
}
