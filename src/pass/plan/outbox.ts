import { timeText } from "../../api/conditions.ts";
import { type KubeObject, nameOf, refOf } from "../../api/meta.ts";
import {
  type Away,
  isOutboxMap,
  type NotesPlace,
  type OutboxEntry,
  outboxEntryOf,
  outboxMap,
  outboxRef,
  stateMap,
  stateOf,
  stateRef,
} from "../../api/own-notes.ts";
import { parseEntryPath } from "../../api/record-layout.ts";
import { sameJson } from "../../api/same-json.ts";
import { asRecord } from "../../base/json.ts";
import type { Problem } from "../../base/problem.ts";
import type { Observed } from "../observed/observed.ts";
import { contained } from "./contained.ts";
import type { Draft } from "./draft.ts";
import type { Entry, Step } from "./step.ts";
import { isBeingDeleted, type World } from "./world.ts";

/** A finished object waits this long for a remote that is away, then its entry waits alone. */
export const patienceMs = 600_000;
/** A ConfigMap holds 1 MiB; its other fields are small. */
const largestEntry = 1_000_000;

export type OutboxItem = { readonly map: KubeObject; readonly entry: OutboxEntry };

/** Entries of this cluster that wait for the remote, in the order in which they came. */
export function outboxOf(observed: Observed, { cluster, namespace }: NotesPlace): readonly OutboxItem[] {
  return observed
    .list("ConfigMap", namespace)
    .flatMap((map) => {
      const entry = outboxEntryOf(map, cluster);
      return entry === undefined ? [] : [{ map, entry }];
    })
    .sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

function orderOf({ map, entry }: OutboxItem): string {
  return `${map.metadata.creationTimestamp ?? ""} ${entry.path}`;
}

function placeOf({ desired, own }: World): NotesPlace {
  return { cluster: desired.cluster, namespace: own.namespace };
}

/** What is in force, what was seen of the record, and since when the remote is away: written when it changes. */
export function planState(world: World): readonly Step[] {
  const place = placeOf(world);
  if (sameJson(stateOf(world.observed.get(stateRef(place))), world.own.state)) return [];
  const because = "a restart must know what is in force";
  return [{ kind: "note", object: stateMap(place, world.own.state), because }];
}

export function planAway({ own, desired }: World): readonly Problem[] {
  const { away } = own.state;
  return away === undefined ? [] : [awayProblem(away, desired.revision)];
}

/** In the same words in every pass, so that it is told once. */
export function awayProblem({ sinceMs, because }: Away, revision: string): Problem {
  const message = `the remote is away since ${timeText(sinceMs)}: ${because}`;
  const next = `bring it back; backups go on under commit ${revision.slice(0, 12)}, and restores that are not claimed wait`;
  return { severity: "error", reason: "RemoteAway", message, next };
}

/** What becomes of the outbox: what is still to be written of it, and what leaves it. */
export type OutboxPlan = {
  readonly steps: readonly Step[];
  readonly entries: readonly Entry[];
  readonly paths: ReadonlySet<string>;
  readonly problems: readonly Problem[];
};

/** Entries that stand in the record leave the outbox, others are written; what cannot be read is named and left alone. */
export function planOutbox(world: World): OutboxPlan {
  const { outbox, namespace } = world.own;
  const failed: Problem[] = [];
  const plans = outbox.flatMap((item) => contained(item.map, failed, () => planItem(item, world)) ?? []);
  const known = new Set(outbox.map(({ map }) => map.metadata.name));
  const strange = world.observed
    .list("ConfigMap", namespace)
    .filter((map) => isOutboxMap(map, world.desired.cluster) && !known.has(map.metadata.name));
  return {
    steps: plans.flatMap(({ steps }) => steps),
    entries: plans.flatMap(({ entries }) => entries),
    paths: new Set(outbox.map(({ entry }) => entry.path)),
    problems: [...strange.map(unreadableItem), ...failed],
  };
}

/** Written once: what stands in the record is not written again. */
function planItem({ map, entry }: OutboxItem, world: World): Pick<OutboxPlan, "steps" | "entries"> {
  if (isOnRecord(entry, world)) {
    const because = "its entry stands in the record";
    return {
      steps: [{ kind: "delete", ref: refOf(map), uid: map.metadata.uid ?? "", because }],
      entries: [],
    };
  }
  if (isHeldBack(entry, world)) return { steps: [], entries: [] };
  const { path, summary } = entry;
  const content = underItsClaim(entry, world);
  return {
    steps: [],
    entries: [{ path, content, when: "now", ...(summary === undefined ? {} : { summary }) }],
  };
}

function unreadableItem(map: KubeObject): Problem {
  return {
    severity: "error",
    reason: "OutboxEntryUnreadable",
    message: "it is no entry of the outbox, so it cannot be recorded",
    object: nameOf(refOf(map)),
    next: "look at it, and delete it with kubectl when it is of no use",
  };
}

/** A claim is not yet an outcome; of everything else one entry is all there is to tell. */
function isOnRecord({ path }: OutboxEntry, world: World): boolean {
  const parsed = parseEntryPath(path);
  if (parsed?.kind !== "RestoreSession") return world.recorded.entry(path) !== undefined;
  const claimed = world.recorded.restore(parsed.namespace, parsed.name);
  return claimed !== undefined && claimed.unreadable === undefined && claimed.phase !== "Claimed";
}

/** What cannot be read is never written over: the outcome waits until it can. */
function isHeldBack({ path }: OutboxEntry, world: World): boolean {
  const { kind, namespace = "", name = "" } = parseEntryPath(path) ?? {};
  return kind === "RestoreSession" && world.recorded.restore(namespace, name)?.unreadable !== undefined;
}

/** An outcome that was noted while the claim could not be read gets what the claim says. */
function underItsClaim({ path, content }: OutboxEntry, world: World): OutboxEntry["content"] {
  const parsed = parseEntryPath(path);
  if (parsed?.kind !== "RestoreSession") return content;
  const claimed = world.recorded.restore(parsed.namespace, parsed.name);
  if (claimed === undefined) return content;
  const { holder, clusterUid, claimedAtMs, specDigest } = claimed;
  const claim = { holder, clusterUid, specDigest, claimedAt: new Date(claimedAtMs).toISOString() };
  return { ...content, record: { ...asRecord(content["record"]), ...claim } };
}

/** Whether this very object's entry waits in the outbox. */
export function isInOutbox(path: string, object: KubeObject, world: World): boolean {
  const map = world.observed.get(outboxRef(world.own.namespace, path));
  const entry = map === undefined ? undefined : outboxEntryOf(map, world.desired.cluster);
  return entry !== undefined && asRecord(entry.content["metadata"])["uid"] === object.metadata.uid;
}

/** Puts the entry where it can wait without its object, when waiting together would hold up the object for long. */
export function moveToOutbox(draft: Draft, { path, content, summary }: Entry, world: World): void {
  const { away } = world.own.state;
  if (away === undefined || content === undefined) return;
  const patientUntilMs = away.sinceMs + patienceMs;
  if (world.now < patientUntilMs && !namespaceGoes(draft.object, world)) return draft.wakeAt(patientUntilMs);
  const entry = { path, content, ...(summary === undefined ? {} : { summary }) };
  const object = outboxMap(placeOf(world), entry);
  if (world.observed.get(refOf(object)) !== undefined) return;
  if (new TextEncoder().encode(JSON.stringify(object["data"])).length > largestEntry) {
    draft.problem({
      severity: "warning",
      reason: "OutboxEntryTooLarge",
      message: "its entry does not fit into a ConfigMap, so it waits for the remote",
      next: `bring the remote back: it is away because ${away.because}`,
    });
    return;
  }
  const because = `the remote is away, and the entry of ${nameOf(draft.ref)} must not hold it up`;
  draft.step({ kind: "create", object, because });
}

function namespaceGoes({ metadata }: KubeObject, { observed }: World): boolean {
  const found = observed.get({ apiVersion: "v1", kind: "Namespace", name: metadata.namespace ?? "" });
  return found === undefined || isBeingDeleted(found);
}
