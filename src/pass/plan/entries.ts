import type { KubeObject } from "../../api/meta.ts";
import {
  entryPath,
  hasEntryPath,
  parseDayPath,
  parseEntryPath,
  restoreEntryPath,
} from "../../api/record-layout.ts";
import { formatSize, parseSize } from "../../api/size.ts";
import { digestOf } from "../../base/digest.ts";
import { asRecord, records } from "../../base/json.ts";
import type { Problem } from "../../base/problem.ts";
import { withoutUserinfo } from "../../base/redact.ts";
import { withoutAway } from "./away-condition.ts";
import { hasBegun, restoreEntryContent } from "./claim.ts";
import { contained } from "./contained.ts";
import { declaredIn } from "./declared-objects.ts";
import { declaredCommit, declaredFile, forgottenBy } from "./deletion.ts";
import type { OutboxPlan } from "./outbox.ts";
import { conditionIs, phaseOf } from "./snapshots.ts";
import type { Entry } from "./step.ts";
import { isBeingDeleted, type World } from "./world.ts";

type Json = Readonly<Record<string, unknown>>;

export const recordedKinds: readonly string[] = [
  "BackupStorage",
  "Repository",
  "BackupConfiguration",
  "BackupSession",
  "Snapshot",
  "RestoreSession",
];

const finalPhases = ["Succeeded", "Failed", "Skipped", "Unknown"];

/** Every entry as it should stand at the tip: a comparison decides what is written, so nothing is recorded twice. What cannot be written of an object joins `failed`. */
export function plannedEntries(
  world: World,
  outbox: Pick<OutboxPlan, "entries" | "paths">,
  failed: Problem[],
): readonly Entry[] {
  const present = recordedKinds
    .flatMap((kind) => world.observed.list(kind))
    .flatMap((object) => contained(object, failed, () => entryOf(object, world)) ?? [])
    .filter((entry) => entry.content === undefined || !world.recorded.holds(entry.path, entry.content));
  // What an object says itself is newer than what was put aside of it; of another one by its name it comes after.
  const speaking = new Map(present.map((entry) => [entry.path, uidIn(entry)]));
  const waiting = outbox.entries.filter((entry) => speaking.get(entry.path) !== uidIn(entry));
  const first = new Set(waiting.map(({ path }) => path));
  return [
    ...waiting,
    ...present.filter(({ path }) => !first.has(path)),
    ...entriesToLeave(world, outbox.paths, failed),
  ];
}

function uidIn({ content }: Entry): unknown {
  return asRecord(content?.["metadata"])["uid"];
}

export function isFinal(object: KubeObject): boolean {
  return finalPhases.includes(phaseOf(object));
}

/** The entry of an object; undefined while it is not to be recorded. */
export function entryOf(object: KubeObject, world: World): Entry | undefined {
  const { cluster } = world.desired;
  switch (object.kind) {
    case "BackupSession":
    case "Snapshot":
      return isRecordable(object, world) ? finishedEntry(object, world) : undefined;
    case "RestoreSession":
      return restoreEntry(object, world);
    default:
      if (phaseOf(object) === "" || isBeingDeleted(object) || !hasEntryPath(object)) return undefined;
      return { path: entryPath(cluster, object), content: contentIn(object, world), when: "soon" };
  }
}

/**
 * It is told once: what changes afterwards may wait. A Snapshot without a session came back from its backend, and
 * nothing has happened that could not wait.
 */
function finishedEntry(object: KubeObject, world: World): Entry {
  const path = entryPath(world.desired.cluster, object);
  const base = { path, content: contentIn(object, world) };
  const cameBack = object.kind === "Snapshot" && sessionOf(object, world) === undefined;
  const told = world.recorded.entry(path) !== undefined;
  return told || cameBack
    ? { ...base, when: "soon" }
    : { ...base, when: "now", summary: summaryOf(object, world) };
}

