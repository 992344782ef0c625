import { timeText } from "../../api/conditions.ts";
import { clampedGoDuration } from "../../api/duration.ts";
import type { KubeObject } from "../../api/meta.ts";
import { asRecord } from "./targets.ts";

const day = 86_400_000;
/** What nobody has set a time for must end too: later sessions and restores of the same target wait for it. */
const longestDays = 7;

/** When a session must be done that began at `fromMs`, with its backupTimeout or restoreTimeout. */
export function deadlineOf(timeout: unknown, fromMs: number): string {
  const ms = typeof timeout === "string" ? clampedGoDuration(timeout) : undefined;
  return timeText(fromMs + (ms ?? longestDays * day));
}

/** What is said of it when it has passed; `field` is where a person would have set another one. */
export function deadlinePassed(
  field: "backupTimeout" | "restoreTimeout",
  timeout: unknown,
  at: string,
): string {
  return typeof timeout === "string"
    ? `${field} passed at ${at}`
    : `it was not done at ${at}, after ${longestDays} days; where that is too short, set ${field}`;
}

/** The same of a BackupSession by the deadline in its status; undefined while it has time. */
export function backupTimePassed(
  session: KubeObject,
  status: Readonly<Record<string, unknown>>,
  nowMs: number,
): string | undefined {
  const deadline = status["backupDeadline"];
  if (typeof deadline !== "string" || nowMs < Date.parse(deadline)) return undefined;
  return deadlinePassed("backupTimeout", asRecord(session["spec"])["backupTimeout"], deadline);
}
