import { chmod, chown, lstat, mkdir, realpath, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import { type Feature, supports } from "./feature-table.ts";
import { parseMessage, progressOf } from "./messages.ts";
import { type DetailedNode, listNodes } from "./nodes.ts";
import {
  anchorPattern,
  coverageOf,
  escapePart,
  foldersOf,
  formatPattern,
  type Pattern,
  parsePattern,
  patternsBelow,
} from "./patterns.ts";
import type { ResticProcess } from "./process.ts";
import { checkSnapshotId } from "./repository.ts";
import type { Progress, ResticRepository, RestoreRequest, RestoreSummary } from "./restic.ts";
import { checkedPath } from "./source.ts";

export type RestoreOptions = {
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
};

/** How many top-level neighbours of the path are left out by name on a restic without subfolders. */
const maxNeighbours = 1000;

/**
 * `restic restore` of one saved path to `root` + `path`, through a symbolic link that stands there (a volume
 * of the embedded cluster). Counts are those of the listing: what the patterns select. Beside `Restic`'s
 * errors: `PathNotInSnapshot`, `TargetNotUsable`, `PatternsNotSupported`, `InvalidPattern`.
 */
export async function restore(
  process: ResticProcess,
  repository: ResticRepository,
  request: RestoreRequest,
  options: RestoreOptions,
): Promise<RestoreSummary> {
  const path = checkedPath(request.path);
  const include = request.include.map(parsePattern);
  const exclude = request.exclude.map(parsePattern);
  if (include.length > 0 && exclude.length > 0) {
    throw new HoldfastError("PatternsNotSupported", "restic restores with include or with exclude patterns", {
      disposition: "stall",
      next: "Take out the include or the exclude patterns.",
    });
  }
  const selection: Selection = { path, include, exclude };
  const nodes = listNodes(
    process,
    repository,
    { snapshotId: request.snapshotId, path },
    { signal: options.signal },
  );
  const { own, counts } = await survey(nodes, request.snapshotId, selection);
  if (counts.nodes === 0) return { files: 0, bytes: 0 };
  // A single file is restored into its folder: restic takes only folders as what to restore from.
  const single = own !== undefined && own.type !== "dir";
  const folder = single ? dirname(path) : path;
  const target = await prepareTarget(request.root, folder);
  const within = single ? [{ negated: false, parts: [escapePart(basename(path))] }] : undefined;
  const version = await process.version();
  const has = (feature: Feature) => supports(version, feature);
  const args =
    folder === "/" || has("restoreSubfolder")
      ? subfolderArgs(request.snapshotId, folder, target, patternArgs(selection, folder, within))
      : await wholeTreeArgs(process, repository, request, { folder, selection, within });
  await process.run(repository, {
    args: [
      "restore",
      ...(has("restoreJson") ? ["--json"] : []),
      ...(has("restoreSparse") ? ["--sparse"] : []),
      ...args,
    ],
    doing: { what: `restore ${path} of snapshot ${request.snapshotId}`, where: repository.url },
    long: true,
    signal: options.signal,
    onStdoutLine: (line) => {
      const message = parseMessage(line);
      if (message?.["message_type"] === "status") options.onProgress?.(progressOf(message));
    },
  });
  if (own?.type === "dir" && include.length === 0) await restoreOwnMetadata(target, own);
  return { files: counts.files, bytes: counts.bytes };
}

type Selection = {
  readonly path: string;
  readonly include: readonly Pattern[];
  readonly exclude: readonly Pattern[];
};

type Counts = { readonly nodes: number; readonly files: number; readonly bytes: number };

/** Reads the path's list once: is it there, what is it, and what do the patterns select. */
async function survey(
  listed: AsyncIterable<DetailedNode>,
  snapshotId: string,
  selection: Selection,
): Promise<{ readonly own: DetailedNode | undefined; readonly counts: Counts }> {
  const isIncluded = coverageOf(selection.include);
  const isExcluded = coverageOf(selection.exclude);
  const { path } = selection;
  let own: DetailedNode | undefined;
  let seen = 0;
  let nodes = 0;
  let files = 0;
  let bytes = 0;
  for await (const node of listed) {
    seen += 1;
    if (node.path === path) own = node;
    if (selection.include.length > 0 && !isIncluded(node.path)) continue;
    if (isExcluded(node.path)) continue;
    nodes += 1;
    if (node.type !== "file") continue;
    files += 1;
    bytes += node.sizeBytes;
  }
  if (seen > 0 || path === "/") return { own, counts: { nodes, files, bytes } };
  throw new HoldfastError("PathNotInSnapshot", `snapshot ${snapshotId} holds no ${path}`, {
    disposition: "stall",
    next: "Name a path that was backed up (`restic ls` shows them).",
  });
}

/** restic 0.16 and newer: the folder is what is restored from, so patterns are seen from inside it. */
function subfolderArgs(
  snapshotId: string,
  folder: string,
  target: string,
  patterns: readonly string[],
): readonly string[] {
  const id = checkSnapshotId(snapshotId);
  return [folder === "/" ? id : `${id}:${folder}`, `--target=${target}`, ...patterns];
}

function patternArgs(
  selection: Selection,
  folder: string,
  within: readonly Pattern[] | undefined,
): readonly string[] {
  const below = (patterns: readonly Pattern[]) => patterns.flatMap((one) => patternsBelow(one, folder));
  if (within !== undefined) return within.map((pattern) => `--include=${formatPattern(pattern)}`);
  return [
    ...below(selection.include).map((pattern) => `--include=${formatPattern(pattern)}`),
    ...below(selection.exclude).map((pattern) => `--exclude=${formatPattern(pattern)}`),
  ];
}

/**
 * restic before 0.16 restores from the snapshot's root and follows a symbolic link that stands for a folder,
 * so the target is the root. It takes include or exclude patterns: with excludes, the neighbours of the path
 * are excluded by name.
 */
async function wholeTreeArgs(
  process: ResticProcess,
  repository: ResticRepository,
  request: RestoreRequest,
  given: {
    readonly folder: string;
    readonly selection: Selection;
    readonly within: readonly Pattern[] | undefined;
  },
): Promise<readonly string[]> {
  const { folder, selection } = given;
  const id = checkSnapshotId(request.snapshotId);
  const target = `--target=${await realpath(request.root)}`;
  const inside = (pattern: Pattern) => formatPattern(anchorPattern(pattern, folder));
  const below = (patterns: readonly Pattern[]) =>
    patterns.flatMap((one) => patternsBelow(one, folder)).map(inside);
  if (given.within !== undefined) {
    return [id, target, ...given.within.map((one) => `--include=${inside(one)}`)];
  }
  if (selection.include.length > 0) {
    return [id, target, ...below(selection.include).map((one) => `--include=${one}`)];
  }
  if (selection.exclude.length > 0) {
    const neighbours = await neighboursOf(process, repository, id, folder);
    return [id, target, ...[...below(selection.exclude), ...neighbours].map((one) => `--exclude=${one}`)];
  }
  return [id, target, `--include=/${foldersOf(folder).map(escapePart).join("/")}`];
}

/** Everything beside the folders that lead to `folder`, as patterns. */
async function neighboursOf(
  process: ResticProcess,
  repository: ResticRepository,
  snapshotId: string,
  folder: string,
): Promise<readonly string[]> {
  const found: string[] = [];
  const folders = foldersOf(folder);
  for (const depth of folders.keys()) {
    const parent = `/${folders.slice(0, depth).join("/")}`;
    const kept = `/${folders.slice(0, depth + 1).join("/")}`;
    const request = { snapshotId, path: parent, shallow: true } as const;
    for await (const node of listNodes(process, repository, request, {})) {
      if (node.path === parent || node.path === kept) continue;
      found.push(`/${foldersOf(node.path).map(escapePart).join("/")}`);
      if (found.length <= maxNeighbours) continue;
      throw new HoldfastError(
        "PatternsNotSupported",
        `snapshot ${snapshotId} holds more than ${maxNeighbours} entries beside ${folder}`,
        { disposition: "stall", next: "Restore with restic 0.16 or newer, or without exclude patterns." },
      );
    }
  }
  return found;
}

/**
 * The real directory behind `root` + `folder`, made where it is absent. Its parents keep what they are: restic
 * would make them accessible to their owner alone.
 */
async function prepareTarget(root: string, folder: string): Promise<string> {
  const place = join(await usable(root, realpath(root)), folder);
  await usable(place, mkdir(place, { recursive: true }));
  const target = await usable(place, realpath(place));
  const found = await usable(place, lstat(target));
  if (found.isDirectory()) return target;
  throw notUsable(place, "it is not a directory", undefined);
}

async function usable<T>(place: string, promise: Promise<T>): Promise<T> {
  return promise.catch((cause: unknown) => {
    throw notUsable(place, messageOf(cause), cause);
  });
}

function notUsable(place: string, why: string, cause: unknown): HoldfastError {
  return new HoldfastError("TargetNotUsable", `cannot restore into ${place}: ${why}`, {
    disposition: "stall",
    next: "Mount the volume there, writable, or remove what stands in the way.",
    cause,
  });
}

/**
 * The restored folder is restic's root, whose own mode, owner and time it does not set. As with restic, only
 * root must be able to give a directory away; the mount point of a volume may belong to somebody else.
 */
async function restoreOwnMetadata(target: string, own: DetailedNode): Promise<void> {
  await tolerant(chown(target, own.uid, own.gid));
  await tolerant(chmod(target, own.mode));
  const time = new Date(own.modifiedAt);
  if (!Number.isNaN(time.getTime())) await tolerant(utimes(target, time, time));
}

async function tolerant(change: Promise<void>): Promise<void> {
  await change.catch((thrown: unknown) => {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
    if (code !== "EPERM" && code !== "EACCES" && code !== "EROFS") throw thrown;
  });
}
