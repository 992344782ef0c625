import { recordFinalizer } from "../../api/labels.ts";
import { type KubeObject, nameOf } from "../../api/meta.ts";
import { entryPath, hasEntryPath } from "../../api/record-layout.ts";
import { tellAway } from "./away-condition.ts";
import type { Draft } from "./draft.ts";
import { entryOf, isFinal } from "./entries.ts";
import { isInOutbox, moveToOutbox } from "./outbox.ts";
import type { Entry } from "./step.ts";
import type { World } from "./world.ts";

/** Takes the record's finalizer off once the entry is safe; answers whether it is. */
export function ensureRecorded(draft: Draft, world: World): boolean {
  if (!isRecorded(draft, world)) return false;
  draft.removeFinalizers([recordFinalizer], "its entry stands in the record, or waits in the outbox");
  return true;
}

/**
 * Whether a finished object may be let go: its entry stands in the record, or in the outbox while the remote is away.
 * Names what it waits for.
 */
export function isRecorded(draft: Draft, world: World): boolean {
  const object = { ...draft.object, status: draft.status };
  // What belongs to nothing that has a name was never to be recorded.
  if (!isFinal(object) || !hasEntryPath(object)) return true;
  const kept = isInOutbox(entryPath(world.desired.cluster, object), object, world);
  const held = kept || draft.object.metadata.finalizers?.includes(recordFinalizer) !== true;
  const entry = held ? undefined : entryOf(object, world);
  const recorded = held || isAtTip(object, entry, world);
  const { away } = world.own.state;
  if (kept) tellAway(draft, "its entry waits in the outbox", world);
  else tellAway(draft, recorded || away === undefined ? undefined : "its entry waits for it", world);
  if (recorded || entry === undefined) return recorded;
  if (away !== undefined) moveToOutbox(draft, entry, world);
  // What may wait for the next final entry is nothing that a run must wait for.
  else if (entry.when === "now") draft.wait(`its entry in the record (${nameOf(draft.ref)})`);
  return false;
}

function isAtTip(object: KubeObject, entry: Entry | undefined, world: World): boolean {
  // A restore has an entry to be written only until its outcome is at the tip.
  if (object.kind === "RestoreSession") {
    const { namespace = "", name } = object.metadata;
    return entry === undefined && world.recorded.restore(namespace, name)?.unreadable === undefined;
  }
  return entry?.content !== undefined && world.recorded.holds(entry.path, entry.content);
}
