import type { Problem } from "./problem.ts";

/**
 * What the reconciler should do about a failure:
 * - `retry`: the outside world hiccuped (network, 409, 5xx, a lock); try again with back-off.
 * - `wait`: not a failure; something that this needs is not ready yet.
 * - `stall`: a person must change a declaration, a Secret or a setting; trying again is useless until then.
 * - `bug`: an invariant of ours is broken; the stack is shown and the exit code is 70.
 */
export type Disposition = "retry" | "wait" | "stall" | "bug";

export type ErrorOptionsOf = {
  readonly disposition: Disposition;
  /** What a person can do next, one imperative sentence. */
  readonly next?: string;
  readonly retryAfterMs?: number;
  /** One of `ExitCode`; without it 70 for a bug, otherwise 1. */
  readonly exitCode?: number;
  /** What the message sums up, each with its place, for shells that can show places. */
  readonly problems?: readonly Problem[];
  readonly cause?: unknown;
};

/**
 * The one error of the house. Adapters translate what they catch into it at their border;
 * only `reconcile` and the shells catch it. `reason` is CamelCase and is also the reason of the
 * condition, of the Event and of the metric label.
 */
export class HoldfastError extends Error {
  readonly reason: string;
  readonly disposition: Disposition;
  readonly next: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly exitCode: number;
  readonly problems: readonly Problem[];

  constructor(reason: string, message: string, options: ErrorOptionsOf) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "HoldfastError";
    this.reason = reason;
    this.disposition = options.disposition;
    this.next = options.next;
    this.retryAfterMs = options.retryAfterMs;
    this.exitCode = options.exitCode ?? (options.disposition === "bug" ? 70 : 1);
    this.problems = options.problems ?? [];
  }
}

/** The message of anything that was thrown, for sentences shown to people. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Thrown values that are not ours are bugs: an adapter forgot to translate them. A full disk is nobody's bug. */
export function toHoldfastError(thrown: unknown): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT")
    return new HoldfastError("DiskFull", messageOf(thrown), {
      disposition: "retry",
      next: "Make room on the disk that it is on.",
      cause: thrown,
    });
  return new HoldfastError("Bug", messageOf(thrown), { disposition: "bug", cause: thrown });
}
