import { randomBytes } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import { mkdir, open, readdir, realpath, rename, rm, rmdir, unlink } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import { checkKey, checkPrefix, folderPrefix, tooLarge } from "./key.ts";
import type { Objects, ObjectsLocation, StoredObject } from "./objects.ts";

const defaultMaxBytes = 1024 * 1024;
/** A put that was killed leaves such a file; it is no object. */
const temporaryName = /^\.holdfast-[0-9a-f]{16}\.tmp$/;

/**
 * Objects as files below a directory, which must exist: a volume that is not mounted is no empty store.
 * Symbolic links below it are neither followed out of it nor listed. Beside the contract's errors:
 * `DirectoryNotFound` (stall), `StoreFailed` (retry; a full disk for example).
 */
export function createLocalObjects(location: Extract<ObjectsLocation, { provider: "local" }>): Objects {
  const where = location.directory;
  const base = () => realpath(where).catch((thrown: unknown) => refuse(where, thrown));
  return {
    where,
    async get(key, options = {}) {
      const maxBytes = options.maxBytes ?? defaultMaxBytes;
      const folder = await enter(await base(), dirname(checkKey(key)), where);
      if (folder === undefined) return undefined;
      return readFile(join(folder, basename(key)), { key, where, maxBytes });
    },
    async put(key, content) {
      checkKey(key);
      const folder = await makeFolder(await base(), dirname(key), where);
      await attempt(where, replaceFile(folder, basename(key), content));
    },
    async *list(prefix) {
      checkPrefix(prefix);
      const root = await base();
      const start = prefix.includes("/") ? prefix.slice(0, prefix.lastIndexOf("/")) : "";
      for await (const found of walk(root, start, where)) {
        if (found.kind === "file" && found.key.startsWith(prefix)) yield await sized(root, found.key, where);
      }
    },
    async delete(key) {
      checkKey(key);
      const root = await base();
      const folder = await enter(root, dirname(key), where);
      if (folder === undefined) return;
      await removeFile(join(folder, basename(key)), where);
      await removeEmptyFolders(root, folder);
    },
    async deleteAll(prefix) {
      const root = await base();
      const start = folderPrefix(prefix).replace(/\/$/, "");
      let count = 0;
      for await (const found of walk(root, start, where)) {
        const path = join(root, found.key);
        if (found.kind === "folder") await removeEmptyFolders(root, path);
        else await removeFile(path, where);
        if (found.kind === "file") count += 1;
      }
      const folder = start === "" ? undefined : await enter(root, start, where);
      if (folder !== undefined) await removeEmptyFolders(root, folder);
      return count;
    },
  };
}

type Found = {
  /** `other` is what is no object: a link, a pipe, a put that was killed. A folder comes after its content. */
  readonly kind: "file" | "folder" | "other";
  readonly key: string;
};

/** Depth first in key order: a folder sorts as its name with `/`. Links are not followed. */
async function* walk(root: string, start: string, where: string): AsyncGenerator<Found, void, void> {
  const folder = await enter(root, start === "" ? "." : start, where);
  if (folder === undefined) return;
  const entries = await readdir(folder, { withFileTypes: true }).catch((thrown: unknown) => {
    if (codeOf(thrown) === "ENOENT" || codeOf(thrown) === "ENOTDIR") return [];
    return refuse(where, thrown);
  });
  const sortKey = (entry: Dirent) => Buffer.from(entry.isDirectory() ? `${entry.name}/` : entry.name);
  for (const entry of entries.sort((a, b) => Buffer.compare(sortKey(a), sortKey(b)))) {
    const key = start === "" ? entry.name : `${start}/${entry.name}`;
    if (entry.isDirectory()) {
      yield* walk(root, key, where);
      yield { kind: "folder", key };
    } else {
      yield { kind: entry.isFile() && !temporaryName.test(entry.name) ? "file" : "other", key };
    }
  }
}

/**
 * The real directory of a folder below the root; undefined when there is none. Throws `InvalidKey` when a
 * symbolic link leads out of the root.
 */
