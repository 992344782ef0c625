import { type KubeObject, nameOf, refOf } from "../../api/meta.ts";
import { messageOf } from "../../base/errors.ts";
import type { Problem } from "../../base/problem.ts";

/**
 * What is planned for one object; undefined, and a problem more, where planning it throws. The one catch within the
 * pure stages (ADR 0003): caught any further out, one object that nobody has thought of stops the backups of all.
 */
export function contained<T>(object: KubeObject, problems: Problem[], plan: () => T): T | undefined {
  try {
    return plan();
  } catch (thrown) {
    const [reason, name] = ["PlanFailed", nameOf(refOf(object))];
    // What stands in the way of one part of an object's plan stands in the way of the others too.
    if (problems.some((one) => one.reason === reason && one.object === name)) return undefined;
    problems.push({
      severity: "error",
      reason,
      object: name,
      message: `it cannot be planned, and is left as it is: ${messageOf(thrown)}`,
      next: "correct what is unusual in this object, and report this as a bug of Holdfast",
    });
    return undefined;
  }
}