function sessionOf(snapshot: KubeObject, world: World): KubeObject | undefined {
  const name = asRecord(snapshot["spec"])["backupSession"];
  return world.observed.named("BackupSession", snapshot.metadata.namespace, name);
}

/**
 * Final; and a Snapshot only with its session, so that one backup is one commit. One that retention is about to
 * remove stays as it was recorded until it is gone.
 */
function isRecordable(object: KubeObject, world: World): boolean {
  if (!finalPhases.includes(phaseOf(object)) || !hasEntryPath(object)) return false;
  if (object.metadata.annotations?.[forgottenBy] !== undefined) return false;
  if (object.kind === "BackupSession") return true;
  const session = sessionOf(object, world);
  return session === undefined || finalPhases.includes(phaseOf(session));
}

function restoreEntry(restore: KubeObject, world: World): Entry | undefined {
  const { namespace = "", name } = restore.metadata;
  const claimed = world.recorded.restore(namespace, name);
  // An earlier outcome stands for ever, and a restore that was refused before its claim never ran.
  if (!finalPhases.includes(phaseOf(restore)) || (claimed !== undefined && claimed.phase !== "Claimed"))
    return undefined;
  const digest = claimed?.specDigest ?? digestOf(restore["spec"]);
  const begun = hasBegun(restore);
  const ours =
    claimed === undefined
      ? begun
      : claimed.clusterUid === world.observed.clusterUid && (digest === digestOf(restore["spec"]) || begun);
  if (!ours) return undefined;
  return {
    path: restoreEntryPath(world.desired.cluster, namespace, name),
    content: restoreEntryContent(restore, { phase: phaseOf(restore), digest, world }),
    when: "now",
    summary: summaryOf(restore, world),
  };
}

function contentIn(object: KubeObject, { observed }: World): Json {
  return observed.derived.of(object, contentOf);
}

/** The object without what only the server knows, plus what proves it. */
function contentOf(object: KubeObject, clusterUid: string): Json {
  const { name, namespace, uid, creationTimestamp, labels, annotations } = object.metadata;
  const place = declaredPlace(object);
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name,
      namespace,
      uid,
      creationTimestamp,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations: withoutUserinfo(withoutOwn(annotations)) }),
    },
    // Nothing keeps a person from writing credentials into a URL of an object in the cluster.
    spec: withoutUserinfo(object["spec"]),
    status: withoutUserinfo(recordedStatus(asRecord(withoutAway(object["status"])))),
    record: { clusterUid, ...(place === undefined ? {} : { declared: place }) },
  };
}

function withoutOwn(annotations: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    Object.entries(annotations).filter(([name]) => name !== "holdfast.dev/declared-digest"),
  );
}

/** The file that declared the object, or that its session came from; and the commit that was in force for it. */
function declaredPlace(object: KubeObject): Json | undefined {
  const { annotations = {} } = object.metadata;
  const own = annotations[declaredIn];
  const file = own === undefined ? annotations[declaredFile] : own.slice(own.indexOf("/") + 1);
  const commit = annotations[declaredCommit];
  if (file === undefined && commit === undefined) return undefined;
  return { ...(file === undefined ? {} : { file }), ...(commit === undefined ? {} : { commit }) };
}

/** Never progress, next schedules or heartbeats: they would be a commit each time. */
function recordedStatus(status: Json): Json {
  const { sessions, components, nextRetry: _nextRetry, retried: _retried, ...rest } = status;
  return {
    ...rest,
    ...(sessions === undefined
      ? {}
      : { sessions: records(sessions).map(({ nextSchedule: _next, ...session }) => session) }),
    ...(components === undefined
      ? {}
      : {
          components: Object.fromEntries(
            Object.entries(asRecord(components)).map(([name, component]) => {
              const { progress: _progress, ...kept } = asRecord(component);
              return [name, kept];
            }),
          ),
        }),
  };
}

