import { HoldfastError } from "../../base/errors.ts";
import type { Oid, Remote } from "./remote.ts";

export type SeenBranch = {
  readonly branch: string;
  /** The tip that was taken in last; undefined when the branch has not been seen yet. */
  readonly before: Oid | undefined;
  /** The tip now; undefined when the branch is gone. */
  readonly tip: Oid | undefined;
  /** Tips that a person takes though they do not descend; of a branch that is gone, the tip that it had. */
  readonly accept?: readonly Oid[];
};

/** Throws `HistoryRewritten` (stall) when a branch does not go on from where it was. */
export async function checkHistory(
  remote: Pick<Remote, "where" | "isAncestor">,
  { branch, before, tip, accept = [] }: SeenBranch,
  signal: AbortSignal,
): Promise<void> {
  if (before === undefined || before === tip || accept.includes(tip ?? before)) return;
  if (tip !== undefined && (await remote.isAncestor(before, tip, signal))) return;
  const now =
    tip === undefined
      ? `it is gone, and ${before} was its last known tip`
      : `its tip ${tip} does not descend from ${before}, its last known tip`;
  throw new HoldfastError(
    "HistoryRewritten",
    `The branch ${branch} of ${remote.where} was rewritten: ${now}`,
    {
      disposition: "stall",
      next: `Put it back (git push --force REMOTE ${before}:refs/heads/${branch}), or take it as it is with --accept-rewritten ${tip ?? before}.`,
    },
  );
}
