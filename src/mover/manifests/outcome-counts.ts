import type { ObjectOutcome } from "./object-outcome.ts";

/** RestoreSession.status.components[].results, without files and bytes. */
export type ManifestResults = {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly failed: number;
  /** At most 50. */
  readonly failures: readonly string[];
};

export type OutcomeCounts = {
  add(outcome: ObjectOutcome): void;
  results(): ManifestResults;
};

const maxFailures = 50;

const countOf = {
  created: "created",
  updated: "updated",
  same: "unchanged",
  conflict: "unchanged",
  skipped: "skipped",
  failed: "failed",
} as const;

/** Counts outcomes as they come, and keeps the words of the first failures. */
export function createOutcomeCounts(): OutcomeCounts {
  const counts = { created: 0, updated: 0, unchanged: 0, skipped: 0, failed: 0 };
  const failures: string[] = [];
  return {
    add({ type, namespace, name, did, reason = "" }) {
      counts[countOf[did]] += 1;
      if (did !== "failed" || failures.length === maxFailures) return;
      failures.push(`${type} ${namespace === undefined ? "" : `${namespace}/`}${name}: ${reason}`);
    },
    results() {
      if (counts.failed <= maxFailures) return { ...counts, failures: failures.toSorted() };
      const named = failures.slice(0, maxFailures - 1).toSorted();
      return { ...counts, failures: [...named, `and ${counts.failed - named.length} more`] };
    },
  };
}
