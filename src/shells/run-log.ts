import { oneLine } from "../base/printable.ts";
import type { PassResult } from "../pass/reconcile.ts";
import { problemLines } from "./cli/render-plan.ts";
import type { RunEnd } from "./run-to-end.ts";

type Tell = (line: string) => void;

/** A run as it goes on, for people: `tell` gets what is done, `complain` what is wrong, each problem once. */
export function runLog(
  tell: Tell,
  complain: Tell,
): { readonly onPass: (result: PassResult) => void; readonly end: (run: RunEnd) => void } {
  const told = new Set<string>();
  return {
    onPass(result) {
      for (const line of passLines(result)) tell(line);
      for (const problem of result.problems) {
        const lines = problemLines(problem).join("\n");
        if (!told.has(lines)) complain(lines);
        told.add(lines);
      }
    },
    end(run) {
      tell(endSentence(run));
      for (const line of failureLines(run)) complain(line);
    },
  };
}

export function endSentence({ end, last }: RunEnd): string {
  return end === "done"
    ? `Nothing is left to do at ${last.plan.revision.slice(0, 12)}.`
    : `Timed out; still waiting for ${last.plan.waiting.join(", ")}.`;
}

export function failureLines({ failures }: RunEnd): readonly string[] {
  return failures.map(({ object, phase, partial, why }) => {
    const cause = why.length === 0 ? "" : `: ${why.join("; ")}`;
    return oneLine(`${object}: ${phase}${partial ? " (partial)" : ""}${cause}`);
  });
}

/** What one pass did, a line each, and what it recorded; what only keeps statuses current is left out. */
export function passLines(result: PassResult): readonly string[] {
  const { recorded, plan } = result;
  if (recorded.kind !== "written") return doneLines(result);
  const said = plan.entries.flatMap((entry) => entry.summary ?? []);
  return [
    ...doneLines(result),
    `recorded ${recorded.commit.slice(0, 12)}: ${said.join("; ") || `status of ${recorded.entries} object(s)`}`,
  ];
}

/** The same without the record. */
export function doneLines({ outcome }: PassResult): readonly string[] {
  return outcome.results.flatMap(({ step, result }) => {
    if (step.kind === "status" || step.kind === "patch" || result === "unchanged" || result === "conflict")
      return [];
    const object = step.kind === "delete" ? step.ref : step.kind === "store" ? step.storage : step.object;
    const name =
      "metadata" in object
        ? `${object.metadata.namespace ?? ""}/${object.metadata.name}`
        : `${object.namespace ?? ""}/${object.name}`;
    return [oneLine(`${result} ${object.kind} ${name.replace(/^\//, "")}: ${step.because}`)];
  });
}
