import { errorText } from "../../api/field-error.ts";
import { type KubeObject, keyOf, nameOf, refOf } from "../../api/meta.ts";
import { unsupportedErrors } from "../../api/not-supported-yet.ts";
import type { Problem } from "../../base/problem.ts";
import type { Draft } from "./draft.ts";
import type { World } from "./world.ts";

const condition = "NotSupportedYet";

/**
 * Says in the object's status what it asks for and does not get. What was declared has been named with file and line
 * when it was read; of other objects the plan says it here.
 */
export function tellUnsupported(draft: Draft, world: World): void {
  const found = world.observed.derived.of(draft.object, unsupportedErrors);
  if (found.length === 0) return draft.dropCondition(condition);
  const sentences = found.map((error) => `${errorText(error)}. ${error.next ?? ""}`.trim());
  draft.setCondition(condition, true, condition, sentences.join(" "));
  for (const problem of unsupportedProblems(draft.object, world)) draft.problem(problem);
}

/** The same of an object whose kind has no status. */
export function unsupportedProblems(object: KubeObject, world: World): readonly Problem[] {
  const ref = refOf(object);
  if (world.desired.objects.has(keyOf(ref))) return [];
  return unsupportedErrors(object).map((error) => ({
    severity: error.severity,
    reason: error.reason,
    message: errorText(error),
    object: nameOf(ref),
    ...(error.next === undefined ? {} : { next: error.next }),
  }));
}
