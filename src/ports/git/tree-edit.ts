import { blobOid } from "./blob-oid.ts";
import { pathConflict } from "./git-errors.ts";
import type { ObjectSource } from "./object-source.ts";
import type { FileChange, Oid } from "./remote.ts";
import { encodeTree, keyOf, safeEntries, segmentsOf, type TreeEntry, treeMode } from "./tree.ts";

/** A folder's changes: by name what becomes of a file, and what changes below. */
type Edit = { readonly below: Map<string, Edit>; change: FileChange | undefined };

export type WriteTree = (content: Buffer) => Promise<Oid>;

/** Puts the changes of a request in the shape of the tree; refuses what contradicts itself. */
export function planEdit(changes: readonly FileChange[]): Edit {
  const root: Edit = { below: new Map(), change: undefined };
  for (const change of changes) {
    let at = root;
    for (const segment of segmentsOf(change.path)) {
      const next = at.below.get(segment) ?? { below: new Map<string, Edit>(), change: undefined };
      at.below.set(segment, next);
      at = next;
    }
    if (at.change) throw pathConflict(change.path, "it is changed twice in one commit");
    at.change = change;
  }
  return root;
}

/** Brings every tree along the edited paths into the cache, one request per level. */
export async function bringEdited(
  source: ObjectSource,
  { root, edit, signal }: { root: Oid; edit: Edit; signal: AbortSignal | undefined },
): Promise<void> {
  let level: readonly (readonly [Oid, Edit])[] = [[root, edit]];
  while (level.length > 0) {
    await source.ensure(
      level.map(([oid]) => oid),
      { filter: "tree:0", signal },
    );
    const below: [Oid, Edit][] = [];
    for (const [oid, at] of level) {
      for (const entry of await source.tree(oid, signal)) {
        const child =
          entry.mode === treeMode
            ? at.below.get(Buffer.from(entry.key, "latin1").toString("utf8"))
            : undefined;
        if (child && child.below.size > 0) below.push([entry.oid, child]);
      }
    }
    level = below;
  }
}

export type Editor = {
  readonly readTree: (oid: Oid) => Promise<readonly TreeEntry[]>;
  readonly writeTree: WriteTree;
};

/**
 * The id of the tree with the edit made, or undefined when nothing is left in it, so that its folder goes too.
 * An executable stays one. A folder is never replaced by a file, nor a file by a folder, unless it is removed
 * in the same change set.
 */
export async function editTree(
  editor: Editor,
  { oid, edit, path }: { oid: Oid | undefined; edit: Edit; path: string },
): Promise<Oid | undefined> {
  const before = oid === undefined ? [] : safeEntries(await editor.readTree(oid), path);
  const entries = new Map(before.map((entry) => [entry.key, entry]));
  for (const [name, child] of edit.below) {
    const key = keyOf(name);
    const after = await editEntry(editor, { entry: entries.get(key), edit: child, path: path + name });
    if (after) entries.set(key, { ...after, key });
    else entries.delete(key);
  }
  if (entries.size === 0) return undefined;
  const unchanged =
    before.length === entries.size && before.every((entry) => entries.get(entry.key)?.oid === entry.oid);
  return unchanged && oid !== undefined ? oid : editor.writeTree(encodeTree(entries.values()));
}

async function editEntry(
  editor: Editor,
  { entry, edit, path }: { entry: TreeEntry | undefined; edit: Edit; path: string },
): Promise<Omit<TreeEntry, "key"> | undefined> {
  const { change, below } = edit;
  const takesFolder = change !== undefined && "folder" in change;
  if (change && !takesFolder && entry?.mode === treeMode) throw pathConflict(path, "there is a folder");
  if (takesFolder && entry && entry.mode !== treeMode) throw pathConflict(path, "there is a file");
  if (change && change.content !== null) {
    if (below.size > 0) throw pathConflict(path, "the same commit writes below it");
    if (entry && !entry.mode.startsWith("100")) throw pathConflict(path, "there is a symlink or a submodule");
    return { mode: entry?.mode ?? "100644", oid: blobOid(change.content) };
  }
  const kept = change ? undefined : entry;
  if (below.size === 0) return kept;
  if (kept && kept.mode !== treeMode) {
    // Removing below what is no folder removes nothing.
    if (!writes(edit)) return kept;
    throw pathConflict(path, "there is a file, and a folder is needed");
  }
  const tree = await editTree(editor, { oid: kept?.oid, edit, path: `${path}/` });
  return tree === undefined ? undefined : { mode: treeMode, oid: tree };
}

function writes(edit: Edit): boolean {
  if (edit.change && edit.change.content !== null) return true;
  return [...edit.below.values()].some(writes);
}
