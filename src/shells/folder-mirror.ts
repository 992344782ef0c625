import { access, lstat, opendir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { HoldfastError, messageOf, toHoldfastError } from "../base/errors.ts";
import { exec } from "../base/exec.ts";
import { limits } from "../pass/declared/limits.ts";
import { blobOid } from "../ports/git/blob-oid.ts";
import type { FileChange, Remote } from "../ports/git/remote.ts";

/** A folder whose YAML and JSON files are committed to a repository of its own, so that Git declares here too. */
export type FolderMirror = {
  readonly folder: string;
  readonly remote: Remote;
  readonly branch: string;
  readonly clock: Clock;
};

/** Looked at as often, and taken when it looks the same twice: nobody saves ten files at once. */
const lookEveryMs = 1_000;
const maxFiles = 10_000;
const maxDepth = 50;

/** Makes the bare repository, unless it is there. */
export async function makeMirror(repository: string, branch: string, signal: AbortSignal): Promise<void> {
  const there = await access(join(repository, "HEAD")).then(
    () => true,
    () => false,
  );
  if (there) return;
  const environment = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const args = ["init", "--quiet", "--bare", `--initial-branch=${branch}`, repository];
  const { exitCode, stderr } = await exec({ command: "git", args, environment, deadlineMs: 30_000, signal });
  if (exitCode === 0) return;
  throw new HoldfastError("MirrorNotMade", `git could not make ${repository}: ${stderr.trim()}`, {
    disposition: "stall",
    next: "look at who may write there, or name another folder with --state",
  });
}

/**
 * Commits what the folder holds now; answers the commit, or undefined when nothing is new. A file that cannot be taken
 * as it is (not UTF-8, too large) stops the whole: what is left out would count as removed.
 */
export async function commitFolder(mirror: FolderMirror, signal: AbortSignal): Promise<string | undefined> {
  const { remote, branch, clock, folder } = mirror;
  const files = await readFolder(folder);
  const tip = await remote.tip(branch, signal);
  const committed = tip === undefined ? [] : ((await remote.files(tip, "", signal)) ?? []);
  const before = new Map(committed.map(({ path, oid }) => [path, oid]));
  const changes: FileChange[] = [...files]
    .filter(([path, content]) => before.get(path) !== blobOid(content))
    .map(([path, content]) => ({ path, content }));
  for (const path of before.keys()) if (!files.has(path)) changes.push({ path, content: null });
  if (changes.length === 0) return undefined;
  const names = changes
    .slice(0, 20)
    .map(({ path, content }) => `- ${content === null ? "without " : ""}${path}`);
  const more = changes.length > 20 ? [`- and ${changes.length - 20} more`] : [];
  const result = await remote.push(
    {
      branch,
      expect: tip,
      changes,
      message: `Take ${changes.length} files of the folder\n\n${[...names, ...more].join("\n")}\n`,
      author: { name: "Holdfast", email: "holdfast@localhost" },
      at: clock.now(),
    },
    signal,
  );
  return result.kind === "pushed" ? result.commit : undefined;
}

/**
 * Commits again whenever the folder has changed and stands still, until the signal. What goes wrong is told once, and
 * the last commit stays in force.
 */
export async function followFolder(
  mirror: FolderMirror,
  events: { readonly onCommit: (commit: string) => void; readonly onError: (error: HoldfastError) => void },
  signal: AbortSignal,
): Promise<void> {
  let taken = "";
  let seen = "";
  let told = "";
  while (!signal.aborted) {
    await mirror.clock.sleep(lookEveryMs, signal);
    if (signal.aborted) return;
    try {
      const now = await looksOf(mirror.folder);
      const still = now === seen;
      seen = now;
      if (!still || now === taken) continue;
      const commit = await commitFolder(mirror, signal);
      taken = now;
      told = "";
      if (commit !== undefined) events.onCommit(commit);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = toHoldfastError(thrown);
      if (error.disposition === "bug") throw thrown;
      if (error.message !== told) events.onError(error);
      told = error.message;
    }
  }
}

async function readFolder(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  let total = 0;
  for (const path of await pathsIn(folder)) {
    const bytes = await readFile(join(folder, path)).catch((cause: unknown) => {
      throw notTaken(path, messageOf(cause), "let this user read it, or move it away");
    });
    total += bytes.length;
    if (bytes.length > limits.fileBytes)
      throw notTaken(path, `it is larger than ${limits.fileBytes} bytes`, "move it away");
    if (total > limits.totalBytes)
      throw notTaken(
        path,
        `the files together are larger than ${limits.totalBytes} bytes`,
        "split the folder",
      );
    try {
      files.set(path, new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    } catch {
      throw notTaken(path, "it is not UTF-8 text", "save it as UTF-8, or move it away");
    }
  }
  return files;
}

/** Names, sizes and times of the files: equal as long as nothing was saved. */
async function looksOf(folder: string): Promise<string> {
  const looks: string[] = [];
  for (const path of await pathsIn(folder)) {
    const { size, mtimeMs, ino } = await lstat(join(folder, path));
    looks.push(`${path}\0${size}\0${mtimeMs}\0${ino}`);
  }
  return looks.join("\n");
}

/** YAML and JSON files, sorted; what begins with a dot, and links, are left out. */
async function pathsIn(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const walk = async (below: string, depth: number): Promise<void> => {
    if (depth > maxDepth) throw notTaken(below, `folders are nested deeper than ${maxDepth}`, "move it away");
    const entries = await opendir(join(folder, below)).catch((cause: unknown) => {
      throw notTaken(
        below || folder,
        messageOf(cause),
        "make the folder readable; the last commit stays in force",
      );
    });
    for await (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) await walk(path, depth + 1);
      else if (entry.isFile() && /\.(ya?ml|json)$/i.test(entry.name)) found.push(path);
      if (found.length > maxFiles)
        throw notTaken(
          folder,
          `it holds more than ${maxFiles} files`,
          "name the folder of the manifests alone",
        );
    }
  };
  await walk("", 0);
  return found.sort();
}

function notTaken(path: string, why: string, next: string): HoldfastError {
  return new HoldfastError(
    "FolderNotTaken",
    `the folder is not taken as it is now, because of ${path}: ${why}`,
    {
      disposition: "stall",
      next,
    },
  );
}
