import { snapshotConditions as types } from "../condition-types.ts";
import { conditionOf, isFalse, isTrue } from "../conditions.ts";
import type { SnapshotStatus } from "../snapshot.ts";
import { componentsPhase } from "./components-phase.ts";
import { firstPhase, type PhaseRule } from "./phase-rule.ts";

export type SnapshotPhase = "Pending" | "Running" | "Succeeded" | "Failed";
type Input = Pick<SnapshotStatus, "conditions" | "components" | "totalComponents">;

export const snapshotPhases: readonly PhaseRule<Input, SnapshotPhase>[] = [
  {
    says: "`Failed` when SnapshotMetadataUploaded or RecentSnapshotListUpdated is False, or BackupIncomplete is True.",
    phase: ({ conditions }) =>
      isFalse(conditions, types.metadataUploaded.type) ||
      isFalse(conditions, types.recentSnapshotListUpdated.type) ||
      isTrue(conditions, types.backupIncomplete.type)
        ? "Failed"
        : undefined,
  },
  {
    says: "`Pending` while there are no components.",
    phase: ({ components }) => (Object.keys(components ?? {}).length === 0 ? "Pending" : undefined),
  },
  {
    says: "The components' phase once SnapshotMetadataUploaded is there.",
    phase: ({ conditions, components, totalComponents }) => {
      if (conditionOf(conditions, types.metadataUploaded.type) === undefined) return undefined;
      const phase = componentsPhase(components, totalComponents);
      // A backup's component has no such phase on the wire.
      return phase === "Unknown" ? "Running" : phase;
    },
  },
  { says: "Otherwise `Running`: success needs the metadata upload after the data.", phase: () => "Running" },
];

export function snapshotPhase(status: Input): SnapshotPhase {
  return firstPhase(snapshotPhases, status, "Running");
}
