import { clusterFolder, formatPath, parseEntryPath } from "../../api/record-layout.ts";
import { HoldfastError } from "../../base/errors.ts";
import { blobOid } from "../../ports/git/blob-oid.ts";
import type { GitFile, Oid, Remote } from "../../ports/git/remote.ts";
import { readRecordYaml, recordYaml } from "./record-yaml.ts";
import type { Recorded, RestoreEntry } from "./recorded.ts";

/** Where the record of a cluster is kept. `folder` is "" on a branch of its own. */
export type RecordTarget = { readonly cluster: string; readonly branch: string; readonly folder: string };

/** The record of one cluster at one tip. */
export interface RecordAt extends Recorded {
  readonly tip: Oid | undefined;
}

export function rooted(target: RecordTarget, path: string): string {
  return target.folder === "" ? path : `${target.folder}/${path}`;
}

/**
 * Reads the tip: ids of all entries of this cluster, and the restores' content. Answers `previous` itself when the
 * tip has not moved.
 */
export async function readRecord(
  remote: Remote,
  target: RecordTarget,
  options: { readonly previous?: RecordAt; readonly signal: AbortSignal },
): Promise<RecordAt> {
  const { previous, signal } = options;
  const tip = await remote.tip(target.branch, signal);
  if (previous !== undefined && previous.tip === tip) return previous;
  if (tip === undefined) return recordFrom(undefined, new Map(), new Map());
  const listed = (await remote.files(tip, target.folder, signal)) ?? [];
  const own = `${clusterFolder(target.cluster)}/`;
  const files = new Map(
    listed
      .map((file) => [unrooted(target, file.path), file] as const)
      .filter(([path]) => path === formatPath || path.startsWith(own)),
  );
  const format = files.get(formatPath);
  if (format !== undefined) await checkFormat(remote, target, format, signal);
  const restores = [...files].filter(([path]) => parseEntryPath(path)?.kind === "RestoreSession");
  const blobs = await remote.blobs(
    restores.map(([, file]) => file.oid),
    { signal },
  );
  const entries = new Map(
    restores.map(([path, file]) => [path, restoreEntryFrom(path, blobs.get(file.oid), tip)]),
  );
  return recordFrom(tip, files, entries);
}

async function checkFormat(
  remote: Remote,
  target: RecordTarget,
  file: GitFile,
  signal: AbortSignal,
): Promise<void> {
  const content = (await remote.blobs([file.oid], { signal })).get(file.oid);
  const { version } = readRecordYaml(content ?? new Uint8Array());
  if (version === 1) return;
  throw new HoldfastError(
    "RecordFormatUnknown",
    `${file.path} on ${target.branch} says version ${String(version)}; this release reads 1`,
    {
      disposition: "stall",
      next: "use the release of Holdfast that wrote it, or a newer one",
    },
  );
}

function unrooted(target: RecordTarget, path: string): string {
  return target.folder === "" ? path : path.slice(target.folder.length + 1);
}

function recordFrom(
  tip: Oid | undefined,
  files: ReadonlyMap<string, GitFile>,
  restores: ReadonlyMap<string, RestoreEntry>,
): RecordAt {
  const byName = new Map(
    [...restores].map(([path, entry]) => {
      const parsed = parseEntryPath(path);
      return [`${parsed?.namespace}/${parsed?.name}`, entry];
    }),
  );
  return {
    tip,
    restore: (namespace, name) => byName.get(`${namespace}/${name}`),
    entry: (path) => files.get(path)?.oid,
    holds: (path, content) => files.get(path)?.oid === blobOid(recordYaml(content)),
    paths: () => [...files.keys()],
  };
}

/** An entry that cannot be read must not count as absent: its restore would run again. */
function restoreEntryFrom(path: string, blob: Uint8Array | undefined, tip: Oid): RestoreEntry {
  const object = readRecordYaml(blob ?? new Uint8Array());
  const record = recordOf(object["record"]);
  const { uid } = recordOf(object["metadata"]);
  const text = (name: string) => {
    const value = record[name];
    if (typeof value === "string" && value !== "") return value;
    throw new HoldfastError("RecordUnreadable", `${path} in the record has no ${name}`, {
      disposition: "stall",
      next: `look at the entry's history with git log -- ${path}`,
    });
  };
  return {
    phase: text("phase"),
    specDigest: text("specDigest"),
    clusterUid: text("clusterUid"),
    uid: typeof uid === "string" ? uid : undefined,
    holder: text("holder"),
    claimedAtMs: Date.parse(text("claimedAt")),
    status: recordOf(object["status"]),
    commit: tip,
  };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
