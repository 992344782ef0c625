import { createHash } from "node:crypto";
import { opendir } from "node:fs/promises";
import { join } from "node:path";
import type { GroupResource } from "./manifest-filter.ts";
import { groupResourceName } from "./manifest-filter.ts";

/**
 * The tree of a dump, one object per file:
 * ```
 * <group-resource>/cluster/<name>.yaml
 * <group-resource>/namespaces/<namespace>/<name>.yaml
 * ```
 */
export type ManifestPlace = {
  /** `deployments.apps` */
  readonly type: string;
  /** Undefined for a cluster-scoped object. */
  readonly namespace: string | undefined;
  readonly file: string;
};

/** One folder of a tree, with the files of one type and place. */
export type ManifestFolder = Pick<ManifestPlace, "type" | "namespace"> & { readonly path: string };

const extension = ".yaml";
/** The longest name of a file on the usual file systems, in bytes. */
const longestFileName = 255;

/** Folder of a type's objects, relative to the tree. */
export function folderOfType(type: GroupResource, namespace: string | undefined): string {
  const name = groupResourceName(type);
  return namespace === undefined ? join(name, "cluster") : join(name, "namespaces", namespace);
}

/** False for names that would leave their folder; no API server gives such, but an extension of one might. */
export function isSafeName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}

/**
 * `<name>.yaml`; names may hold `:`. A name of more than 250 bytes does not fit into a file name: it is cut and
 * ends with `~` and a digest of the whole. The object's own name stands in the file.
 */
export function fileNameOf(name: string): string {
  const plain = `${name}${extension}`;
  if (Buffer.byteLength(plain) <= longestFileName) return plain;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 16);
  const room = longestFileName - extension.length - digest.length - 1;
  const cut = Buffer.from(name, "utf8")
    .subarray(0, room)
    .toString("utf8")
    .replace(/\uFFFD+$/, "");
  return `${cut}~${digest}${extension}`;
}

/** Every file of a tree, folder by folder, with what its path says; other files are not part of a dump. */
export async function* walkTree(tree: string): AsyncGenerator<ManifestPlace> {
  yield* walkFolders(await listFolders(tree));
}

/** What a path below a tree says; undefined for one that is no manifest's. */
export function placeOf(tree: string, path: string): ManifestPlace | undefined {
  const [type = "", scope, ...rest] = path.split("/");
  const file = join(tree, path);
  const [first = "", second] = rest;
  if (!path.endsWith(extension)) return undefined;
  if (scope === "cluster" && rest.length === 1) return { type, namespace: undefined, file };
  return scope === "namespaces" && second !== undefined && rest.length === 2
    ? { type, namespace: first, file }
    : undefined;
}

/** The folders that hold manifests, in no order. */
export async function listFolders(tree: string): Promise<readonly ManifestFolder[]> {
  const found: ManifestFolder[] = [];
  for await (const { type, cluster, namespaces } of typesOfTree(tree)) {
    for (const namespace of [...(cluster ? [undefined] : []), ...namespaces]) {
      const path = join(tree, type, ...(namespace === undefined ? ["cluster"] : ["namespaces", namespace]));
      if (await hasManifest(path)) found.push({ type, namespace, path });
    }
  }
  return found;
}

/** The files of folders in their order, those of one folder by name, so that runs are alike. */
export async function* walkFolders(list: Iterable<ManifestFolder>): AsyncGenerator<ManifestPlace, undefined> {
  for (const { type, namespace, path } of list) {
    const names: string[] = [];
    for await (const name of manifests(path)) names.push(name);
    for (const name of names.toSorted()) yield { type, namespace, file: join(path, name) };
  }
}

async function hasManifest(path: string): Promise<boolean> {
  for await (const _name of manifests(path)) return true;
  return false;
}

/** The types of a tree, with what each has folders of. */
export async function* typesOfTree(tree: string): AsyncGenerator<{
  readonly type: string;
  readonly cluster: boolean;
  readonly namespaces: readonly string[];
}> {
  for (const type of await folders(tree)) {
    const parts = await folders(join(tree, type));
    const namespaces = parts.includes("namespaces") ? await folders(join(tree, type, "namespaces")) : [];
    yield { type, cluster: parts.includes("cluster"), namespaces };
  }
}

/** A link is no folder: what it leads to is not part of the tree. */
async function folders(path: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const entry of entries(path)) if (entry.isDirectory()) names.push(entry.name);
  return names;
}

async function* manifests(path: string): AsyncGenerator<string> {
  for await (const entry of entries(path)) {
    // A link or a device in a restored tree is nobody's manifest.
    if (entry.isFile() && entry.name.endsWith(extension)) yield entry.name;
  }
}

async function* entries(path: string) {
  const folder = await opendir(path).catch((thrown: unknown) => {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return undefined;
    throw thrown;
  });
  if (folder !== undefined) yield* folder;
}
