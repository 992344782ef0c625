import { HoldfastError, toHoldfastError } from "../base/errors.ts";
import { ExitCode } from "../base/exit-code.ts";

/** What was thrown as an error of the house; once the job was told to end, that is the reason for everything. */
export function errorOf(thrown: unknown, signal: AbortSignal): HoldfastError {
  if (!signal.aborted) return toHoldfastError(thrown);
  // What it was at says why it took so long: a backend that cannot be reached, for example.
  const at = thrown instanceof HoldfastError ? `: ${thrown.message}` : "";
  return new HoldfastError("Interrupted", `the job was told to end before it was done${at}`, {
    disposition: "retry",
    next: "Run it again; nothing of it has to be cleaned up.",
    exitCode: ExitCode.interrupted,
    cause: thrown,
  });
}

/** Message and what to do next, for a status, a log or a termination message. */
export function wordsOf(error: HoldfastError): string {
  if (error.next === undefined) return error.message;
  return `${error.message.replace(/\.$/, "")}. ${error.next}`;
}
