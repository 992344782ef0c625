import { createHash } from "node:crypto";
import { HoldfastError } from "../../../src/base/errors.ts";
import type { GitFile, Remote } from "../../../src/ports/git/remote.ts";

type Entry = string | Uint8Array | { readonly type: "symlink" | "submodule" | "refused" };

export const commit = "c".repeat(40);
const tree = "d".repeat(40);

/** The reading half of a remote with one branch `main` and one commit, whose files are given. */
export function memoryRemote(files: Readonly<Record<string, Entry>>): Pick<
  Remote,
  "where" | "tip" | "commit" | "trees" | "files" | "blobs" | "isAncestor"
> & {
  readonly requests: number[];
} {
  const blobs = new Map<string, Uint8Array>();
  const requests: number[] = [];
  const listed = Object.entries(files).map(([path, entry]): GitFile => {
    if (typeof entry === "object" && "type" in entry) return { path, oid: "0".repeat(40), type: entry.type };
    const content = typeof entry === "string" ? new TextEncoder().encode(entry) : entry;
    const oid = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
    blobs.set(oid, content);
    return { path, oid, type: "file" };
  });
  return {
    requests,
    where: "memory",
    isAncestor: async (older, newer) => older === newer,
    tip: async (branch) => (branch === "main" ? commit : undefined),
    commit: async (oid) => ({ oid, parents: [], tree, message: "", author: "", committedAt: 0 }),
    trees: async (oids) =>
      new Map(
        oids.map((oid) => [
          oid,
          listed
            .filter(({ path }) => oid === tree && !path.includes("/"))
            .map(({ path, ...entry }) => ({ ...entry, name: path })),
        ]),
      ),
    files: async (_commit, folder) =>
      listed.filter(({ path }) => folder === "" || path.startsWith(`${folder}/`)),
    blobs: async (oids, { maxBytes = 1024 * 1024 } = {}) => {
      requests.push(oids.length);
      return new Map(oids.map((oid) => [oid, blobOf(blobs, oid, maxBytes)]));
    },
  };
}

function blobOf(blobs: ReadonlyMap<string, Uint8Array>, oid: string, maxBytes: number): Uint8Array {
  const content = blobs.get(oid);
  if (content === undefined)
    throw new HoldfastError("ObjectMissing", `no object ${oid}`, { disposition: "stall" });
  if (content.length <= maxBytes) return content;
  throw new HoldfastError("ObjectTooLarge", `object ${oid} is larger than ${maxBytes} bytes`, {
    disposition: "stall",
  });
}
