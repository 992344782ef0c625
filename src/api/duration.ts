const goUnits: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const day = 24 * 3_600_000;

/** Nothing that is declared takes longer: more is a slip of the pen, and may lie beyond the last date there is. */
const longestYears = 10;

/** Says of a text that has the form of a duration and is none to `parseGoDuration`. */
export const tooLong = `is longer than ${longestYears} years`;

/**
 * Milliseconds of Go's duration text (`1h30m`, `0.5s`, `0`); undefined when it is none, negative, or longer than
 * 10 years.
 */
export function parseGoDuration(text: string): number | undefined {
  const ms = goDuration(text);
  return ms === undefined || ms > longestYears * 365 * day ? undefined : ms;
}

/** The same of an object that a cluster has taken already: 10 years for what is longer. */
export function clampedGoDuration(text: string): number | undefined {
  const ms = goDuration(text);
  return ms === undefined ? undefined : Math.min(ms, longestYears * 365 * day);
}

function goDuration(text: string): number | undefined {
  if (text === "0") return 0;
  return sumOf(text, /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/gy, (parts) =>
    parts.reduce((sum, [amount, unit]) => sum + amount * (goUnits[unit] ?? 0), 0),
  );
}

const periodUnits: Readonly<Record<string, number>> = {
  y: 365 * day,
  mo: 30 * day,
  w: 7 * day,
  d: day,
  h: 3_600_000,
  m: 60_000,
};

/**
 * Milliseconds of a retention period (`30d12h`; units y mo w d h m, month = 30 days, year = 365); undefined when it
 * is none. Of a unit that comes twice the last one counts, as in KubeStash.
 */
export function parseRetentionPeriod(text: string): number | undefined {
  const total = sumOf(text, /(\d+)(y|mo|w|d|h|m)/gy, (parts) => {
    const byUnit = new Map(parts.map(([amount, unit]) => [unit, amount]));
    return [...byUnit].reduce((sum, [unit, amount]) => sum + amount * (periodUnits[unit] ?? 0), 0);
  });
  return Number.isFinite(total) ? total : undefined;
}

/** Reads a text that is nothing but parts of number and unit. */
function sumOf(
  text: string,
  part: RegExp,
  sum: (parts: readonly (readonly [number, string])[]) => number,
): number | undefined {
  const parts: [number, string][] = [];
  let read = 0;
  for (const [whole, amount, unit] of text.matchAll(part)) {
    parts.push([Number(amount), unit ?? ""]);
    read += whole.length;
  }
  if (text === "" || read !== text.length) return undefined;
  return sum(parts);
}

/** Milliseconds as Go prints a duration: `2.4s`, `1m3s`, `1h0m0s`, `350ms`, `0s`. */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole === 0) return "0s";
  if (whole < 1000) return `${whole}ms`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor((whole % 3_600_000) / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
