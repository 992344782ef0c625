import { aborted } from "./git-errors.ts";
import { decodeCommit } from "./git-object.ts";
import type { ObjectSource } from "./object-source.ts";
import type { GitCommit, Oid } from "./remote.ts";

const commitsPerRequest = 100;

/** From `from` back along first parents, newest first; ends at the root, before `until`, or after `limit`. */
export async function* walkFirstParents(
  source: ObjectSource,
  from: Oid,
  options: { readonly until?: Oid; readonly limit?: number; readonly signal?: AbortSignal },
): AsyncGenerator<GitCommit> {
  const { until, limit = Number.POSITIVE_INFINITY, signal } = options;
  let at: Oid | undefined = from;
  for (let seen = 0; at !== undefined && at !== until && seen < limit; seen++) {
    if (signal?.aborted) throw aborted(source.wire.transport.where);
    const known = await source.cached(at);
    if (!known) {
      const deepen = Math.min(limit - seen, commitsPerRequest);
      await source.ensure([at], { filter: "tree:0", deepen, signal });
    }
    const commit = decodeCommit(at, await source.commit(at, signal));
    yield commit;
    at = commit.parents[0];
  }
}

/**
 * Whether `older` is reached from `newer` along any parents. One request brings what lies between the two:
 * the server is told that `older` is here and nothing before it.
 */
export async function reaches(
  source: ObjectSource,
  { older, newer, signal }: { older: Oid; newer: Oid; signal: AbortSignal | undefined },
): Promise<boolean> {
  if (older === newer) return true;
  if (await reachesCached(source, older, newer)) return true;
  await source.bringSince(newer, older, signal);
  return reachesCached(source, older, newer);
}

/** The same over the commits that are here already. */
export async function reachesCached(source: ObjectSource, older: Oid, newer: Oid): Promise<boolean> {
  const seen = new Set<Oid>();
  let level: Oid[] = [newer];
  while (level.length > 0) {
    const next: Oid[] = [];
    for (const oid of level) {
      if (oid === older) return true;
      if (seen.has(oid)) continue;
      seen.add(oid);
      const object = await source.cached(oid);
      if (object?.type === "commit") next.push(...decodeCommit(oid, object.content).parents);
    }
    level = next;
  }
  return false;
}
