import { HoldfastError } from "../../base/errors.ts";
import type { ResticNode } from "../../ports/restic/restic.ts";

export type NodeChange = {
  readonly change: "added" | "removed" | "changed";
  readonly path: string;
  /** What it is now; of a removed one what it was. */
  readonly type: ResticNode["type"];
  /** Bytes; only of files. */
  readonly before?: number;
  readonly after?: number;
};

export type NodeLists = {
  readonly before: AsyncIterable<ResticNode>;
  readonly after: AsyncIterable<ResticNode>;
  /**
   * Paths whose content or type differs, when that is known; otherwise size, type and time decide. restic knows
   * contents of files only, so for links and devices the time counts in any case.
   */
  readonly changed?: AsyncIterable<string>;
};

/**
 * What differs between two lists, in the order of paths. The lists are read side by side, so that neither is ever in
 * memory. Folders that are in both are never a change. Throws `NotComparable` when a list is not in order, which
 * comes of names that are no UTF-8.
 */
export async function* compareNodes(lists: NodeLists): AsyncGenerator<NodeChange, void, void> {
  const before = new Cursor(lists.before, (node) => node.path);
  const after = new Cursor(lists.after, (node) => node.path);
  const changed = lists.changed === undefined ? undefined : new Cursor(lists.changed, (path) => path);
  try {
    let [old, now] = [await before.next(), await after.next()];
    while (old !== undefined || now !== undefined) {
      const order = old === undefined ? 1 : now === undefined ? -1 : comparePaths(old.path, now.path);
      if (old !== undefined && order < 0) {
        yield { change: "removed", path: old.path, type: old.type, ...sizeOf("before", old) };
        old = await before.next();
      } else if (now !== undefined && order > 0) {
        yield { change: "added", path: now.path, type: now.type, ...sizeOf("after", now) };
        now = await after.next();
      } else if (old !== undefined && now !== undefined) {
        const said = await changed?.upTo(now.path);
        if (now.type === "file" ? (said ?? looksChanged(old, now)) : said === true || looksChanged(old, now))
          yield {
            change: "changed",
            path: now.path,
            type: now.type,
            ...sizeOf("before", old),
            ...sizeOf("after", now),
          };
        [old, now] = [await before.next(), await after.next()];
      }
    }
  } finally {
    await Promise.all([before.close(), after.close(), changed?.close()]);
  }
}

function looksChanged(old: ResticNode, now: ResticNode): boolean {
  if (old.type !== now.type) return true;
  return now.type !== "dir" && (old.sizeBytes !== now.sizeBytes || old.modifiedAt !== now.modifiedAt);
}

function sizeOf(when: "before" | "after", node: ResticNode) {
  return node.type === "file" ? { [when]: node.sizeBytes } : {};
}

/** As restic walks: a folder, what is in it, then the next name; names by their bytes. */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const difference = rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const slash = 0x2f;

/** Half of a pair stands for a character behind all that need no pair, in UTF-8 and not in UTF-16. */
function rank(unit: number): number {
  if (unit === slash) return -1;
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Reads a list one by one, and that it is in order. */
class Cursor<T> {
  private readonly iterator: AsyncIterator<T>;
  private readonly pathOf: (item: T) => string;
  private last: string | undefined;
  private waiting: T | undefined;

  constructor(list: AsyncIterable<T>, pathOf: (item: T) => string) {
    this.iterator = list[Symbol.asyncIterator]();
    this.pathOf = pathOf;
  }

  async next(): Promise<T | undefined> {
    const step = await this.iterator.next();
    if (step.done === true) return undefined;
    const path = this.pathOf(step.value);
    const order = this.last === undefined ? -1 : comparePaths(this.last, path);
    // Names that are no UTF-8 are shown with signs in their place, and two of them may look alike.
    if (order > 0 || (order === 0 && !path.includes("\ufffd"))) throw notComparable(path);
    this.last = path;
    return step.value;
  }

  /** Whether the list holds the path; what stands before it is passed over. */
  async upTo(path: string): Promise<boolean> {
    this.waiting ??= await this.next();
    while (this.waiting !== undefined && comparePaths(this.pathOf(this.waiting), path) < 0)
      this.waiting = await this.next();
    return this.waiting !== undefined && this.pathOf(this.waiting) === path;
  }

  async close(): Promise<void> {
    await this.iterator.return?.();
  }
}

function notComparable(path: string): HoldfastError {
  return new HoldfastError("NotComparable", `the list of files is not in order at ${path}`, {
    disposition: "stall",
    next: "a name there is probably no UTF-8; compare the Snapshots with restic diff instead",
  });
}
