import { CommanderError } from "commander";
import { type HoldfastError, toHoldfastError } from "../../base/errors.ts";
import { ExitCode } from "../../base/exit-code.ts";
import { oneLine, printable } from "../../base/printable.ts";
import { createProgram, underName } from "./program.ts";

/**
 * Runs one command line; answers its exit code. Errors end here: one sentence and what to do next. `name` is what the
 * person typed to get here, `kubectl holdfast` for a plugin of kubectl.
 */
export async function main(argv: readonly string[], name = "holdfast"): Promise<number> {
  const interrupt = new AbortController();
  const interrupted = () => interrupt.abort();
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  let exitCode: number = ExitCode.ok;
  const setExitCode = (code: number) => {
    exitCode = code;
  };
  const program = createProgram({ signal: interrupt.signal, setExitCode }, name);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return interrupt.signal.aborted ? ExitCode.interrupted : exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
    if (interrupt.signal.aborted) return ExitCode.interrupted;
    return report(toHoldfastError(thrown), { json: asksForJson(argv), name });
  } finally {
    process.removeListener("SIGINT", interrupted);
    process.removeListener("SIGTERM", interrupted);
  }
}

/** Of the command line as it was typed, since the error may be older than its reading. */
function asksForJson(argv: readonly string[]): boolean {
  return argv.some(
    (word, at) =>
      /^(-o|--output=)json$/.test(word) || (word === "json" && /^(-o|--output)$/.test(argv[at - 1] ?? "")),
  );
}

function report(error: HoldfastError, { json, name }: { json: boolean; name: string }): number {
  const { reason, message, exitCode } = error;
  const next = error.next === undefined ? undefined : underName(error.next, name);
  if (json)
    process.stdout.write(`${JSON.stringify({ error: { reason, message, ...(next ? { next } : {}) } })}\n`);
  const advice = next === undefined ? "" : `  ${printable(next)}\n`;
  process.stderr.write(`holdfast: ${oneLine(message)}\n${advice}`);
  if (error.disposition === "bug")
    process.stderr.write(`${error.cause instanceof Error ? error.cause.stack : error.stack}\n`);
  return exitCode;
}
