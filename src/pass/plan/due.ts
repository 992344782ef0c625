import { type DueTimes, dueTimes } from "../../api/due-times.ts";

type CronJobSpec = Readonly<Record<string, unknown>>;

/** Due times of a CronJob; undefined when it is suspended or its schedule is wrong, which is told elsewhere. */
export function dueTimesOf({ schedule, timeZone, suspend }: CronJobSpec): DueTimes | undefined {
  if (suspend === true || typeof schedule !== "string") return undefined;
  try {
    return dueTimes(schedule, typeof timeZone === "string" ? timeZone : undefined);
  } catch {
    return undefined;
  }
}

/** Due times that passed without a backup; `more` when there were too many to count. */
export type MissedRuns = {
  readonly count: number;
  readonly more: boolean;
  readonly firstMs: number;
  readonly lastMs: number;
};

/** Six weeks of hourly backups; beyond it the number tells nobody anything. */
const mostCounted = 1_000;
/** The clocks of trigger and API server need not agree to the second. */
const toleranceMs = 5_000;

/**
 * Which due times from `sinceMs` to `nowMs` brought no backup. Kubernetes starts only the last of those that it
 * missed, and none whose starting deadline has passed, so the last one counts only in that case.
 */
export function missedRuns(
  spec: CronJobSpec,
  { sinceMs, nowMs, startedMs }: { sinceMs: number; nowMs: number; startedMs: readonly number[] },
): MissedRuns | undefined {
  const due = dueTimesOf(spec);
  if (due === undefined) return undefined;
  const deadline = spec["startingDeadlineSeconds"];
  const started = startedMs.toSorted((a, b) => a - b);
  const missed: number[] = [];
  let place = 0;
  let time = due.next(sinceMs - 1);
  while (time !== undefined && time <= nowMs && missed.length < mostCounted) {
    const next = due.next(time);
    while (place < started.length && (started[place] ?? 0) < time - toleranceMs) place += 1;
    const brought = place < started.length && (next === undefined || (started[place] ?? 0) < next);
    const isLast = next === undefined || next > nowMs;
    const mayStart = isLast && !(typeof deadline === "number" && nowMs - time > deadline * 1000);
    if (!brought && !mayStart) missed.push(time);
    time = next;
  }
  const [firstMs] = missed;
  const lastMs = missed.at(-1);
  if (firstMs === undefined || lastMs === undefined) return undefined;
  const more = time !== undefined && time <= nowMs;
  return { count: missed.length, more, firstMs, lastMs };
}
