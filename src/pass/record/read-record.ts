import { claimFields, formatPath, parseEntryPath } from "../../api/record-layout.ts";
import { HoldfastError } from "../../base/errors.ts";
import { asRecord } from "../../base/json.ts";
import { checkHistory } from "../../ports/git/check-history.ts";
import type { Oid, Remote } from "../../ports/git/remote.ts";
import { EntryIds } from "./entry-ids.ts";
import { parseRecordYaml, readRecordYaml } from "./record-yaml.ts";
import type { Recorded, RecordInterest, RestoreEntry } from "./recorded.ts";
import { type Folders, type Found, nothingFound, walkRecord } from "./walk-record.ts";

/** Where the record of a cluster is kept. `folder` is "" on a branch of its own. */
export type RecordTarget = { readonly cluster: string; readonly branch: string; readonly folder: string };

/** The record of one cluster at one tip, as far as it was asked for. */
export interface RecordAt extends Recorded {
  readonly tip: Oid | undefined;
  readonly interest: RecordInterest;
  /** The folders that were read, by id: they need not be read again at the next tip. */
  readonly folders: Folders;
  readonly ids: EntryIds;
}

export function rooted(target: RecordTarget, path: string): string {
  return target.folder === "" ? path : `${target.folder}/${path}`;
}

/**
 * Reads of the tip what is asked for: ids of entries, and the restores' content. Answers `previous` itself when the
 * tip has not moved and nothing more is asked for. What it costs depends on what is asked for, and not on how much
 * the record holds. Throws `HistoryRewritten` when the record was written anew or taken away: claims were in it; and
 * `RecordNotFetched` for a clone that has not its branch.
 */
export async function readRecord(
  remote: Remote,
  target: RecordTarget,
  options: {
    readonly interest: RecordInterest;
    readonly previous?: RecordAt;
    /** The tip that was seen last: the new one must go on from it, or be one of `acceptRewritten`. */
    readonly since?: Oid;
    readonly acceptRewritten?: readonly Oid[];
    readonly signal: AbortSignal;
  },
): Promise<RecordAt> {
  const { previous, interest, signal, since: before, acceptRewritten: accept = [] } = options;
  const { branch } = target;
  const tip = await remote.tip(branch, signal);
  if (tip === undefined) await refuseUnfetched(remote, branch, signal);
  await checkHistory(remote, { branch, before, tip, accept }, signal);
  if (previous !== undefined && previous.tip === tip && covers(previous.interest, interest)) return previous;
  if (tip === undefined) return recordFrom({ tip, interest, found: nothingFound, restores: new Map() });
  const known = previous?.folders ?? nothingFound.folders;
  const found = await walkRecord(remote, { tip, target, interest, known, signal });
  const format = found.files.get(formatPath);
  if (format !== undefined) await checkFormat(remote, target, format, signal);
  const entries = [...found.files].filter(([path]) => parseEntryPath(path)?.kind === "RestoreSession");
  const oids = entries.map(([, oid]) => oid);
  const blobs = await entryBlobs(remote, oids, signal);
  const restores = new Map(
    entries.map(([path, oid]) => [path, restoreEntryFrom(target, path, { blob: blobs.get(oid), tip })]),
  );
  return recordFrom({ tip, interest, found, restores, ids: previous?.ids });
}

type EntryBlob = Uint8Array | { readonly why: string };

/** Reasons that say something about one object, so that the others can still be had; and in words of an entry. */
const whyUnread: Readonly<Record<string, string | undefined>> = {
  ObjectTooLarge: "it is larger than 1 MiB",
  ObjectMissing: "its content cannot be had",
  ObjectMalformed: "it is no file",
};

/** Contents by id. One that cannot be had must not stop the others. */
async function entryBlobs(
  remote: Remote,
  oids: readonly Oid[],
  signal: AbortSignal,
): Promise<ReadonlyMap<Oid, EntryBlob>> {
  try {
    return await remote.blobs(oids, { signal });
  } catch (error) {
    const why = error instanceof HoldfastError ? whyUnread[error.reason] : undefined;
    if (why === undefined) throw error;
    const [only, second] = oids;
    if (only !== undefined && second === undefined) return new Map([[only, { why }]]);
    const first = await entryBlobs(remote, oids.slice(0, oids.length >> 1), signal);
    return new Map([...first, ...(await entryBlobs(remote, oids.slice(oids.length >> 1), signal))]);
  }
}

