import { nameOf } from "../api/meta.ts";
import type { PassResult } from "../pass/reconcile.ts";
import { fieldOf } from "./field-of.ts";

export type RestoreEnd = {
  readonly object: string;
  readonly phase: string;
  /** By component: what became of which objects, as far as its Job has told. */
  readonly results: Readonly<Record<string, unknown>>;
};

/** What the components of a RestoreSession's status came to. */
export function resultsOf(status: unknown): RestoreEnd["results"] {
  const components = Object.entries(fieldOf(status, "components") ?? {});
  return Object.fromEntries(
    components.flatMap(([name, one]) => {
      const results = fieldOf(one, "results");
      return results === undefined ? [] : [[name, results]];
    }),
  );
}

/** Restores of which this pass has written that they ended. */
export function restoreEndsIn({ outcome }: Pick<PassResult, "outcome">): readonly RestoreEnd[] {
  return outcome.results.flatMap(({ step, result }) => {
    if (step.kind !== "status" || step.ref.kind !== "RestoreSession" || result !== "configured") return [];
    const { phase } = step.status;
    if (phase !== "Succeeded" && phase !== "Failed") return [];
    return [{ object: nameOf(step.ref), phase, results: resultsOf(step.status) }];
  });
}
