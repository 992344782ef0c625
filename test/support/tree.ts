import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

export type TreeEntry = {
  readonly path: string;
  readonly type: "file" | "dir" | "symlink" | "other";
  readonly mode: string;
  readonly owner: string;
  /** Whole milliseconds. */
  readonly modifiedAt: number;
  /** SHA-256 of a file, target of a link. */
  readonly content?: string;
  readonly links?: number;
};

/** Everything below a directory and the directory itself (`.`), sorted; names as latin1, so that any byte counts. */
export function describeTree(directory: string): readonly TreeEntry[] {
  return [describe(directory, "."), ...below(directory, "")].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function below(directory: string, prefix: string): readonly TreeEntry[] {
  const names = readdirSync(join(directory, prefix), { encoding: "latin1" });
  return names.flatMap((name) => {
    const path = prefix === "" ? name : `${prefix}/${name}`;
    const entry = describe(directory, path);
    return entry.type === "dir" ? [entry, ...below(directory, path)] : [entry];
  });
}

function describe(directory: string, path: string): TreeEntry {
  const place = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, "latin1")]);
  const stat = lstatSync(place);
  const common = {
    path,
    mode: (stat.mode & 0o7777).toString(8),
    owner: `${stat.uid}:${stat.gid}`,
    modifiedAt: Math.floor(stat.mtimeMs),
  };
  if (stat.isDirectory()) return { ...common, type: "dir" };
  if (stat.isSymbolicLink()) return { ...common, type: "symlink", content: readlinkSync(place) };
  if (!stat.isFile()) return { ...common, type: "other" };
  const content = createHash("sha256").update(readFileSync(place)).digest("hex");
  return { ...common, type: "file", content, links: stat.nlink };
}
