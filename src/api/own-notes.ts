import { digestOf } from "../base/digest.ts";
import { jsonText, parseJson } from "../base/exact-json.ts";
import { asRecord, isFields } from "../base/json.ts";
import { timeText } from "./conditions.ts";
import { findKind } from "./kinds.ts";
import { managedByHoldfast, managedByLabel } from "./labels.ts";
import type { KubeObject, ObjectRef } from "./meta.ts";
import { claimFields, entryPath, hasEntryPath } from "./record-layout.ts";

export type BranchTip = { readonly branch: string; readonly commit: string };

/** `folder` is "" on a branch of the record's own. */
export type RecordTip = BranchTip & { readonly folder: string };

/** The remote cannot be had since then; the words are those of the first failure. */
export type Away = { readonly sinceMs: number; readonly because: string };

/** What Holdfast remembers of a remote for one cluster, so that a restart forgets nothing. */
export type ClusterState = {
  /** The commit that is in force. */
  readonly declared?: BranchTip;
  /** The record's tip as it was seen last. */
  readonly record?: RecordTip;
  readonly away?: Away;
  /** Why the branch's tip is not in force. */
  readonly refused?: string;
};

/** An entry that waits for the remote. */
export type OutboxEntry = {
  readonly path: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** For the commit's message. */
  readonly summary?: string;
};

/** Whose notes these are: the cluster's name in holdfast.yaml, and Holdfast's own namespace. */
export type NotesPlace = { readonly cluster: string; readonly namespace: string };

/** Its value is the name of the cluster that a note is of. */
export const clusterLabel = "holdfast.dev/cluster";

export function stateRef({ cluster, namespace }: NotesPlace): ObjectRef {
  return { apiVersion: "v1", kind: "ConfigMap", namespace, name: `state-${cluster}` };
}

export function stateMap(place: NotesPlace, { declared, record, away, refused }: ClusterState): KubeObject {
  return noteMap(place, stateRef(place).name, {
    ...(declared && { declaredBranch: declared.branch, declaredCommit: declared.commit }),
    ...(record && { recordBranch: record.branch, recordCommit: record.commit, recordFolder: record.folder }),
    ...(away && { awaySince: timeText(away.sinceMs), awayBecause: away.because }),
    ...(refused && { refused }),
  });
}

/** What a note says; a hand that wrote nonsense into it is ignored. */
export function stateOf(map: KubeObject | undefined): ClusterState {
  const data = dataOf(map);
  const tip = (name: string): BranchTip | undefined => {
    const [branch, commit] = [data[`${name}Branch`], data[`${name}Commit`]];
    return branch && commit && /^[0-9a-f]{40}$/.test(commit) ? { branch, commit } : undefined;
  };
  const [declared, record] = [tip("declared"), tip("record")];
  const sinceMs = Date.parse(data["awaySince"] ?? "");
  return {
    ...(declared && { declared }),
    ...(record && { record: { ...record, folder: data["recordFolder"] ?? "" } }),
    ...(Number.isNaN(sinceMs) ? {} : { away: { sinceMs, because: data["awayBecause"] ?? "" } }),
    ...(data["refused"] && { refused: data["refused"] }),
  };
}

/** One ConfigMap per entry, by a name that follows from its path: made twice it is made once. */
export function outboxRef(namespace: string, path: string): ObjectRef {
  return { apiVersion: "v1", kind: "ConfigMap", namespace, name: `outbox-${digestOf(path).slice(0, 40)}` };
}

export function outboxMap(place: NotesPlace, { path, content, summary }: OutboxEntry): KubeObject {
  return noteMap(place, outboxRef(place.namespace, path).name, {
    path,
    entry: jsonText(content),
    ...(summary === undefined ? {} : { summary }),
  });
}

/** Whether an object is a note of Holdfast for any cluster. */
export function isNote({ kind, metadata }: KubeObject): boolean {
  return kind === "ConfigMap" && metadata.labels?.[clusterLabel] !== undefined;
}

/** Whether a ConfigMap is meant to be an entry of the outbox of this cluster. */
export function isOutboxMap({ metadata }: KubeObject, cluster: string): boolean {
  return metadata.name.startsWith("outbox-") && metadata.labels?.[clusterLabel] === cluster;
}

/** Undefined for one that somebody has spoiled: its entry must be of this cluster, and of the object its path names. */
export function outboxEntryOf(map: KubeObject, cluster: string): OutboxEntry | undefined {
  if (!isOutboxMap(map, cluster)) return undefined;
  const { path, entry, summary } = dataOf(map);
  const content = objectFrom(entry ?? "");
  if (path === undefined || content === undefined) return undefined;
  if (!isEntryAt(path, content, cluster)) return undefined;
  return { path, content, ...(summary === undefined ? {} : { summary }) };
}

/** Whoever may edit a ConfigMap must not so write another object's entry, or a restore's without its claim. */
function isEntryAt(path: string, content: Readonly<Record<string, unknown>>, cluster: string): boolean {
  const { apiVersion, kind } = content;
  const { name, namespace, uid } = asRecord(content["metadata"]);
  const texts = [apiVersion, kind, name, namespace, uid];
  if (!texts.every((text) => typeof text === "string")) return false;
  const object = content as KubeObject;
  if (findKind(object) === undefined || !hasEntryPath(object)) return false;
  if (entryPath(cluster, object) !== path) return false;
  return kind !== "RestoreSession" || holdsClaim(asRecord(content["record"]));
}

function holdsClaim(record: Readonly<Record<string, unknown>>): boolean {
  const isText = (value: unknown) => typeof value === "string" && value !== "";
  return (
    claimFields.every((field) => isText(record[field])) &&
    !Number.isNaN(Date.parse(String(record["claimedAt"])))
  );
}

function noteMap(
  { cluster, namespace }: NotesPlace,
  name: string,
  data: Readonly<Record<string, string>>,
): KubeObject {
  const labels = { [managedByLabel]: managedByHoldfast, [clusterLabel]: cluster };
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, labels }, data };
}

/** Data of a ConfigMap is texts. */
function dataOf(map: KubeObject | undefined): Readonly<Record<string, string | undefined>> {
  return asRecord(map?.["data"]) as Readonly<Record<string, string>>;
}

function objectFrom(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = parseJson(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
