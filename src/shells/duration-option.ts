import { parseGoDuration } from "../api/duration.ts";
import { HoldfastError } from "../base/errors.ts";
import { ExitCode } from "../base/exit-code.ts";

/** Milliseconds of a duration above 0 that somebody typed; `what` says where, such as `--timeout`. Throws a usage error. */
export function durationOption(text: string, what: string): number {
  const ms = parseGoDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new HoldfastError("DurationInvalid", `${what} ${text} is not a duration`, {
    disposition: "stall",
    next: "write it like 90s, 30m or 1h30m",
    exitCode: ExitCode.usage,
  });
}
