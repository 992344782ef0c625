import { malformed } from "./git-errors.ts";
import type { ObjectSource } from "./object-source.ts";
import type { FolderEntry, GitFile, Oid } from "./remote.ts";
import {
  decodeTree,
  emptyTree,
  fileTypeOf,
  nameOf,
  reasonAgainstName,
  segmentsOf,
  type TreeEntry,
  treeMode,
} from "./tree.ts";

const deepest = 64;
const mostFiles = 500_000;

/** The tree at `folder` below a root tree; undefined when there is none, or a file in its place. */
export async function findFolder(
  source: ObjectSource,
  { root, folder, signal }: { root: Oid; folder: string; signal: AbortSignal | undefined },
): Promise<Oid | undefined> {
  const path = folder.replace(/\/+$/, "").replace(/^\.(\/|$)/, "");
  let tree = root;
  if (path === "") return tree;
  for (const segment of segmentsOf(path)) {
    const entries = await source.tree(tree, signal);
    const found = entries.find((entry) => nameOf(entry.key) === segment);
    if (found?.mode !== treeMode) return undefined;
    tree = found.oid;
  }
  return tree;
}

/** One level of each tree, all that are not here yet in one request. */
export async function readTrees(
  source: ObjectSource,
  oids: readonly Oid[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<Oid, readonly FolderEntry[]>> {
  await source.ensure(oids, { filter: "tree:0", signal });
  const trees = new Map<Oid, readonly FolderEntry[]>();
  for (const tree of oids) {
    const entries = await source.tree(tree, signal);
    trees.set(
      tree,
      entries.map((entry) => ({
        name: nameOf(entry.key),
        oid: entry.oid,
        type: isFolder(entry) ? "folder" : fileTypeOf(entry),
      })),
    );
  }
  return trees;
}

/** Every file below a tree in Git's order, paths beginning with `prefix`. */
export async function listFiles(
  source: ObjectSource,
  { tree, prefix, signal }: { tree: Oid; prefix: string; signal: AbortSignal | undefined },
): Promise<readonly GitFile[]> {
  await bringFolders(source, tree, signal);
  const files: GitFile[] = [];
  const visit = async (oid: Oid, at: string, depth: number): Promise<void> => {
    if (depth > deepest) throw malformed(`Folders below ${JSON.stringify(prefix)} are over ${deepest} deep`);
    for (const entry of await source.tree(oid, signal)) {
      const path = at + nameOf(entry.key);
      if (isFolder(entry)) await visit(entry.oid, `${path}/`, depth + 1);
      else files.push({ path, oid: entry.oid, type: fileTypeOf(entry) });
      if (files.length > mostFiles)
        throw malformed(`There are over ${mostFiles} files below ${JSON.stringify(prefix)}`);
    }
  };
  await visit(tree, prefix, 0);
  return files;
}

/**
 * Level by level, so that a known folder costs nothing. Where a sibling is known only what moved is asked for;
 * where none is, everything below comes in one request.
 */
async function bringFolders(source: ObjectSource, root: Oid, signal: AbortSignal | undefined): Promise<void> {
  let level: readonly Oid[] = [root];
  for (let depth = 0; level.length > 0 && depth <= deepest; depth++) {
    const missing = await source.missing(level);
    const warm = depth === 0 || missing.length < level.length;
    await source.ensure(missing, { filter: warm ? "tree:0" : "blob:none", signal });
    const below = new Set<Oid>();
    for (const oid of level) {
      const object = oid === emptyTree ? undefined : source.cached(oid);
      if (object?.type !== "tree") continue;
      for (const entry of decodeTree(oid, object.content)) if (isFolder(entry)) below.add(entry.oid);
    }
    level = [...below];
  }
}

/** A folder that may be entered. */
function isFolder({ mode, key }: TreeEntry): boolean {
  return mode === treeMode && reasonAgainstName(nameOf(key)) === undefined;
}
