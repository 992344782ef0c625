import type { Stats } from "node:fs";
import { chmod, chown, lstat, mkdir, opendir, realpath, rm, stat, utimes } from "node:fs/promises";
import { join, posix } from "node:path";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import { coverageOf, foldersOf, type Pattern } from "./patterns.ts";
import { temporaryFolder } from "./process.ts";

/** All names of one directory are held at once; a million of them is about 32 MiB. */
const maxChildrenBytes = 256 * 1024 * 1024;

/** What restic is started with so that the snapshot's tree is the pod's path, whatever the root is. */
export type Source = {
  /** Without symbolic links: restic matches patterns with the directory that it really runs in. */
  readonly root: string;
  readonly targets:
    | { readonly kind: "path"; readonly relative: string }
    /** A directory that stands for one of which nothing is left to save. */
    | { readonly kind: "empty"; readonly relative: string }
    /** NUL-terminated relative paths, for `--files-from-raw`. */
    | { readonly kind: "children"; readonly raw: Buffer };
  dispose(): Promise<void>;
};

/**
 * restic saves a symbolic link that it is pointed at as a link, and follows those above its target. So where
 * `root` + `path` is itself a link to a directory (a volume of the embedded cluster), its children are the
 * targets. So are they where a pattern covers the path itself: restic before 0.17 would make no snapshot,
 * newer ones never exclude a target; which is also why excluded children are left out here.
 * Throws `SourceNotFound`, `SourceNotReadable`, `SourceNotSupported`, `SourceExcluded`.
 */
export async function resolveSource(
  request: { readonly root: string; readonly path: string; readonly exclude: readonly Pattern[] },
  environment: Readonly<Record<string, string>>,
): Promise<Source> {
  const path = checkedPath(request.path);
  const root = await realpath(request.root).catch((thrown: unknown) => refuse(path, thrown));
  const relative = path === "/" ? "." : path.slice(1);
  const place = join(root, relative);
  const own = await lstat(place).catch((thrown: unknown) => refuse(path, thrown));
  const excluded = coverageOf(request.exclude);
  const asItIs = { root, targets: { kind: "path", relative }, dispose: async () => undefined } as const;
  if (!own.isSymbolicLink() && !excluded(path)) return asItIs;
  const meant = await stat(place).catch((thrown: unknown) => refuse(path, thrown));
  if (!meant.isDirectory()) throw notADirectory(path, own.isSymbolicLink());
  const raw = await childrenOf(place, path, relative, excluded);
  if (raw.length > 0) return { root, targets: { kind: "children", raw }, dispose: asItIs.dispose };
  return emptyCopy(root, relative, environment);
}

/** An absolute path in normal form. Throws `InvalidPath`. */
export function checkedPath(path: string): string {
  const normal = path === "/" ? path : posix.normalize(path).replace(/\/$/, "");
  const climbs = path.split("/").includes("..");
  if (path.startsWith("/") && !climbs && !path.includes("\0")) return normal;
  throw new HoldfastError("InvalidPath", `${JSON.stringify(path)} is no absolute path`, {
    disposition: "stall",
    next: "Write the path as the pod sees it, from `/`, without `..`.",
  });
}

async function childrenOf(
  place: string,
  path: string,
  relative: string,
  excluded: (path: string) => boolean,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Names are bytes: not every file name is UTF-8.
  const folder = await opendir(place, { encoding: "latin1" }).catch((thrown: unknown) =>
    refuse(path, thrown),
  );
  for await (const entry of folder) {
    const name = Buffer.from(entry.name, "latin1");
    if (excluded(`${path}/${name.toString("utf8")}`)) continue;
    chunks.push(Buffer.from(`${relative}/`), name, Buffer.from([0]));
    size += relative.length + name.length;
    if (size > maxChildrenBytes) throw tooMany(path);
  }
  return Buffer.concat(chunks);
}

/** A root of our own that holds nothing but the directory, with the modes and owners of the real one. */
async function emptyCopy(
  realRoot: string,
  relative: string,
  environment: Readonly<Record<string, string>>,
): Promise<Source> {
  const root = await temporaryFolder(environment);
  const folders = foldersOf(relative);
  const made: { readonly copy: string; readonly like: Stats }[] = [];
  for (const depth of folders.keys()) {
    const below = folders.slice(0, depth + 1);
    const copy = join(root, ...below);
    await mkdir(copy);
    made.push({ copy, like: await stat(join(realRoot, ...below)) });
  }
  // From the inside out, because making a child changes its parent's time.
  for (const { copy, like } of made.reverse()) {
    await chown(copy, like.uid, like.gid).catch(() => undefined);
    await chmod(copy, like.mode & 0o7777);
    await utimes(copy, like.atime, like.mtime);
  }
  return {
    root,
    targets: { kind: "empty", relative },
    dispose: () => rm(root, { recursive: true, force: true }),
  };
}

function refuse(path: string, thrown: unknown): never {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") {
    throw new HoldfastError("SourceNotFound", `there is no ${path} to back up`, {
      disposition: "stall",
      next: `Correct the path, or mount the volume that holds ${path}.`,
      cause: thrown,
    });
  }
  throw new HoldfastError("SourceNotReadable", `${path} cannot be read: ${messageOf(thrown)}`, {
    disposition: "stall",
    next: "Run the backup as a user who may read it (runtimeSettings of the addon).",
    cause: thrown,
  });
}

function notADirectory(path: string, isLink: boolean): HoldfastError {
  if (isLink) {
    return new HoldfastError("SourceNotSupported", `${path} is a symbolic link to a file`, {
      disposition: "stall",
      next: `Name the file that ${path} points at, or its directory.`,
    });
  }
  return new HoldfastError("SourceExcluded", `${path} is excluded by the exclude patterns`, {
    disposition: "stall",
    next: "Take the pattern out or the path.",
  });
}

function tooMany(path: string): HoldfastError {
  return new HoldfastError("SourceNotSupported", `${path} holds too many entries in one directory`, {
    disposition: "stall",
    next: "Back up its subdirectories one by one.",
  });
}
