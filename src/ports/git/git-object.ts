import { createHash } from "node:crypto";
import { malformed } from "./git-errors.ts";
import type { GitCommit, Oid } from "./remote.ts";

export type ObjectType = "commit" | "tree" | "blob" | "tag";

export type GitObject = { readonly type: ObjectType; readonly content: Buffer };

export const zeroOid: Oid = "0".repeat(40);

export function isOid(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

export function isObjectType(text: string): text is ObjectType {
  return text === "commit" || text === "tree" || text === "blob" || text === "tag";
}

export function headerOf({ type, content }: GitObject): Buffer {
  return Buffer.from(`${type} ${content.length}\0`);
}

export function oidOf(object: GitObject): Oid {
  return createHash("sha1").update(headerOf(object)).update(object.content).digest("hex");
}

/**
 * A commit object read leniently where only people look (author, message) and strictly where we build on it
 * (tree, parents). Continuation lines of signatures and unknown headers are passed over.
 */
export function decodeCommit(oid: Oid, content: Buffer): GitCommit {
  const blank = content.indexOf("\n\n");
  const head = (blank < 0 ? content : content.subarray(0, blank)).toString("latin1").split("\n");
  const parents: Oid[] = [];
  let tree = "";
  let author = "";
  let committer = "";
  let encoding = "utf-8";
  for (const line of head) {
    const space = line.indexOf(" ");
    const value = line.slice(space + 1);
    if (line.startsWith("tree ") && tree === "") tree = value;
    else if (line.startsWith("parent ")) parents.push(value);
    else if (line.startsWith("author ") && author === "") author = value;
    else if (line.startsWith("committer ") && committer === "") committer = value;
    else if (line.startsWith("encoding ")) encoding = value;
  }
  if (!isOid(tree) || !parents.every(isOid)) throw malformed(`Commit ${oid} names no valid tree or parent`);
  const text = decoderOf(encoding);
  return {
    oid,
    parents,
    tree,
    message: blank < 0 ? "" : text(content.subarray(blank + 2)),
    author: text(Buffer.from(author.replace(/ -?\d+ [+-]\d{4}$/, ""), "latin1")),
    committedAt: Number(/ (\d{1,13}) [+-]\d{4}$/.exec(committer)?.[1] ?? 0) * 1000,
  };
}

function decoderOf(encoding: string): (bytes: Buffer) => string {
  try {
    const decoder = new TextDecoder(encoding);
    return (bytes) => decoder.decode(bytes);
  } catch {
    return (bytes) => bytes.toString("utf8");
  }
}
