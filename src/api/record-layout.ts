import { HoldfastError } from "../base/errors.ts";
import type { KubeObject } from "./meta.ts";
import { ulidTime } from "./ulid.ts";

/** A path of the record, taken apart. */
export type EntryPath = {
  readonly cluster: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The BackupConfiguration of a session, the Repository of a Snapshot. */
  readonly parent?: string;
  /** `yyyy/mm/dd` in UTC, of sessions and Snapshots. */
  readonly day?: string;
};

/** The entry that says which version of the layout this is. */
export const formatPath = "format.yaml";

/** What `record` of a RestoreSession's entry says besides: with any of them missing it proves nothing. */
export const claimFields = ["phase", "specDigest", "clusterUid", "holder", "claimedAt"] as const;

/** Kinds that stand directly in the folder of their namespace. */
const flatFolders: Readonly<Record<string, string>> = {
  BackupStorage: "storages",
  Repository: "repositories",
  BackupConfiguration: "configurations",
  RestoreSession: "restores",
};

/** Kinds that come every day, by what they belong to and by day, so that no folder grows without bound. */
const datedFolders: Readonly<Record<string, string>> = { BackupSession: "sessions", Snapshot: "snapshots" };

/** What dated entries belong to, and the folder that they are in. */
const parentKinds: Readonly<Record<string, string>> = {
  BackupConfiguration: "sessions",
  Repository: "snapshots",
};

const flatKinds = new Map(Object.entries(flatFolders).map(([kind, folder]) => [folder, kind]));
const datedKinds = new Map(Object.entries(datedFolders).map(([kind, folder]) => [folder, kind]));

/** Where all entries of a cluster are. */
export function clusterFolder(cluster: string): string {
  return `clusters/${checked(cluster, "name of the cluster")}`;
}

/** Where the entry of an object is. Days are in UTC: of a Snapshot's ULID, of a session's creationTimestamp. */
export function entryPath(cluster: string, object: KubeObject): string {
  const { name } = object.metadata;
  const namespace = checked(object.metadata.namespace ?? "", `namespace of ${object.kind} ${name}`);
  const file = `${checked(name, `name of a ${object.kind}`)}.yaml`;
  const flat = flatFolders[object.kind];
  if (flat !== undefined) return `${clusterFolder(cluster)}/${flat}/${namespace}/${file}`;
  const dated = datedFolders[object.kind];
  if (dated === undefined) throw invalid(`a ${object.kind} has no place in the record`);
  const parent = checked(parentOf(object), `what ${object.kind} ${namespace}/${name} belongs to`);
  return `${clusterFolder(cluster)}/${dated}/${namespace}/${parent}/${dayOf(object)}/${file}`;
}

/** Where the entry of a RestoreSession is, also of one that is only claimed. */
export function restoreEntryPath(cluster: string, namespace: string, name: string): string {
  const folder = `${clusterFolder(cluster)}/restores/${checked(namespace, "namespace of a RestoreSession")}`;
  return `${folder}/${checked(name, "name of a RestoreSession")}.yaml`;
}

/** Undefined for a path that is no entry of an object, `format.yaml` among them. */
export function parseEntryPath(path: string): EntryPath | undefined {
  if (!path.startsWith("clusters/") || !path.endsWith(".yaml")) return undefined;
  const [, cluster = "", folder = "", namespace = "", ...rest] = path.slice(0, -".yaml".length).split("/");
  const names = (...all: readonly string[]) => all.every(isName);
  const flat = flatKinds.get(folder);
  if (flat !== undefined) {
    const [name = "", ...more] = rest;
    return more.length === 0 && names(cluster, namespace, name)
      ? { cluster, kind: flat, namespace, name }
      : undefined;
  }
  const dated = datedKinds.get(folder);
  const [parent = "", year = "", month = "", date = "", name = "", ...more] = rest;
  const day = `${year}/${month}/${date}`;
  if (dated === undefined || more.length > 0 || !/^\d{4}\/\d{2}\/\d{2}$/.test(day)) return undefined;
  return names(cluster, namespace, parent, name)
    ? { cluster, kind: dated, namespace, name, parent, day }
    : undefined;
}

/** Where the days of a BackupConfiguration's sessions or of a Repository's Snapshots are; undefined for other kinds. */
export function daysFolder(cluster: string, parent: KubeObject): string | undefined {
  const folder = parentKinds[parent.kind];
  const { namespace = "", name } = parent.metadata;
  if (folder === undefined || !isName(namespace) || !isName(name)) return undefined;
  return `${clusterFolder(cluster)}/${folder}/${namespace}/${name}`;
}

/** The folder of one day, taken apart; undefined for any other path. */
export function parseDayPath(path: string): Required<Omit<EntryPath, "name">> | undefined {
  const parsed = parseEntryPath(`${path}/x.yaml`);
  if (parsed?.parent === undefined || parsed.day === undefined) return undefined;
  const { name: _name, parent, day, ...rest } = parsed;
  return { ...rest, parent, day };
}

/** Where the entries of all BackupConfigurations of a cluster are. */
export function configurationsFolder(cluster: string): string {
  return `${clusterFolder(cluster)}/${flatFolders["BackupConfiguration"]}`;
}

/** Whether there is a path for an object: what a session or a Snapshot belongs to is text that anybody may write. */
export function hasEntryPath(object: KubeObject): boolean {
  const { namespace = "", name } = object.metadata;
  const dated = datedFolders[object.kind] !== undefined;
  if (!dated && flatFolders[object.kind] === undefined) return false;
  return (
    isName(namespace) &&
    isName(name) &&
    (!dated || (isName(parentOf(object)) && !Number.isNaN(dayMs(object))))
  );
}

function parentOf(object: KubeObject): string {
  const spec = object["spec"];
  const parent =
    object.kind === "Snapshot" ? field(spec, "repository") : field(field(spec, "invoker"), "name");
  return typeof parent === "string" ? parent : "";
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
}

/** A Snapshot that came back from its backend is a new object of an old time, which its ULID tells. */
function dayMs(object: KubeObject): number {
  const id = object.kind === "Snapshot" ? field(object["spec"], "snapshotID") : undefined;
  const takenMs = typeof id === "string" ? ulidTime(id) : undefined;
  return takenMs ?? Date.parse(object.metadata.creationTimestamp ?? "");
}

function dayOf(object: KubeObject): string {
  const ms = dayMs(object);
  if (Number.isNaN(ms)) throw invalid(`${object.kind} ${object.metadata.name} has no creationTimestamp`);
  return new Date(ms).toISOString().slice(0, 10).replaceAll("-", "/");
}

/** A DNS subdomain (RFC 1123), which is what Kubernetes allows as a name; no path can be made of it. */
function isName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text);
}

function checked(name: string, what: string): string {
  if (isName(name)) return name;
  throw invalid(`the ${what} is ${JSON.stringify(name)}, which is no DNS name`);
}

function invalid(what: string): HoldfastError {
  return new HoldfastError("RecordPathInvalid", `No path in the record: ${what}`, {
    disposition: "stall",
    next: "Use lower case letters, digits, dashes and dots, as Kubernetes does in names.",
  });
}
