import { lstat, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { HoldfastError } from "../../base/errors.ts";
import type { Progress, ResticNode } from "../../ports/restic/restic.ts";
import type { OpenComponent } from "./open-snapshot.ts";
import type { ReaderContext } from "./reader-context.ts";

export type Downloaded = {
  /** The path as the pod had it. */
  readonly path: string;
  /** Where it is now. */
  readonly at: string;
  readonly files: number;
  readonly bytes: number;
};

export type DownloadOptions = {
  /** Folder of the component; made when absent. */
  readonly folder: string;
  /** Only what is below this path. */
  readonly path: string | undefined;
  /** There may be something in the folder already. */
  readonly mayExist: boolean;
  readonly onProgress: (progress: Progress) => void;
};

/**
 * Restores the paths of a component below a folder, each to where the pod had it, and proves it: what restic lists
 * is compared with what is on disk, and with what was counted after the backup. Throws restic's errors, `NotProven`,
 * and `LinkInTheWay` before anything is written through a symbolic link.
 */
export async function downloadComponent(
  context: Pick<ReaderContext, "restic" | "signal">,
  { repository, paths }: Pick<OpenComponent, "repository" | "paths">,
  options: DownloadOptions,
): Promise<readonly Downloaded[]> {
  const done: Downloaded[] = [];
  for (const { id, hostPath, proof } of paths) {
    const path = wantedPath(hostPath, options.path);
    if (path === undefined) continue;
    await refuseLink(options.folder);
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const list = () => context.restic.list(repository, id, path, { signal: context.signal });
    // What was restored before may have put a link there too: two saved paths may lie in each other.
    if (options.mayExist || done.length > 0) await refuseLinks(options.folder, path, list());
    await context.restic.restore(
      repository,
      { snapshotId: id, root: options.folder, path, include: [], exclude: [] },
      { signal: context.signal, onProgress: options.onProgress },
    );
    const counts = await provenOnDisk(options.folder, path, list());
    const whole = path === hostPath;
    if (whole && proof !== undefined && (proof.files !== counts.files || proof.bytes !== counts.bytes))
      throw notProven(
        path,
        `it holds ${counts.files} files and ${counts.bytes} bytes, and ${proof.files} and ${proof.bytes} were counted after the backup`,
      );
    done.push({ path, at: join(options.folder, path), ...counts });
  }
  return done;
}

/** What of a saved path is wanted; undefined for nothing. */
function wantedPath(hostPath: string, path: string | undefined): string | undefined {
  if (path === undefined || isBelow(path, hostPath)) return hostPath;
  return isBelow(hostPath, path) ? path : undefined;
}

function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** A link that somebody left where a folder or a file is to be written would lead the writing out of the folder. */
async function refuseLinks(folder: string, path: string, nodes: AsyncIterable<ResticNode>): Promise<void> {
  for (let above = dirname(path); above !== "/"; above = dirname(above))
    await refuseLink(join(folder, above));
  for await (const node of nodes) {
    if (node.type === "symlink") continue;
    for (const place of await placesOf(folder, node.path)) await refuseLink(place);
  }
}

async function refuseLink(place: string | Buffer): Promise<void> {
  const found = await lstat(place).catch(() => undefined);
  if (found?.isSymbolicLink() !== true) return;
  throw new HoldfastError("LinkInTheWay", `${place.toString()} is a symbolic link, which is not followed`, {
    disposition: "stall",
    next: "remove it, or download into another folder",
  });
}

async function provenOnDisk(folder: string, path: string, nodes: AsyncIterable<ResticNode>) {
  let files = 0;
  let bytes = 0;
  let found = false;
  for await (const node of nodes) {
    found = true;
    const places = await placesOf(folder, node.path);
    const same = await Promise.all(places.map((place) => isThere(place, node)));
    if (!same.includes(true))
      throw notProven(
        node.path,
        `it is not in ${folder} as the Snapshot holds it, a ${node.type} of ${node.sizeBytes} bytes`,
      );
    if (node.type !== "file") continue;
    files += 1;
    bytes += node.sizeBytes;
  }
  if (!found) throw notProven(path, "restic lists nothing of it");
  return { files, bytes };
}

async function isThere(place: string | Buffer, node: ResticNode): Promise<boolean> {
  const here = await lstat(place).catch(() => undefined);
  switch (node.type) {
    case "file":
      return here?.isFile() === true && here.size === node.sizeBytes;
    case "dir":
      return here?.isDirectory() === true;
    case "symlink":
      return here?.isSymbolicLink() === true;
    case "other":
      return here !== undefined;
  }
}

/** Where a path may be: names that are no UTF-8 are listed with signs in the place of their bytes. */
async function placesOf(folder: string, path: string): Promise<readonly (string | Buffer)[]> {
  if (!path.includes("\ufffd")) return [join(folder, path)];
  let places: readonly Buffer[] = [Buffer.from(folder)];
  for (const name of path.split("/").filter((part) => part !== ""))
    places = (await Promise.all(places.map((place) => entriesLike(place, name)))).flat();
  return places;
}

async function entriesLike(folder: Buffer, name: string): Promise<readonly Buffer[]> {
  const below = (entry: Buffer) => Buffer.concat([folder, Buffer.from("/"), entry]);
  if (!name.includes("\ufffd")) return [below(Buffer.from(name))];
  const blurred = (text: string) => text.replace(/\ufffd+/g, "\ufffd");
  const entries = await readdir(folder, { encoding: "buffer" }).catch(() => []);
  return entries.filter((entry) => blurred(entry.toString("utf8")) === blurred(name)).map(below);
}

function notProven(path: string, why: string): HoldfastError {
  return new HoldfastError("NotProven", `the download of ${path} is not proven: ${why}`, {
    disposition: "retry",
    next: "run it again with --force; check the repository with restic check --read-data if it happens twice",
  });
}