/** A clone without the record's branch would begin a second record, and run every restore of the first one again. */
async function refuseUnfetched(remote: Remote, branch: string, signal: AbortSignal): Promise<void> {
  const tip = await remote.originTip(branch, signal);
  if (tip === undefined) return;
  throw new HoldfastError(
    "RecordNotFetched",
    `${remote.where} has no branch ${branch}, and the repository that it is a clone of has one, at ${tip}`,
    {
      disposition: "stall",
      next: `Name that repository as the remote, or run git fetch origin ${branch}:${branch} in the clone.`,
    },
  );
}

/** A record that could not be read: it knows of nothing, and nothing is claimed or written by it. */
export function unknownRecord(): RecordAt {
  const interest = { paths: new Set<string>(), parents: new Set<string>() };
  return recordFrom({ tip: undefined, interest, found: nothingFound, restores: new Map() });
}

function covers(one: RecordInterest, other: RecordInterest): boolean {
  const within = (some: ReadonlySet<string>, all: ReadonlySet<string>) =>
    some === all || [...some].every((path) => all.has(path));
  return within(other.paths, one.paths) && within(other.parents, one.parents);
}

async function checkFormat(
  remote: Remote,
  target: RecordTarget,
  oid: Oid,
  signal: AbortSignal,
): Promise<void> {
  const content = (await remote.blobs([oid], { signal })).get(oid);
  const { version } = readRecordYaml(content ?? new Uint8Array());
  if (version === 1) return;
  throw new HoldfastError(
    "RecordFormatUnknown",
    `${rooted(target, formatPath)} on ${target.branch} says version ${String(version)}; this release reads 1`,
    {
      disposition: "stall",
      next: "use the release of Holdfast that wrote it, or a newer one",
    },
  );
}

function recordFrom(given: {
  readonly tip: Oid | undefined;
  readonly interest: RecordInterest;
  readonly found: Found;
  readonly restores: ReadonlyMap<string, RestoreEntry>;
  readonly ids?: EntryIds | undefined;
}): RecordAt {
  const { tip, interest, found, restores, ids = new EntryIds() } = given;
  const { files, days, folders } = found;
  const byName = new Map(
    [...restores].map(([path, entry]) => {
      const parsed = parseEntryPath(path);
      return [`${parsed?.namespace}/${parsed?.name}`, entry];
    }),
  );
  return {
    tip,
    interest,
    folders,
    ids,
    restore: (namespace, name) => byName.get(`${namespace}/${name}`),
    entry: (path) => files.get(path) ?? days.get(path),
    holds: (path, content) => files.has(path) && files.get(path) === ids.of(content),
    paths: () => [...files.keys()],
    otherDays: () => [...days.keys()],
  };
}

/** An entry that cannot be read must not count as absent: its restore would run again. It holds that one name. */
function restoreEntryFrom(
  target: RecordTarget,
  path: string,
  { blob = new Uint8Array(), tip }: { readonly blob: EntryBlob | undefined; readonly tip: Oid },
): RestoreEntry {
  const { content, why } = "why" in blob ? { content: undefined, why: blob.why } : parseRecordYaml(blob);
  const record = asRecord(content?.["record"]);
  const { uid } = asRecord(asRecord(content)["metadata"]);
  const text = (name: string) => (typeof record[name] === "string" ? record[name] : "");
  const missing = claimFields.find((name) => text(name) === "");
  const claimedAtMs = Date.parse(text("claimedAt"));
  const wrong =
    why ??
    (missing === undefined ? undefined : `it has no record.${missing}`) ??
    (Number.isNaN(claimedAtMs) ? "its record.claimedAt is no time" : undefined);
  const entry = {
    phase: text("phase"),
    specDigest: text("specDigest"),
    clusterUid: text("clusterUid"),
    uid: typeof uid === "string" ? uid : undefined,
    holder: text("holder"),
    claimedAtMs,
    status: asRecord(content?.["status"]),
    commit: tip,
  };
  if (wrong === undefined) return entry;
  const where = rooted(target, path);
  return {
    phase: "Unreadable",
    specDigest: "",
    clusterUid: "",
    uid: undefined,
    holder: "",
    claimedAtMs: 0,
    status: {},
    commit: tip,
    unreadable: `${wrong}; on branch ${target.branch} look with git log -- ${where}`,
  };
}
