import { backupConfigurationSessionConditions } from "../../../api/condition-types.ts";
import { type Condition, setCondition, timeText } from "../../../api/conditions.ts";
import type { KubeObject } from "../../../api/meta.ts";
import { asRecord } from "../../../base/json.ts";
import type { Draft } from "../draft.ts";
import { dueRuns } from "../due.ts";
import type { World } from "../world.ts";
import { createdMs, sessionsOf } from "./session-context.ts";

type Json = Readonly<Record<string, unknown>>;

/** What the status says of a session before this pass. */
export type SessionBefore = { readonly nextSchedule: unknown; readonly conditions: readonly Condition[] };

type Schedule = {
  readonly session: Json;
  readonly before: SessionBefore;
  readonly wanted: KubeObject;
  /** The CronJob as it stands. */
  readonly live: KubeObject | undefined;
};

type JudgedRuns = {
  readonly conditions: readonly Condition[];
  /** The first due time that has brought no session and still may. */
  readonly openMs?: number | undefined;
};

const { type, whenTrue, whenFalse } = backupConfigurationSessionConditions.runsMissed;

/**
 * `RunsMissed`: true from the first due time that brought no session, whatever kept it, until one is made. The
 * message stays, so that the record tells what passed.
 */
export function judgedRuns(draft: Draft, schedule: Schedule, world: World): JudgedRuns {
  const judged = judge(draft, schedule, world);
  const missed = judged.conditions.find(isMissed);
  const name = String(schedule.session["name"]);
  if (missed !== undefined)
    draft.problem({
      severity: "warning",
      reason: type,
      message: `session ${name}: ${missed.message ?? ""}`,
      next: `look at the Jobs of CronJob ${schedule.wanted.metadata.name}, or trigger a backup with holdfast backup`,
    });
  return judged;
}

function judge(draft: Draft, { session, before, wanted, live }: Schedule, world: World): JudgedRuns {
  const { conditions, nextSchedule } = before;
  if (live === undefined) return { conditions };
  if (isReplanned(wanted, live)) return { conditions: noneMissed(conditions, world.now) };
  const since = conditions.find(isMissed)?.lastTransitionTime ?? nextSchedule;
  const sinceMs = typeof since === "string" ? Date.parse(since) : Number.NaN;
  if (!(sinceMs <= world.now)) return { conditions };
  const startedMs = sessionsOf(draft.object, String(session["name"]), world).map(createdMs);
  const { missed, open } = dueRuns(asRecord(live["spec"]), { sinceMs, nowMs: world.now, startedMs });
  draft.wakeAt(open?.untilMs);
  if (missed === undefined) return { conditions: noneMissed(conditions, world.now), openMs: open?.dueMs };
  const { count, more, firstMs, lastMs } = missed;
  const times = `${more ? "over " : ""}${count} due time${count === 1 ? "" : "s"}`;
  const message = `${times} from ${timeText(firstMs)} to ${timeText(lastMs)} passed without a backup`;
  const madeSince = startedMs.some((ms) => ms > lastMs);
  const said = madeSince
    ? ({ status: "False", reason: whenFalse } as const)
    : ({ status: "True", reason: whenTrue } as const);
  const atMs = madeSince ? world.now : firstMs;
  return { conditions: setCondition(conditions, { type, ...said, message }, atMs), openMs: open?.dueMs };
}

/** Another schedule begins anew: nothing was due under it yet. */
function isReplanned(wanted: KubeObject, live: KubeObject): boolean {
  const [will, is] = [asRecord(wanted["spec"]), asRecord(live["spec"])];
  return ["schedule", "timeZone", "suspend"].some((field) => will[field] !== is[field]);
}

function noneMissed(conditions: readonly Condition[], nowMs: number): readonly Condition[] {
  if (!conditions.some(isMissed)) return conditions;
  return setCondition(conditions, { type, status: "False", reason: whenFalse, message: "" }, nowMs);
}

function isMissed(condition: Condition): boolean {
  return condition.type === type && condition.status === "True";
}
