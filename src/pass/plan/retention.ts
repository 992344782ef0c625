/** One snapshot as retention sees it. */
export type RetentionSnapshot = {
  readonly name: string;
  readonly phase: "Succeeded" | "Failed";
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Component and session: the last good snapshot of each such group is never removed. */
  readonly groups: readonly string[];
  /** False for a partial one and for one whose source shrank and was not accepted. */
  readonly good: boolean;
};

export type RetentionRule = {
  readonly maxPeriodMs: number | undefined;
  readonly successful: Readonly<Partial<Record<RetentionClass, number>>> | undefined;
  /** How many Failed ones stay. */
  readonly failedLast: number;
};

export type RetentionClass = "last" | "hourly" | "daily" | "weekly" | "monthly" | "yearly";

/**
 * Which snapshots of one repository go, oldest first.
 *
 * Failed: the newest `failedLast` stay. Succeeded: the union of the newest `last` and the newest of each hour,
 * day, ISO week, month and year (UTC), as restic counts, stay; older than the period goes whatever class it is in.
 * The last good snapshot of every group always stays, also beyond the period: a deliberate deviation from
 * KubeStash, whose documents let it go (docs/adr/0004-retention.md).
 */
export function staleSnapshots(
  snapshots: readonly RetentionSnapshot[],
  rule: RetentionRule,
  nowMs: number,
): readonly string[] {
  const newestFirst = [...snapshots].sort((a, b) => b.time - a.time || (a.name < b.name ? 1 : -1));
  const spared = lastGoodOfEveryGroup(newestFirst);
  const succeeded = newestFirst.filter((snapshot) => snapshot.phase === "Succeeded");
  const kept = rule.successful === undefined ? undefined : keptByClass(succeeded, rule.successful);
  const expired = (snapshot: RetentionSnapshot) =>
    rule.maxPeriodMs !== undefined && snapshot.time < nowMs - rule.maxPeriodMs;
  const keptFailed = new Set(
    newestFirst
      .filter((snapshot) => snapshot.phase === "Failed")
      .slice(0, rule.failedLast)
      .map((snapshot) => snapshot.name),
  );
  return newestFirst
    .filter((snapshot) => {
      if (spared.has(snapshot.name)) return false;
      if (expired(snapshot)) return true;
      return snapshot.phase === "Failed"
        ? !keptFailed.has(snapshot.name)
        : kept !== undefined && !kept.has(snapshot.name);
    })
    .map((snapshot) => snapshot.name)
    .reverse();
}

function lastGoodOfEveryGroup(newestFirst: readonly RetentionSnapshot[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const spared = new Set<string>();
  for (const snapshot of newestFirst) {
    if (!snapshot.good) continue;
    for (const group of snapshot.groups) {
      if (seen.has(group)) continue;
      seen.add(group);
      spared.add(snapshot.name);
    }
  }
  return spared;
}

function keptByClass(
  newestFirst: readonly RetentionSnapshot[],
  counts: Readonly<Partial<Record<RetentionClass, number>>>,
): ReadonlySet<string> {
  const kept = new Set(newestFirst.slice(0, counts.last ?? 0).map((snapshot) => snapshot.name));
  for (const [name, bucketOf] of Object.entries(buckets)) {
    const wanted = counts[name as RetentionClass] ?? 0;
    const seen = new Set<string>();
    for (const snapshot of newestFirst) {
      if (seen.size >= wanted) break;
      const bucket = bucketOf(new Date(snapshot.time).toISOString(), snapshot.time);
      if (seen.has(bucket)) continue;
      seen.add(bucket);
      kept.add(snapshot.name);
    }
  }
  return kept;
}

const dayMs = 86_400_000;

/** The hour, day, … in UTC that a time falls into, as text. */
const buckets: Readonly<Record<Exclude<RetentionClass, "last">, (iso: string, ms: number) => string>> = {
  hourly: (iso) => iso.slice(0, 13),
  daily: (iso) => iso.slice(0, 10),
  // Days since a Monday (1970-01-05), so that a week runs from Monday to Sunday as ISO 8601 has it.
  weekly: (_iso, ms) => String(Math.floor((ms / dayMs - 4) / 7)),
  monthly: (iso) => iso.slice(0, 7),
  yearly: (iso) => iso.slice(0, 4),
};
