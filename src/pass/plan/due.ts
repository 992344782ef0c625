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

/** What became of due times: those that are missed, and the first that may still bring its session, and until when. */
export type DueRuns = {
  readonly missed: MissedRuns | undefined;
  readonly open: { readonly dueMs: number; readonly untilMs: number } | undefined;
};

/** Six weeks of hourly backups; beyond it the number tells nobody anything. */
const mostCounted = 1_000;
/** The clocks of trigger and API server need not agree to the second. */
const toleranceMs = 5_000;
/** A trigger has this long to get its pod and to make its session. */
const graceMs = 600_000;

/** Which due times from `sinceMs` to `nowMs` brought no session before the next one was due. */
export function dueRuns(
  spec: CronJobSpec,
  { sinceMs, nowMs, startedMs }: { sinceMs: number; nowMs: number; startedMs: readonly number[] },
): DueRuns {
  const due = dueTimesOf(spec);
  const started = startedMs.toSorted((a, b) => a - b);
  const missed: number[] = [];
  let open: DueRuns["open"];
  let place = 0;
  let time = due?.next(sinceMs - 1);
  while (time !== undefined && time <= nowMs && open === undefined && missed.length < mostCounted) {
    const next = due?.next(time);
    while (place < started.length && (started[place] ?? 0) < time - toleranceMs) place += 1;
    const brought = place < started.length && (next === undefined || (started[place] ?? 0) < next);
    const untilMs = time + graceMs;
    if (!brought && nowMs < untilMs) open = { dueMs: time, untilMs };
    else if (!brought) missed.push(time);
    time = next;
  }
  const [firstMs] = missed;
  const lastMs = missed.at(-1);
  if (firstMs === undefined || lastMs === undefined) return { missed: undefined, open };
  const more = missed.length === mostCounted && time !== undefined && time + graceMs <= nowMs;
  return { missed: { count: missed.length, more, firstMs, lastMs }, open };
}
