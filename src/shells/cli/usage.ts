import { HoldfastError } from "../../base/errors.ts";
import { ExitCode } from "../../base/exit-code.ts";

/** What was typed cannot be followed: exit code 2, and nothing was done. */
export function usage(message: string, next: string): HoldfastError {
  return new HoldfastError("UsageInvalid", message, { disposition: "stall", next, exitCode: ExitCode.usage });
}
