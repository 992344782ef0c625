const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

type Range = { readonly min: number; readonly max: number; readonly names?: readonly string[] };

const fields: readonly Range[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: days },
];

const macros = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/**
 * Whether a CronJob takes the text as its schedule: five fields of lists, ranges, steps and names, or a macro.
 * Kubernetes refuses a time zone in it.
 */
export function isCronSchedule(text: string): boolean {
  const schedule = text.trim();
  if (macros.includes(schedule)) return true;
  const parts = schedule.split(/\s+/);
  return parts.length === fields.length && fields.every((field, index) => isField(parts[index] ?? "", field));
}

function isField(text: string, field: Range): boolean {
  return text.split(",").every((part) => isPart(part, field));
}

function isPart(part: string, field: Range): boolean {
  const [range = "", step, ...more] = part.split("/");
  if (more.length > 0) return false;
  if (step !== undefined && (!/^\d+$/.test(step) || Number(step) === 0)) return false;
  if (range === "*" || range === "?") return true;
  const [from = "", to, ...others] = range.split("-");
  const first = valueOf(from, field);
  const last = to === undefined ? first : valueOf(to, field);
  return others.length === 0 && first !== undefined && last !== undefined && first <= last;
}

function valueOf(text: string, { min, max, names = [] }: Range): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return named + min;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}
