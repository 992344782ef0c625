import {
  clusterFolder,
  configurationsFolder,
  formatPath,
  parseDayPath,
  parseEntryPath,
} from "../../api/record-layout.ts";
import type { FolderEntry, Oid, Remote } from "../../ports/git/remote.ts";
import type { RecordTarget } from "./read-record.ts";
import type { RecordInterest } from "./recorded.ts";

/** Folders by the id of their tree. */
export type Folders = ReadonlyMap<Oid, readonly FolderEntry[]>;

export type Found = {
  /** Ids of files by path, without the record's own folder. */
  readonly files: ReadonlyMap<string, Oid>;
  /** Days that were seen and not opened. */
  readonly days: ReadonlyMap<string, Oid>;
  /** All folders that were opened on the way. */
  readonly folders: Folders;
};

export const nothingFound: Found = { files: new Map(), days: new Map(), folders: new Map() };

type Walk = {
  readonly tip: Oid;
  readonly target: RecordTarget;
  readonly interest: RecordInterest;
  readonly known: Folders;
  readonly signal: AbortSignal;
};

type Place = { readonly path: string; readonly oid: Oid };

/**
 * From the tip's root down to what is asked for, level by level, so that each level is at most one request. A folder
 * whose id is known is not asked for again.
 */
export async function walkRecord(remote: Remote, walk: Walk): Promise<Found> {
  const { target, known, signal } = walk;
  const { tree } = await remote.commit(walk.tip, signal);
  const wayOf = wayTo(walk);
  const files = new Map<string, Oid>();
  const days = new Map<string, Oid>();
  const folders = new Map<Oid, readonly FolderEntry[]>();
  let level: readonly Place[] = [{ path: "", oid: tree }];
  while (level.length > 0) {
    const unknown = level.map(({ oid }) => oid).filter((oid) => !known.has(oid) && !folders.has(oid));
    for (const [oid, entries] of await remote.trees(unknown, signal)) folders.set(oid, entries);
    const next: Place[] = [];
    for (const { path: at, oid: opened } of level) {
      const entries = folders.get(opened) ?? known.get(opened) ?? [];
      folders.set(opened, entries);
      for (const { name, oid, type } of entries) {
        const path = at === "" ? name : `${at}/${name}`;
        const isFolder = type === "folder" && !isRestore(path, target);
        const way = isFolder ? wayOf(path) : isOfRecord(path, target) ? "file" : "none";
        if (way === "into") next.push({ path, oid });
        else if (way === "day") days.set(unrooted(target, path), oid);
        else if (way === "file") files.set(unrooted(target, path), oid);
      }
    }
    level = next;
  }
  return { files, days, folders };
}

/** What to do with a folder: open it, note it as a day, or pass it by. */
function wayTo({ target, interest }: Walk): (path: string) => "into" | "day" | "none" {
  const asked = new Set<string>();
  for (const path of [...interest.paths, ...interest.parents, configurationsFolder(target.cluster)])
    for (let folder = path; folder !== ""; folder = folder.slice(0, Math.max(folder.lastIndexOf("/"), 0)))
      asked.add(folder);
  const below = `${configurationsFolder(target.cluster)}/`;
  return (path) => {
    if (target.folder === path || target.folder.startsWith(`${path}/`)) return "into";
    const own = unrooted(target, path);
    if (asked.has(own) || own.startsWith(below)) return "into";
    const parent = own.split("/").slice(0, 5).join("/");
    if (!interest.parents.has(parent)) return "none";
    return parseDayPath(own) === undefined ? "into" : "day";
  };
}

function isOfRecord(path: string, target: RecordTarget): boolean {
  const own = unrooted(target, path);
  return own === formatPath || own.startsWith(`${clusterFolder(target.cluster)}/`);
}

/** A folder that has the name of a restore's entry is an entry that cannot be read. */
function isRestore(path: string, target: RecordTarget): boolean {
  return parseEntryPath(unrooted(target, path))?.kind === "RestoreSession";
}

function unrooted({ folder }: RecordTarget, path: string): string {
  return folder !== "" && path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}