/** `backup demo/orders: Succeeded, 2 components, 12.4 MiB`: what the commit's message says. */
function summaryOf(object: KubeObject, world: World): string {
  const { namespace, name } = object.metadata;
  const status = asRecord(object["status"]);
  const phase = conditionIs(object, "Partial", "True") ? "Failed (partial)" : phaseOf(object);
  if (object.kind === "RestoreSession") return `restore ${namespace}/${name}: ${phase}${countOf(status)}`;
  if (object.kind === "Snapshot") return `snapshot ${namespace}/${name}: ${phase}${countOf(status)}`;
  const snapshots = records(status["snapshots"]).flatMap(
    (listed) => world.observed.named("Snapshot", namespace, listed["name"]) ?? [],
  );
  const components = snapshots.reduce(
    (sum, one) => sum + Object.keys(asRecord(asRecord(one["status"])["components"])).length,
    0,
  );
  const bytes = snapshots.reduce(
    (sum, one) => sum + (parseSize(String(asRecord(one["status"])["size"] ?? "")) ?? 0),
    0,
  );
  const invoker = String(asRecord(asRecord(object["spec"])["invoker"])["name"]);
  const size =
    components === 0 ? "" : `, ${components} component${components === 1 ? "" : "s"}, ${formatSize(bytes)}`;
  return `backup ${namespace}/${invoker}: ${phase}${size}`;
}

function countOf(status: Json): string {
  const count = Object.keys(asRecord(status["components"])).length;
  return count === 0 ? "" : `, ${count} component${count === 1 ? "" : "s"}`;
}

/**
 * Entries whose object is gone while its parent is there, so that its absence is known: sessions by their history
 * limit, Snapshots by retention. After the loss of a cluster or a namespace the entries stay: they say what
 * can be restored.
 */
function entriesToLeave(world: World, waiting: ReadonlySet<string>, failed: Problem[]): readonly Entry[] {
  const key = (kind: string, namespace: string | undefined, name: string | undefined) =>
    `${kind}/${namespace}/${name}`;
  const ofKinds = (...kinds: readonly string[]) => kinds.flatMap((kind) => world.observed.list(kind));
  const keyOf = ({ kind, metadata }: KubeObject) => key(kind, metadata.namespace, metadata.name);
  const present = new Set(ofKinds("BackupSession", "Snapshot", "BackupConfiguration").map(keyOf));
  const parents = ofKinds("BackupConfiguration", "Repository").filter((one) =>
    contained(one, failed, () => phaseOf(one) === "Ready"),
  );
  const ready = new Set(parents.map(keyOf));
  const parentIsReady = ({ kind, namespace, parent }: { kind: string; namespace: string; parent?: string }) =>
    (kind === "BackupSession" && ready.has(key("BackupConfiguration", namespace, parent))) ||
    (kind === "Snapshot" && ready.has(key("Repository", namespace, parent)));
  const single = world.recorded.paths().flatMap((path) => {
    const parsed = parseEntryPath(path);
    if (parsed === undefined) return [];
    const { kind, namespace, name } = parsed;
    // An entry that left before its note in the outbox did would be written a second time.
    if (present.has(key(kind, namespace, name)) || waiting.has(path)) return [];
    const gone =
      parentIsReady(parsed) ||
      (kind === "BackupConfiguration" && prunable(world) && !declares(kind, namespace, name, world));
    return gone ? [leaving(path)] : [];
  });
  // On a day of which no object is left there is nothing to compare.
  const days = world.recorded.otherDays().flatMap((path) => {
    const parsed = parseDayPath(path);
    return parsed !== undefined && parentIsReady(parsed) ? [{ ...leaving(path), folder: true } as const] : [];
  });
  return [...single, ...days];
}

function prunable(world: World): boolean {
  return world.desired.complete && world.desired.objects.size > 0;
}

function declares(kind: string, namespace: string, name: string, world: World): boolean {
  return [...world.desired.objects.values()].some(
    ({ object }) =>
      object.kind === kind && object.metadata.namespace === namespace && object.metadata.name === name,
  );
}

function leaving(path: string): Entry {
  return { path, content: undefined, when: "soon" };
}
