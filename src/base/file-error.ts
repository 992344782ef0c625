import { HoldfastError, messageOf } from "./errors.ts";

/**
 * A file that could not be written, with its path: what the system says of a full disk does not name it.
 * `FileNotWritten`, to be tried again.
 */
export function fileNotWritten(path: string, thrown: unknown): HoldfastError {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  return new HoldfastError("FileNotWritten", `${path} cannot be written: ${messageOf(thrown)}`, {
    disposition: "retry",
    next: isFull ? "Make room on its disk or volume." : "Check that it can be written.",
    cause: thrown,
  });
}
