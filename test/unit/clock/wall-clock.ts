const minute = 60_000;

/** What a clock on the wall of a zone shows, in minutes; times of day that come twice show the same. */
export type WallClock = {
  readonly at: (ms: number) => Shown;
};

export type Shown = {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  readonly weekday: number;
};

export function wallClock(timeZone: string): WallClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    weekday: "short",
  });
  const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  return {
    at(ms) {
      const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]));
      const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
      return {
        minute: number("minute"),
        hour: number("hour"),
        day: number("day"),
        month: number("month"),
        weekday: days.indexOf(parts.get("weekday") ?? ""),
      };
    },
  };
}

/** Whether five fields of `*`, numbers, lists, ranges and steps name this minute; written for this test alone. */
export function names(schedule: string, shown: Shown): boolean {
  const [minutes = "*", hours = "*", days = "*", months = "*", weekdays = "*"] = schedule.split(" ");
  const day = fits(days, shown.day, 31) && fits(weekdays, shown.weekday, 6);
  const either = fits(days, shown.day, 31) || fits(weekdays, shown.weekday, 6);
  return (
    fits(minutes, shown.minute, 59) &&
    fits(hours, shown.hour, 23) &&
    fits(months, shown.month, 12) &&
    (days === "*" || weekdays === "*" ? day : either)
  );
}

function fits(field: string, value: number, last: number): boolean {
  return field.split(",").some((part) => {
    const [range = "*", step = "1"] = part.split("/");
    const [from = 0, to = range === "*" ? last : from] =
      range === "*" ? [0, last] : range.split("-").map(Number);
    return value >= from && value <= to && (value - from) % Number(step) === 0;
  });
}

/** Wall-clock minutes that this instant jumps over: it is the first one after a gap, or there are none. */
export function jumpedOver({ at }: WallClock, ms: number): readonly Shown[] {
  const out: Shown[] = [];
  const before = at(ms - minute);
  let shown = next(before);
  for (let steps = 0; steps < 180; steps += 1) {
    if (same(shown, at(ms))) return out;
    out.push(shown);
    shown = next(shown);
  }
  // The clock was set back here: nothing was left out.
  return [];
}

/** Good enough where no month ends: gaps of clocks do not lie there in the years that are tried. */
function next(shown: Shown): Shown {
  if (shown.minute < 59) return { ...shown, minute: shown.minute + 1 };
  if (shown.hour < 23) return { ...shown, minute: 0, hour: shown.hour + 1 };
  return { ...shown, minute: 0, hour: 0, day: shown.day + 1, weekday: (shown.weekday + 1) % 7 };
}

function same(a: Shown, b: Shown): boolean {
  return a.minute === b.minute && a.hour === b.hour && a.day === b.day && a.month === b.month;
}
