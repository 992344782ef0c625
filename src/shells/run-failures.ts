import { snapshotConditions } from "../api/condition-types.ts";
import { nameOf } from "../api/meta.ts";
import { asRecord, records } from "../base/json.ts";
import type { PassResult } from "../pass/reconcile.ts";
import { complaintsOf } from "./complaints.ts";
import { textOf } from "./field-of.ts";

export type Failure = {
  readonly object: string;
  readonly phase: string;
  /** A part of the source is missing in what was saved. */
  readonly partial: boolean;
  /** What it and its Snapshots say is wrong. */
  readonly why: readonly string[];
};

/** What the passes of a run told of sessions, each by `Kind namespace/name`. */
export type Ends = {
  readonly phases: Map<string, string>;
  /** Sessions with a partial Snapshot. */
  readonly partial: Set<string>;
  readonly why: Map<string, readonly string[]>;
};

export function noEnds(): Ends {
  return { phases: new Map(), partial: new Set(), why: new Map() };
}

/** Notes the final phases that this pass has written, and what is to be recorded of them. */
export function noteEnds(pass: Pick<PassResult, "outcome" | "plan">, ends: Ends): void {
  notePhases(pass, ends);
  noteWhy(pass, ends);
}

function notePhases({ outcome }: Pick<PassResult, "outcome">, { phases, why }: Ends): void {
  for (const { step, result } of outcome.results) {
    if (step.kind !== "status" || result !== "configured") continue;
    const { phase } = step.status;
    const session = step.ref.kind === "BackupSession" || step.ref.kind === "RestoreSession";
    if (!session || typeof phase !== "string") continue;
    phases.set(nameOf(step.ref), phase);
    addTo(why, nameOf(step.ref), complaintsOf(step.status));
  }
}

/** Why is told by what is to be recorded: a session says only that it failed, and its Snapshots say the rest. */
function noteWhy({ plan }: Pick<PassResult, "plan">, { partial, why }: Ends): void {
  for (const { content } of plan.entries) {
    if (content === undefined) continue;
    const [kind, namespace] = [textOf(content, "kind"), textOf(content, "metadata", "namespace")];
    const session =
      kind === "Snapshot"
        ? `BackupSession ${namespace}/${textOf(content, "spec", "backupSession")}`
        : `${kind} ${namespace}/${textOf(content, "metadata", "name")}`;
    addTo(why, session, complaintsOf(content["status"]));
    if (kind === "Snapshot" && isPartial(content["status"])) partial.add(session);
  }
}

function isPartial(status: unknown): boolean {
  return records(asRecord(status)["conditions"]).some(
    (one) => one["type"] === snapshotConditions.partial.type && one["status"] === "True",
  );
}

function addTo(why: Ends["why"], object: string, complaints: readonly string[]): void {
  why.set(object, [...new Set([...(why.get(object) ?? []), ...complaints])]);
}

export function failuresOf({ phases, partial, why }: Ends): readonly Failure[] {
  const bad = [...phases].filter(([, phase]) => ["Failed", "Unknown", "Invalid"].includes(phase));
  return bad.map(([object, phase]) => ({
    object,
    phase,
    partial: partial.has(object),
    why: why.get(object) ?? [],
  }));
}
