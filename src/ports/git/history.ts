import { aborted } from "./git-errors.ts";
import { decodeCommit } from "./git-object.ts";
import type { Commits, ObjectSource } from "./object-source.ts";
import type { GitCommit, Oid } from "./remote.ts";

/** The first page of a log, and how much larger each next one is: long logs in few requests. */
const firstPage = 100;
const growth = 10;
const largestPage = 10_000;
/** Looked at before anything is asked for. */
const cachedCommits = 256;

/** From `from` back along first parents, newest first; ends at the root, before `until`, or after `limit`. */
export async function* walkFirstParents(
  source: ObjectSource,
  from: Oid,
  options: { readonly until?: Oid; readonly limit?: number; readonly signal?: AbortSignal },
): AsyncGenerator<GitCommit> {
  const { until, limit = Number.POSITIVE_INFINITY, signal } = options;
  let at: Oid | undefined = from;
  let page = firstPage;
  for (let seen = 0; at !== undefined && at !== until && seen < limit; seen++) {
    if (signal?.aborted) throw aborted(source.wire.transport.where);
    if (!source.cached(at)) {
      await source.ensure([at], { filter: "tree:0", deepen: Math.min(limit - seen, page), signal });
      page = Math.min(page * growth, largestPage);
    }
    const commit = decodeCommit(at, await source.commit(at, signal));
    yield commit;
    at = commit.parents[0];
  }
}

/**
 * Whether `older` is reached from `newer` along any parents. The server is told that `older` is here and asked for
 * `newer`: what it sends, or that it sees no way, answers it, whatever the length of the history.
 */
export async function reaches(
  source: ObjectSource,
  { older, newer, signal }: { older: Oid; newer: Oid; signal: AbortSignal | undefined },
): Promise<boolean> {
  const parentsHere = (oid: Oid): readonly Oid[] => {
    const object = source.cached(oid);
    return object?.type === "commit" ? decodeCommit(oid, object.content).parents : [];
  };
  if (leadsTo(older, newer, { parentsOf: parentsHere, limit: cachedCommits })) return true;
  const between: Commits | undefined = await source.commitsSince(newer, older, signal);
  if (!between) return false;
  return leadsTo(older, newer, { parentsOf: (oid) => between.get(oid) ?? [] });
}

function leadsTo(
  older: Oid,
  newer: Oid,
  {
    parentsOf,
    limit = Number.POSITIVE_INFINITY,
  }: { parentsOf: (oid: Oid) => readonly Oid[]; limit?: number },
): boolean {
  const seen = new Set<Oid>([newer]);
  for (const oid of seen) {
    if (oid === older) return true;
    if (seen.size > limit + 1) continue;
    for (const parent of parentsOf(oid)) seen.add(parent);
  }
  return false;
}
