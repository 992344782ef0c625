import type { KubeObject } from "../../api/meta.ts";
import type { ClusterState } from "../../api/own-notes.ts";
import { sameJson } from "../../api/same-json.ts";
import { isFields } from "../../base/json.ts";
import type { Desired } from "../desired/desired.ts";
import type { Observed } from "../observed/observed.ts";
import type { Recorded } from "../record/recorded.ts";
import type { OutboxItem } from "./outbox.ts";

/** Everything a plan may look at: lookups, no verbs. */
export type World = {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly recorded: Recorded;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly own: Own;
  /** This run of Holdfast: a claim that it wrote is its own to start. */
  readonly instance: string;
  /** Image of the Jobs, as Function variables: registry, repository, tag. */
  readonly image: { readonly registry: string; readonly repository: string; readonly tag: string };
};

/** What Holdfast keeps for itself: where, and what it should say after this pass. */
export type Own = {
  readonly namespace: string;
  readonly state: ClusterState;
  /** What waits there for the remote. */
  readonly outbox: readonly OutboxItem[];
};

/** A merge patch that turns `from` into `to`; undefined when they are equal. Lists are replaced whole. */
export function mergePatchOf(from: unknown, to: unknown): Readonly<Record<string, unknown>> | undefined {
  const before = isFields(from) ? from : {};
  const after = isFields(to) ? to : {};
  const patch: Record<string, unknown> = {};
  for (const field of Object.keys(before)) {
    if (after[field] === undefined && before[field] !== undefined) patch[field] = null;
  }
  for (const [field, value] of Object.entries(after)) {
    if (value === undefined) continue;
    if (isFields(value) && isFields(before[field])) {
      const inner = mergePatchOf(before[field], value);
      if (inner) patch[field] = inner;
    } else if (!sameJson(before[field], value)) patch[field] = value;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** Whether an object is on its way out. */
export function isBeingDeleted(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}
