import { malformed, unsafePath } from "./git-errors.ts";
import type { GitFile, Oid } from "./remote.ts";

/**
 * One entry of a tree. Names are bytes in Git; `key` holds them one byte per character, so that a name which is
 * not UTF-8 survives when its neighbour is rewritten. (isomorphic-git decodes names as UTF-8, refuses every
 * tree with a backslash in it, and orders by UTF-16 units, which differs from Git's order beyond U+FFFF.)
 */
export type TreeEntry = { readonly mode: string; readonly key: string; readonly oid: Oid };

export const treeMode = "40000";

export const emptyTree: Oid = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

export function keyOf(name: string): string {
  return Buffer.from(name, "utf8").toString("latin1");
}

export function nameOf(key: string): string {
  return Buffer.from(key, "latin1").toString("utf8");
}

/** Why a name may not stand in a path, or undefined; what `git fsck` and checkout refuse as well. */
export function reasonAgainstName(name: string): string | undefined {
  if (name === "") return "a name in it is empty";
  if (name === "." || name === "..") return `"${name}" is not a name`;
  if (name.includes("\0")) return "it holds a NUL";
  if (name.includes("/")) return "a name in it holds a slash";
  const plain = name.toLowerCase().replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "");
  if (/^(\.git|git~1)[ .]*$/.test(plain)) return `"${name}" is Git's own name`;
  return undefined;
}

export function decodeTree(oid: Oid, content: Buffer): readonly TreeEntry[] {
  const entries: TreeEntry[] = [];
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(0x20, at);
    const nul = space < 0 ? -1 : content.indexOf(0, space);
    if (nul < 0 || nul + 21 > content.length) throw malformed(`Tree ${oid} is cut off inside an entry`);
    const mode = content.toString("latin1", at, space).replace(/^0+/, "");
    const key = content.toString("latin1", space + 1, nul);
    entries.push({ mode, key, oid: content.toString("hex", nul + 1, nul + 21) });
    at = nul + 21;
  }
  return entries;
}

/** The entries of a tree that is going to be written again; one with an unsafe name is not. */
export function safeEntries(entries: readonly TreeEntry[], folder: string): readonly TreeEntry[] {
  for (const { key } of entries) {
    const reason = reasonAgainstName(nameOf(key));
    if (reason) throw unsafePath(`${folder}${nameOf(key)}`, reason);
  }
  return entries;
}

/** In Git's order: by bytes, a folder's name as if it ended with a slash. */
export function encodeTree(entries: Iterable<TreeEntry>): Buffer {
  const sortKey = (entry: TreeEntry) => (entry.mode === treeMode ? `${entry.key}/` : entry.key);
  // Keys hold one byte per character, so that JavaScript's order by units is the order by bytes.
  const sorted = [...entries].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  return Buffer.concat(
    sorted.flatMap((entry) => [
      Buffer.from(`${entry.mode} ${entry.key}\0`, "latin1"),
      Buffer.from(entry.oid, "hex"),
    ]),
  );
}

/** What an entry is that is no folder, or one that may not be entered. */
export function fileTypeOf({ mode, key }: TreeEntry): GitFile["type"] {
  if (reasonAgainstName(nameOf(key))) return "refused";
  if (mode === "100644" || mode === "100664") return "file";
  if (mode === "100755") return "executable";
  if (mode === "120000") return "symlink";
  if (mode === "160000") return "submodule";
  return "refused";
}

/** The segments of a path from the root; one that leaves the tree or names Git's own files is refused. */
export function segmentsOf(path: string): readonly string[] {
  if (path.startsWith("/")) throw unsafePath(path, "it is absolute");
  const segments = path.split("/");
  for (const segment of segments) {
    const reason = reasonAgainstName(segment);
    if (reason) throw unsafePath(path, reason);
  }
  return segments;
}
