import { firstPhase, type PhaseRule } from "./phase-rule.ts";

export type ComponentsPhase = "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";

type Count = {
  readonly total: number;
  readonly known: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly unknown: number;
};

/**
 * KubeStash's formula, with one guard of ours: a total of 0 is a total that nobody has written yet, and it never
 * makes a success out of components that have not succeeded.
 */
export const componentsPhases: readonly PhaseRule<Count, ComponentsPhase>[] = [
  { says: "`Pending` while there are none.", phase: ({ known }) => (known === 0 ? "Pending" : undefined) },
  {
    says: "`Succeeded` when as many succeeded as `totalComponents` says.",
    phase: ({ succeeded, total }) => (total > 0 && succeeded === total ? "Succeeded" : undefined),
  },
  {
    says: "`Failed` when any failed, whether or not the others are final.",
    phase: ({ failed }) => (failed > 0 ? "Failed" : undefined),
  },
  {
    says: "`Unknown` when all are final and of some the outcome is unknown (restores only).",
    phase: ({ succeeded, unknown, total }) =>
      unknown > 0 && total > 0 && succeeded + unknown === total ? "Unknown" : undefined,
  },
  { says: "Otherwise `Running`.", phase: () => "Running" },
];

/** The phase of the components of a Snapshot or RestoreSession as a whole. */
export function componentsPhase(
  components: Readonly<Record<string, { readonly phase?: string }>> | undefined,
  totalComponents: number | undefined,
): ComponentsPhase {
  const phases = Object.values(components ?? {}).map((component) => component.phase);
  const count = (...wanted: readonly string[]) =>
    phases.filter((phase) => phase !== undefined && wanted.includes(phase)).length;
  const counted: Count = {
    total: totalComponents ?? 0,
    known: phases.length,
    succeeded: count("Succeeded"),
    failed: count("Failed", "Invalid"),
    unknown: count("Unknown"),
  };
  return firstPhase(componentsPhases, counted, "Running");
}