async function enter(root: string, folder: string, where: string): Promise<string | undefined> {
  const real = await realpath(join(root, folder)).catch((thrown: unknown) => {
    if (codeOf(thrown) === "ENOENT" || codeOf(thrown) === "ENOTDIR") return undefined;
    return refuse(where, thrown);
  });
  if (real === undefined || real === root) return real;
  if (!relative(root, real).startsWith("..")) return real;
  throw new HoldfastError("InvalidKey", `${folder} leads out of ${where} by a symbolic link`, {
    disposition: "stall",
    next: `Remove the symbolic link below ${where}.`,
  });
}

/** Step by step, so that nothing is made behind a symbolic link that leads out. */
async function makeFolder(root: string, folder: string, where: string): Promise<string> {
  let at = root;
  for (const part of folder === "." ? [] : folder.split("/")) {
    await mkdir(join(at, part)).catch((thrown: unknown) => {
      if (codeOf(thrown) !== "EEXIST") refuse(where, thrown);
    });
    const entered = await enter(root, relative(root, join(at, part)), where);
    if (entered === undefined) return refuse(where, new Error(`${folder} vanished while it was made`));
    at = entered;
  }
  return at;
}

async function readFile(
  path: string,
  given: { readonly key: string; readonly where: string; readonly maxBytes: number },
): Promise<Uint8Array | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((thrown: unknown) => {
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(codeOf(thrown))) return undefined;
    return refuse(given.where, thrown);
  });
  if (file === undefined) return undefined;
  try {
    const { size, ...kind } = await file.stat().then((stat) => ({ size: stat.size, isFile: stat.isFile() }));
    if (!kind.isFile) return undefined;
    if (size > given.maxBytes) throw tooLarge(given.key, given.where, given.maxBytes);
    const content = Buffer.alloc(size);
    let length = 0;
    while (length < size) {
      const { bytesRead } = await attempt(given.where, file.read(content, length, size - length, length));
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return new Uint8Array(content.subarray(0, length));
  } finally {
    await file.close();
  }
}

/** Written beside, forced to the disk, and renamed: readers and power losses see the old or the new file. */
async function replaceFile(folder: string, name: string, content: Uint8Array): Promise<void> {
  const temporary = join(folder, `.holdfast-${randomBytes(8).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, name));
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
  const directory = await open(folder, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function sized(root: string, key: string, where: string): Promise<StoredObject> {
  const file = await attempt(where, open(join(root, key), constants.O_RDONLY | constants.O_NOFOLLOW));
  try {
    const { size, mtimeMs } = await file.stat();
    return { key, sizeBytes: size, modifiedMs: mtimeMs };
  } finally {
    await file.close();
  }
}

async function removeFile(path: string, where: string): Promise<void> {
  await unlink(path).catch((thrown: unknown) => {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes(codeOf(thrown))) return;
    refuse(where, thrown);
  });
}

/** From `folder` upwards while they are empty; never the root itself. */
async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  for (let at = folder; at.startsWith(root + sep); at = dirname(at)) {
    const removed = await rmdir(at).then(
      () => true,
      // Not empty, gone, or not ours to remove: an empty folder is no object and does no harm.
      () => false,
    );
    if (!removed) return;
  }
}

async function attempt<T>(where: string, promise: Promise<T>): Promise<T> {
  return promise.catch((thrown: unknown) => refuse(where, thrown));
}

function refuse(where: string, thrown: unknown): never {
  const code = codeOf(thrown);
  if (code === "ENOENT") {
    throw new HoldfastError("DirectoryNotFound", `there is no directory ${where}`, {
      disposition: "stall",
      next: `Mount the volume of the BackupStorage at ${where}.`,
      cause: thrown,
    });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    throw new HoldfastError("AccessDenied", `${where} cannot be used: ${messageOf(thrown)}`, {
      disposition: "stall",
      next: "Give the mover's user the right to write there (fsGroup, or the volume's mode).",
      cause: thrown,
    });
  }
  throw new HoldfastError("StoreFailed", `${where} failed: ${messageOf(thrown)}`, {
    disposition: "retry",
    next: "Check the volume; it may be full.",
    cause: thrown,
  });
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
}
