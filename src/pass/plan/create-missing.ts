import type { ConditionType } from "../../api/condition-types.ts";
import { type KubeObject, refOf } from "../../api/meta.ts";
import { timePassed } from "./deadline.ts";
import type { Draft } from "./draft.ts";
import type { World } from "./world.ts";

/** What a session has not got of what it needs. */
export type Missing = {
  readonly objects: readonly KubeObject[];
  /** Why they will not be made any more: the time of the session has passed. */
  readonly tooLate: string | undefined;
};

type Making = {
  readonly wanted: readonly KubeObject[];
  /** The condition that says that all of it was made, and meanwhile why the API server refuses it. */
  readonly condition: ConditionType;
  readonly because: string;
};

/**
 * Makes what is not there yet, until the deadline of the draft's session: the API server may refuse it for ever, by a
 * quota or an admission, and later sessions must not wait for that.
 */
export function createMissing(draft: Draft, { wanted, condition, because }: Making, world: World): Missing {
  const objects = wanted.filter((one) => world.observed.get(refOf(one)) === undefined);
  const over = objects.length === 0 ? undefined : timePassed(draft.object, draft.status, world.now);
  if (over !== undefined) {
    const names = objects.map((one) => `${one.kind} ${one.metadata.name}`).join(", ");
    const refusal = draft.condition(condition.type);
    const words = refusal?.status === "Unknown" ? `; ${refusal.message ?? ""}` : "";
    return { objects, tooLate: `${names} could not be made: ${over}${words}` };
  }
  const mark = draft.mark(condition.type, condition.whenTrue ?? "", condition.whenFalse ?? "");
  for (const object of objects) draft.step({ kind: "create", object, mark, because });
  return { objects, tooLate: undefined };
}
