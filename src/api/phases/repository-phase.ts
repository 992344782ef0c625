import { repositoryConditions as types } from "../condition-types.ts";
import { isTrue } from "../conditions.ts";
import type { RepositoryStatus } from "../repository.ts";
import { firstPhase, type PhaseRule } from "./phase-rule.ts";

export type RepositoryPhase = "Ready" | "NotReady";
type Input = Pick<RepositoryStatus, "conditions">;

export const repositoryPhases: readonly PhaseRule<Input, RepositoryPhase>[] = [
  {
    says: "`Ready` when RepositoryInitialized is True.",
    phase: ({ conditions }) => (isTrue(conditions, types.repositoryInitialized.type) ? "Ready" : undefined),
  },
  { says: "Otherwise `NotReady`.", phase: () => "NotReady" },
];

export function repositoryPhase(status: Input): RepositoryPhase {
  return firstPhase(repositoryPhases, status, "NotReady");
}
