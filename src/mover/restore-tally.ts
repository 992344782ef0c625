import type { RestoreResults } from "../api/restore-session.ts";
import type { JobContext } from "./job-context.ts";
import type { ObjectOutcome } from "./manifests/object-outcome.ts";
import { createOutcomeGroups } from "./manifests/outcome-groups.ts";

/** What a restore has done so far, so that it can be told wherever the restore ends. */
export type RestoreTally = {
  /** What became of one object: counted, and a line of JSON in the log. */
  object(outcome: ObjectOutcome): void;
  /** What restic restored. */
  data(restored: { readonly files: number; readonly bytes: number }): void;
  /** What was asked for in vain; a line in the log too. */
  warning(text: string): void;
  warnings(): readonly string[];
  /** The numbers alone, which are small. */
  counts(): RestoreResults;
  /** Undefined while nothing is done. */
  results(): RestoreResults | undefined;
};

const maxWarnings = 50;

/** Nothing that is told holds a secret that this Job has read. */
export function createRestoreTally({ secrets, log }: Pick<JobContext, "secrets" | "log">): RestoreTally {
  const groups = createOutcomeGroups();
  const total = { files: 0, bytes: 0 };
  const warnings: string[] = [];
  let begun = false;
  return {
    object(outcome) {
      begun = true;
      const told = redacted(outcome, secrets.redact);
      groups.add(told);
      log(JSON.stringify(told));
    },
    data({ files, bytes }) {
      begun = true;
      total.files += files;
      total.bytes += bytes;
    },
    warning(text) {
      begun = true;
      if (warnings.length < maxWarnings) warnings.push(text);
      log(text);
    },
    warnings: () => warnings,
    counts: () => ({ ...groups.counts(), ...total }),
    results() {
      if (!begun) return undefined;
      return { ...groups.results(), ...total, ...(warnings.length === 0 ? {} : { warnings }) };
    },
  };
}

/** Of a change the path is told and not the values, which may be passwords in any kind of object. */
function redacted(outcome: ObjectOutcome, redact: (text: string) => string): ObjectOutcome {
  const { reason, notes, changes } = outcome;
  return {
    ...outcome,
    ...(reason === undefined ? {} : { reason: redact(reason) }),
    ...(notes === undefined ? {} : { notes: notes.map(redact) }),
    ...(changes === undefined ? {} : { changes: changes.map(({ path }) => ({ path })) }),
  };
}
