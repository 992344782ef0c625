import type { Clock } from "../../base/clock.ts";
import { HoldfastError } from "../../base/errors.ts";
import { pushRefused } from "./git-errors.ts";
import { reaches } from "./history.ts";
import { makeCommit, type NewCommit } from "./new-commit.ts";
import type { ObjectSource } from "./object-source.ts";
import { type UpdateReport, updateRef } from "./receive-pack.ts";
import type { Oid, PushRequest, PushResult } from "./remote.ts";

export type Pusher = {
  readonly source: ObjectSource;
  readonly clock: Clock;
  readonly tip: (signal: AbortSignal | undefined) => Promise<Oid | undefined>;
  readonly ref: string;
};

type Refusal = Extract<UpdateReport, { kind: "refused" }>;

const lockTries = 5;
const rereadAfterMs = [0, 500, 1_500];

/**
 * One commit on top of `expect`. What the server says about a refusal is not relied on: the ref is read again,
 * and where it stands decides whether our commit is in, another one is, or the server will not have ours.
 */
export async function pushCommit(
  pusher: Pusher,
  request: PushRequest,
  signal: AbortSignal | undefined,
): Promise<PushResult> {
  const commit = await makeCommit(pusher.source, request, signal);
  if (!commit) return answerUnchanged(pusher, request, signal);
  const { wire } = pusher.source;
  const update = { ref: pusher.ref, from: request.expect, to: commit.oid, pack: commit.pack };
  for (let tries = 1; ; tries++) {
    const report = await updateRef(wire.transport, update, signal).catch(
      async (error: unknown): Promise<PushResult> => {
        const settled = await settleAfterError(pusher, { request, commit, error }, signal);
        if (settled) return settled;
        throw error;
      },
    );
    if (report.kind === "accepted") return keepPushed(pusher, commit);
    if (report.kind !== "refused") return report;
    const tip = await pusher.tip(signal);
    if (tip !== request.expect) return judgeMoved(pusher, { commit, tip }, signal);
    if (!isLockFailure(report))
      throw pushRefused(
        wire.transport.where,
        request.branch,
        `${report.reason}${report.words && `: ${report.words}`}`,
      );
    if (tries === lockTries) return { kind: "moved", tip };
    await pusher.clock.sleep(Math.random() * 100 * 2 ** tries, signal);
  }
}

/** Changes that change nothing push nothing; that `expect` is still the tip is checked all the same. */
async function answerUnchanged(
  { tip }: Pusher,
  request: PushRequest,
  signal: AbortSignal | undefined,
): Promise<PushResult> {
  const present = await tip(signal);
  if (present !== request.expect) return { kind: "moved", tip: present };
  if (present !== undefined) return { kind: "pushed", commit: present };
  throw new HoldfastError("NothingToPush", `A first commit of branch ${request.branch} would hold no file`, {
    disposition: "bug",
    next: "Write at least one file to a branch that does not exist yet.",
  });
}

/** Errors after which the server may have accepted the push all the same. */
const leaveItOpen: ReadonlySet<string> = new Set(["RemoteUnreachable", "ObjectTooLarge"]);

type Doubt = { readonly request: PushRequest; readonly commit: NewCommit; readonly error: unknown };

/** After an error in transit: undefined when the ref still stands where it stood, so that the error holds. */
async function settleAfterError(
  pusher: Pusher,
  { request, commit, error }: Doubt,
  signal: AbortSignal | undefined,
): Promise<PushResult | undefined> {
  if (!(error instanceof HoldfastError) || !leaveItOpen.has(error.reason)) return undefined;
  for (const waitMs of rereadAfterMs) {
    // The server may still be at work on what it got.
    if (waitMs > 0) await pusher.clock.sleep(waitMs, signal);
    let tip: Oid | undefined;
    try {
      tip = await pusher.tip(signal);
    } catch {
      // Whether it was accepted stays open; the same request made again is recognised by its commit.
      return undefined;
    }
    if (tip !== request.expect) return judgeMoved(pusher, { commit, tip }, signal);
  }
  return undefined;
}

type Moved = { readonly commit: NewCommit; readonly tip: Oid | undefined };

/** The ref is not at `expect`: either ours is in, perhaps with others on top of it, or another writer was faster. */
async function judgeMoved(
  pusher: Pusher,
  { commit, tip }: Moved,
  signal: AbortSignal | undefined,
): Promise<PushResult> {
  if (tip === undefined) return { kind: "moved", tip };
  if (tip === commit.oid) return keepPushed(pusher, commit);
  const isIn = await reaches(pusher.source, { older: commit.oid, newer: tip, signal });
  return isIn ? keepPushed(pusher, commit) : { kind: "moved", tip };
}

/** What was written is what the next commit is built on. */
function keepPushed({ source }: Pusher, { oid, objects }: NewCommit): PushResult {
  source.keep(objects);
  return { kind: "pushed", commit: oid };
}

/** Another writer holds the ref's lock at this moment; a branch whose name stands in the way is not that. */
function isLockFailure({ reason, words }: Refusal): boolean {
  const said = `${reason} ${words}`;
  if (/cannot create|'[^']+' exists/i.test(said)) return false;
  return /cannot lock|failed to lock|unable to create .*\.lock|failed to update ref|try again/i.test(said);
}
