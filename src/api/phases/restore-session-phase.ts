import { restoreSessionConditions as types } from "../condition-types.ts";
import { conditionOf, isFalse, isTrue } from "../conditions.ts";
import type { RestoreSessionStatus } from "../restore-session.ts";
import { componentsPhase } from "./components-phase.ts";
import { firstPhase, type PhaseRule } from "./phase-rule.ts";

export type RestoreSessionPhase = "Pending" | "Running" | "Succeeded" | "Failed" | "Invalid" | "Unknown";
type Input = Pick<RestoreSessionStatus, "conditions" | "components" | "totalComponents">;

const mustNotBeFalse = [
  types.preRestoreHooksExecutionSucceeded.type,
  types.postRestoreHooksExecutionSucceeded.type,
  types.restoreExecutorEnsured.type,
];

export const restoreSessionPhases: readonly PhaseRule<Input, RestoreSessionPhase>[] = [
  {
    says: "`Failed` when MetricsPushed is False.",
    phase: ({ conditions }) => (isFalse(conditions, types.metricsPushed.type) ? "Failed" : undefined),
  },
  {
    says: "`Invalid` when ValidationPassed is False.",
    phase: ({ conditions }) => (isFalse(conditions, types.validationPassed.type) ? "Invalid" : undefined),
  },
  {
    says: "`Failed` when MetricsPushed is True and one of PreRestoreHooksExecutionSucceeded, PostRestoreHooksExecutionSucceeded, RestoreExecutorEnsured is False, or RestoreIncomplete is True.",
    phase: ({ conditions }) => {
      if (!isTrue(conditions, types.metricsPushed.type)) return undefined;
      const failed =
        mustNotBeFalse.some((type) => isFalse(conditions, type)) ||
        isTrue(conditions, types.restoreIncomplete.type);
      return failed ? "Failed" : undefined;
    },
  },
  {
    says: "The components' phase when that is `Pending`, or when MetricsPushed is there; `Unknown` when all are final and of some the outcome is unknown.",
    phase: ({ conditions, components, totalComponents }) => {
      const phase = componentsPhase(components, totalComponents);
      const final = conditionOf(conditions, types.metricsPushed.type) !== undefined;
      return phase === "Pending" || final ? phase : undefined;
    },
  },
  { says: "Otherwise `Running`.", phase: () => "Running" },
];

export function restoreSessionPhase(status: Input): RestoreSessionPhase {
  return firstPhase(restoreSessionPhases, status, "Running");
}
