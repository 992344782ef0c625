import { constants } from "node:fs";
import { access, chmod, lstat, mkdir, open, opendir } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import { HoldfastError, messageOf, toHoldfastError } from "../base/errors.ts";
import { exec, ownEnvironment } from "../base/exec.ts";
import { secretIn } from "../pass/declared/file-reading.ts";
import { limits } from "../pass/declared/limits.ts";
import { settingsFrom, settingsPath } from "../pass/declared/settings.ts";
import { blobOid } from "../ports/git/blob-oid.ts";
import type { FileChange, PushRequest, PushResult, Remote } from "../ports/git/remote.ts";

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
/** How often a branch may move under one commit before that is an error. */
const maxMoves = 5;

/** Makes the bare repository, unless it is there; only its owner may look into it. */
export async function makeMirror(repository: string, branch: string, signal: AbortSignal): Promise<void> {
  try {
    await mkdir(repository, { recursive: true, mode: 0o700 });
    await chmod(repository, 0o700);
  } catch (thrown) {
    throw notMade(repository, messageOf(thrown));
  }
  const there = await access(join(repository, "HEAD")).then(
    () => true,
    () => false,
  );
  if (there) return;
  const environment = ownEnvironment();
  const args = ["init", "--quiet", "--bare", `--initial-branch=${branch}`, repository];
  const { exitCode, stderr } = await exec({ command: "git", args, environment, deadlineMs: 30_000, signal });
  if (exitCode === 0) return;
  throw notMade(repository, stderr.trim());
}

function notMade(repository: string, why: string): HoldfastError {
  return new HoldfastError("MirrorNotMade", `${repository} cannot be made: ${why}`, {
    disposition: "stall",
    next: "look at who may write there, or name another folder with --state",
  });
}

/**
 * Commits what the folder holds now; answers the commit, or undefined when the branch holds just that. A file that
 * cannot be taken as it is (not UTF-8, too large, a Secret) stops the whole: what is left out would count as removed.
 * `FolderNotTaken` (stall) names it; `FolderBranchMoves` (retry) when others keep pushing to the branch.
 */
export async function commitFolder(mirror: FolderMirror, signal: AbortSignal): Promise<string | undefined> {
  const { remote, branch } = mirror;
  const files = await readFolder(mirror.folder);
  refuseRecordInside(files);
  for (let attempt = 0; attempt < maxMoves; attempt += 1) {
    const tip = await remote.tip(branch, signal);
    const committed = tip === undefined ? [] : ((await remote.files(tip, "", signal)) ?? []);
    const changes = changesBetween(new Map(committed.map(({ path, oid }) => [path, oid])), files);
    if (changes.length === 0) return undefined;
    await refuseSecrets(changes);
    const result = await pushChanges(mirror, { expect: tip, changes }, signal);
    if (result.kind === "pushed") return result.commit;
  }
  throw new HoldfastError(
    "FolderBranchMoves",
    `${branch} of ${remote.where} moved each of ${maxMoves} times that the folder was to be committed to it`,
    { disposition: "retry", next: "push nothing to it: the folder is what declares" },
  );
}

function changesBetween(
  before: ReadonlyMap<string, string>,
  files: ReadonlyMap<string, string>,
): readonly FileChange[] {
  const changes: FileChange[] = [...files]
    .filter(([path, content]) => before.get(path) !== blobOid(content))
    .map(([path, content]) => ({ path, content }));
  for (const path of before.keys()) if (!files.has(path)) changes.push({ path, content: null });
  return changes;
}

async function pushChanges(
  { remote, branch, clock }: FolderMirror,
  { expect, changes }: Pick<PushRequest, "expect" | "changes">,
  signal: AbortSignal,
): Promise<PushResult> {
  const names = changes
    .slice(0, 20)
    .map(({ path, content }) => `- ${content === null ? "without " : ""}${path}`);
  const more = changes.length > 20 ? [`- and ${changes.length - 20} more`] : [];
  return await remote.push(
    {
      branch,
      expect,
      changes,
      message: `Take ${changes.length} files of the folder\n\n${[...names, ...more].join("\n")}\n`,
      author: { name: "Holdfast", email: "holdfast@localhost" },
      at: clock.now(),
    },
    signal,
  );
}

/** A record beside the declarations is not in the folder, so that the next commit would remove it, claims and all. */
function refuseRecordInside(files: ReadonlyMap<string, string>): void {
  const file = files.get(settingsPath);
  if (file === undefined) return;
  // With a path, what the file says of clusters does not matter; a file that is wrong is refused by the pass.
  const reading = settingsFrom(Buffer.from(file), { cluster: "any", path: "." });
  if (!("settings" in reading) || reading.settings.record.kind === "branch") return;
  throw notTaken(
    settingsPath,
    "record.folder needs a Git repository of your own",
    "take record.folder out: the record of a plain folder is a branch (record.branch)",
  );
}

/** Git's history would keep the values, so they are refused before anything is written. */
async function refuseSecrets(changes: readonly FileChange[]): Promise<void> {
  for (const { path, content } of changes) {
    if (content === null) continue;
    // Parsing is work without a pause: the controller in this process gets its turn.
    await setImmediate();
    const found = secretIn(path, Buffer.from(content));
    if (found === undefined) continue;
    throw notTaken(
      `${path}:${found.line}`,
      found.certain ? "it is a Secret with values" : "it cannot be read and speaks of a Secret",
      found.certain
        ? "create the Secret in the cluster yourself, and take the document out of the folder"
        : "correct the file; a Secret with values belongs into the cluster, not into the folder",
    );
  }
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
    const bytes = await bytesOf(folder, path);
    total += bytes.length;
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

/** What is there is looked at before it is read, and no more is read than may be taken, though the file grows. */
async function bytesOf(folder: string, path: string): Promise<Buffer> {
  const unreadable = (cause: unknown): never => {
    throw notTaken(path, messageOf(cause), "let this user read it, or move it away");
  };
  // What has become a link, or a pipe that nobody writes to, since it was listed must not be followed or waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(join(folder, path), flags).catch(unreadable);
  const tooLarge = () => notTaken(path, `it is larger than ${limits.fileBytes} bytes`, "move it away");
  try {
    const looks = await file.stat();
    if (!looks.isFile()) throw notTaken(path, "it is no regular file", "move it away");
    if (looks.size > limits.fileBytes) throw tooLarge();
    const bytes = await buffer(file.createReadStream({ end: limits.fileBytes, autoClose: false })).catch(
      unreadable,
    );
    if (bytes.length > limits.fileBytes) throw tooLarge();
    return bytes;
  } finally {
    await file.close();
  }
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
