import { Cron } from "croner";
import { HoldfastError, messageOf } from "../base/errors.ts";
import { isCronSchedule } from "./cron-schedule.ts";

/** When a schedule is due. Pure: everything follows from the schedule and the times that are given. */
export type DueTimes = {
  /** The first due time after this one; undefined when there is none any more. */
  readonly next: (afterMs: number) => number | undefined;
  /** The last due time with `afterMs < time <= nowMs`: the one that is caught up after a stop. */
  readonly mostRecent: (afterMs: number, nowMs: number) => number | undefined;
};

const utc = "Etc/UTC";
const firstWindowMs = 60_000;

/**
 * Due times of a schedule in a time zone, UTC when none is named. A time that the clock skips in spring is
 * due right after the gap, and a fixed time that comes twice in autumn is due once, so that a day always has
 * its run. Throws `UnparseableSchedule` and `UnknownTimeZone`.
 */
export function dueTimes(schedule: string, timeZone: string | undefined): DueTimes {
  const timezone = timeZone === undefined || timeZone === "" ? utc : timeZone;
  // To ask costs more than all else here, and UTC is known everywhere.
  if (timezone !== utc && !isTimeZone(timezone)) {
    throw stalled("UnknownTimeZone", `invalid timeZone: unknown time zone ${timezone}`);
  }
  if (!isCronSchedule(schedule)) {
    throw stalled(
      "UnparseableSchedule",
      `unparseable schedule: "${schedule}" is not five cron fields or a macro`,
    );
  }
  // A parsed schedule weighs 75 KB and is needed when a time is worked out, which is seldom.
  let held = new WeakRef(parse(schedule, timezone));
  const next = remembering((afterMs) => {
    const cron = held.deref() ?? parse(schedule, timezone);
    held = new WeakRef(cron);
    return cron.nextRun(new Date(afterMs))?.getTime();
  });
  return { next, mostRecent: (afterMs, nowMs) => mostRecent(next, afterMs, nowMs) };
}

/** Asked again before the time that it answered last, it gives the same answer without working it out. */
function remembering(next: DueTimes["next"]): DueTimes["next"] {
  let last: { readonly afterMs: number; readonly due: number | undefined } | undefined;
  return (afterMs) => {
    const holds = last !== undefined && last.afterMs <= afterMs && afterMs < (last.due ?? Infinity);
    if (last === undefined || !holds) last = { afterMs, due: next(afterMs) };
    return last.due;
  };
}

function parse(schedule: string, timezone: string): Cron {
  try {
    return new Cron(inCronersWords(schedule.trim()), { timezone, paused: true });
  } catch (cause) {
    throw stalled("UnparseableSchedule", `unparseable schedule: "${schedule}": ${messageOf(cause)}`);
  }
}

/** `?` is `*` to Kubernetes and "now" to croner; `5/10` runs to the field's end there and is refused here. */
function inCronersWords(schedule: string): string {
  if (schedule.startsWith("@")) return schedule;
  const ends = [59, 23, 31, 12, 6];
  return schedule
    .split(/\s+/)
    .map((field, index) =>
      field
        .replaceAll("?", "*")
        .split(",")
        .map((part) => part.replace(/^(\w+)\/(\d+)$/, (_, from, step) => `${from}-${ends[index]}/${step}`))
        .join(","),
    )
    .join(" ");
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function stalled(reason: string, message: string): HoldfastError {
  const next = "Correct the CronJob's schedule or timeZone.";
  return new HoldfastError(reason, message, { disposition: "stall", next });
}

/**
 * Looks back in windows that double, so that a year away costs no more than a minute away: a window is
 * searched only when the younger half of it holds nothing.
 */
function mostRecent(
  next: (afterMs: number) => number | undefined,
  afterMs: number,
  nowMs: number,
): number | undefined {
  for (let window = firstWindowMs; ; window *= 2) {
    const from = Math.max(afterMs, nowMs - window);
    let found: number | undefined;
    for (let due = next(from); due !== undefined && due <= nowMs; due = next(due)) {
      if (due > from) found = due;
    }
    if (found !== undefined || from <= afterMs) return found;
  }
}
