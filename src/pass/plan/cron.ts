import { Cron } from "croner";

/** When a CronJob is due next, as RFC 3339 in seconds; undefined when it is suspended or its schedule is wrong. */
export function nextDue(spec: Readonly<Record<string, unknown>>, nowMs: number): string | undefined {
  const { schedule, timeZone, suspend } = spec;
  if (suspend === true || typeof schedule !== "string") return undefined;
  try {
    const cron = new Cron(schedule, {
      paused: true,
      timezone: typeof timeZone === "string" ? timeZone : "UTC",
      mode: "5-part",
    });
    return cron
      .nextRun(new Date(nowMs))
      ?.toISOString()
      .replace(/\.\d{3}Z$/, "Z");
  } catch {
    return undefined;
  }
}
