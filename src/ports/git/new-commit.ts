import { HoldfastError } from "../../base/errors.ts";
import { decodeCommit, type GitObject, isObjectType } from "./git-object.ts";
import { memoryGitdir } from "./memory-gitdir.ts";
import type { ObjectSource } from "./object-source.ts";
import type { Oid, PushRequest } from "./remote.ts";
import { emptyTree } from "./tree.ts";
import { bringEdited, editTree, planEdit } from "./tree-edit.ts";

export type NewCommit = {
  readonly oid: Oid;
  readonly pack: Buffer;
  /** What is in the pack: to be kept once the remote has it. */
  readonly objects: ReadonlyMap<Oid, GitObject>;
};

/**
 * The commit that a push asks for and a pack of just the objects that its parent does not have; undefined when
 * the changes change nothing. Objects and pack are made by isomorphic-git, trees in our own encoding.
 * The same request on the same parent always makes the same commit.
 */
export async function makeCommit(
  source: ObjectSource,
  request: PushRequest,
  signal: AbortSignal | undefined,
): Promise<NewCommit | undefined> {
  const git = await import("isomorphic-git");
  const place = { fs: memoryGitdir(), gitdir: "/git" };
  const made: Oid[] = [];
  const write = async (type: "blob" | "tree", object: Uint8Array): Promise<Oid> => {
    const oid = await git.writeObject({ ...place, type, object, format: "content" });
    made.push(oid);
    return oid;
  };
  const edit = planEdit(request.changes);
  const before = await parentTree(source, request.expect, signal);
  if (before !== undefined) await bringEdited(source, { root: before, edit, signal });
  const after = await editTree(
    { readTree: (oid) => source.tree(oid, signal), writeTree: (content) => write("tree", content) },
    { oid: before, edit, path: "" },
  );
  if ((after ?? emptyTree) === (before ?? emptyTree)) return undefined;
  if (after === undefined) await write("tree", Buffer.alloc(0));
  for (const { content } of request.changes)
    if (content !== null) await write("blob", Buffer.from(content, "utf8"));
  const person = { ...personOf(request), timestamp: Math.floor(request.at / 1000), timezoneOffset: 0 };
  const oid = await git.writeCommit({
    ...place,
    commit: {
      message: `${request.message.replace(/\n+$/, "")}\n`,
      tree: after ?? emptyTree,
      parent: request.expect === undefined ? [] : [request.expect],
      author: person,
      committer: person,
    },
  });
  made.push(oid);
  const oids = [...new Set(made)];
  const { packfile } = await git.packObjects({ ...place, oids, write: false });
  if (!packfile) throw new HoldfastError("Bug", "isomorphic-git made no pack", { disposition: "bug" });
  const objects = new Map<Oid, GitObject>();
  for (const each of oids) {
    const { type, object } = await git.readObject({ ...place, oid: each, format: "content" });
    if (!isObjectType(type) || !(object instanceof Uint8Array)) continue;
    objects.set(each, { type, content: Buffer.from(object) });
  }
  return { oid, pack: Buffer.from(packfile), objects };
}

async function parentTree(
  source: ObjectSource,
  parent: Oid | undefined,
  signal: AbortSignal | undefined,
): Promise<Oid | undefined> {
  return parent === undefined ? undefined : decodeCommit(parent, await source.commit(parent, signal)).tree;
}

/** Git's own rule: angle brackets and line breaks end a name or an address, so that they are left out. */
function personOf({ author }: PushRequest): { name: string; email: string } {
  const clean = (text: string) => text.replace(/[<>\0\r\n]/g, "").trim();
  return { name: clean(author.name) || "Holdfast", email: clean(author.email) };
}
