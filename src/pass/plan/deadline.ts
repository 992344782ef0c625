import { timeText } from "../../api/conditions.ts";
import { clampedGoDuration } from "../../api/duration.ts";
import type { KubeObject } from "../../api/meta.ts";
import { asRecord } from "../../base/json.ts";

const day = 86_400_000;
/** What nobody has set a time for must end too: later sessions and restores of the same target wait for it. */
const longestDays = 7;

/** When a session must be done that began at `fromMs`, with its backupTimeout or restoreTimeout. */
export function deadlineOf(timeout: unknown, fromMs: number): string {
  const ms = typeof timeout === "string" ? clampedGoDuration(timeout) : undefined;
  return timeText(fromMs + (ms ?? longestDays * day));
}

const fields = {
  BackupSession: { timeout: "backupTimeout", deadline: "backupDeadline" },
  RestoreSession: { timeout: "restoreTimeout", deadline: "restoreDeadline" },
} as const;

/** What is said of a session when the deadline in its status has passed; undefined while it has time. */
export function timePassed(
  session: KubeObject,
  status: Readonly<Record<string, unknown>>,
  nowMs: number,
): string | undefined {
  const { timeout, deadline } = fields[session.kind === "RestoreSession" ? session.kind : "BackupSession"];
  const at = status[deadline];
  if (typeof at !== "string" || nowMs < Date.parse(at)) return undefined;
  return typeof asRecord(session["spec"])[timeout] === "string"
    ? `${timeout} passed at ${at}`
    : `it was not done at ${at}, after ${longestDays} days; where that is too short, set ${timeout}`;
}
