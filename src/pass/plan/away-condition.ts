import { restoreSessionConditions } from "../../api/condition-types.ts";
import { timeText } from "../../api/conditions.ts";
import { asRecord, records } from "../../base/json.ts";
import type { Draft } from "./draft.ts";
import type { World } from "./world.ts";

const { type, whenTrue } = restoreSessionConditions.remoteAway;

/** Says on the object what the remote keeps it from; without words it is kept from nothing. */
export function tellAway(draft: Draft, what: string | undefined, { own }: World): void {
  if (what === undefined) return draft.dropCondition(type);
  const { away } = own.state;
  if (away === undefined) return;
  draft.setCondition(type, true, whenTrue, `the remote is away since ${timeText(away.sinceMs)}: ${what}`);
}

/** The status as it is recorded: by then the remote is back. */
export function withoutAway(status: unknown): unknown {
  const { conditions, ...rest } = asRecord(status);
  if (conditions === undefined) return status;
  return { ...rest, conditions: records(conditions).filter((condition) => condition["type"] !== type) };
}
