import { setImmediate } from "node:timers/promises";
import { digestOf } from "../../base/digest.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { Problem } from "../../base/problem.ts";
import { checkHistory } from "../../ports/git/check-history.ts";
import type { GitFile, Oid, Remote } from "../../ports/git/remote.ts";
import { chooseFiles, unreadable } from "./choose-files.ts";
import type { Declared, Document, Revision } from "./declared.ts";
import { type FileReading, readFile } from "./file-reading.ts";
import { limits } from "./limits.ts";
import type { ObjectReading } from "./object-reading.ts";
import { type Settings, type SettingsRequest, settingsFrom, settingsPath } from "./settings.ts";

/** What to read: a branch's tip, or a commit. `path` goes before the one that `holdfast.yaml` gives. */
export type DeclaredRequest = SettingsRequest & {
  readonly branch?: string;
  readonly commit?: Oid;
  /** The tip that was in force last: the new one must go on from it. */
  readonly since?: Oid;
  /** Tips that are taken though they do not. */
  readonly acceptRewritten?: readonly Oid[];
  /** What was read last: the answer when the commit has not moved. Of the same cluster and path. */
  readonly previous?: Declared;
};

type Source = Pick<Remote, "where" | "tip" | "commit" | "trees" | "files" | "blobs" | "isAncestor">;

/**
 * What Git says for one cluster: every document of our kinds below the cluster's path, with file and line.
 * What is wrong with a file or a document becomes a problem, and the rest goes on.
 * Throws the port's errors, `BranchNotFound`, `HistoryRewritten`, and `SettingsInvalid` when `holdfast.yaml` cannot be followed
 * (all stall).
 */
export async function readDeclared(
  remote: Source,
  request: DeclaredRequest,
  signal: AbortSignal,
): Promise<Declared> {
  const revision = await revisionOf(remote, request, signal);
  const { previous } = request;
  const same = previous?.revision.commit === revision.commit && previous.revision.branch === revision.branch;
  if (same && previous.again !== true) return previous;
  const settings = await readSettings(remote, { ...request, ...revision }, signal);
  // What else is in the repository, however much, is not even listed.
  const below = (await remote.files(revision.commit, settings.path, signal)) ?? [];
  const chosen = below.length === 0 ? missingFolder(settings) : chooseFiles(below, settings);
  const readings = await readFiles(remote, chosen.files, signal);
  const objects = readings.flatMap((reading) => reading.objects);
  const { documents, duplicates } = uniqueDocuments(objects);
  const fileProblems = readings.flatMap((reading) => reading.problems);
  const objectProblems = objects.flatMap((object) => object.problems);
  return {
    revision,
    settings,
    documents,
    problems: [...chosen.problems, ...fileProblems, ...objectProblems, ...duplicates].sort(byPlace),
    complete:
      chosen.problems.length === 0 &&
      duplicates.length === 0 &&
      readings.every((reading) => reading.complete),
    ...(readings.some((reading) => reading.again) ? { again: true } : {}),
    others: counted(readings.flatMap((reading) => reading.others)),
    digest: digestOf(documents.map((document) => document.digest)),
  };
}

async function revisionOf(remote: Source, request: DeclaredRequest, signal: AbortSignal): Promise<Revision> {
  const { branch, commit } = request;
  if (commit !== undefined) return branch === undefined ? { commit } : { branch, commit };
  if (branch === undefined) {
    throw new HoldfastError("Bug", "neither a branch nor a commit was asked for", { disposition: "bug" });
  }
  const tip = await remote.tip(branch, signal);
  if (tip !== undefined) {
    const { since: before, acceptRewritten: accept = [] } = request;
    await checkHistory(remote, { branch, before, tip, accept }, signal);
    return { branch, commit: tip };
  }
  throw new HoldfastError("BranchNotFound", `${remote.where} has no branch ${branch}`, {
    disposition: "stall",
    next: "Push a commit to it, or name another branch.",
  });
}

async function readSettings(
  remote: Source,
  request: SettingsRequest & Revision,
  signal: AbortSignal,
): Promise<Settings> {
  const { tree } = await remote.commit(request.commit, signal);
  const file = (await remote.trees([tree], signal))
    .get(tree)
    ?.find(({ name, type }) => name === settingsPath && (type === "file" || type === "executable"));
  const blobs =
    file === undefined ? undefined : await remote.blobs([file.oid], { maxBytes: limits.fileBytes, signal });
  const reading = settingsFrom(file === undefined ? undefined : blobs?.get(file.oid), request);
  const problems = "problems" in reading ? reading.problems : ownBranch(reading.settings, request.branch);
  const [first] = problems;
  if ("settings" in reading && first === undefined) return reading.settings;
  const sentences = problems.map(({ message, place }) =>
    place === undefined ? message : `${place.path}:${place.line}: ${message}`,
  );
  const next = first?.next;
  throw new HoldfastError("SettingsInvalid", sentences.join("; "), {
    disposition: "stall",
    problems,
    ...(next === undefined ? {} : { next }),
  });
}

function ownBranch({ record }: Settings, branch: string | undefined): readonly Problem[] {
  if (record.kind !== "branch" || record.branch !== branch) return [];
  const message = `record.branch is ${record.branch}, the branch that declares`;
  const next = "Name another branch, or use record.folder to keep the record in this one.";
  return [{ severity: "error", reason: "SettingsInvalid", message, next }];
}

function missingFolder(settings: Settings): ReturnType<typeof chooseFiles> {
  const next = `Create the folder, or correct clusters.${settings.cluster}.path in ${settingsPath}.`;
  const message = settings.path === "" ? "the repository is empty" : `there is no folder ${settings.path}`;
  return { files: [], problems: [{ ...unreadable(settings.path, message, next), reason: "FolderNotFound" }] };
}

/** Contents come and go a few files at a time, so that a large folder is never in memory as a whole. */
async function readFiles(
  remote: Source,
  files: readonly GitFile[],
  signal: AbortSignal,
): Promise<readonly FileReading[]> {
  const readings: FileReading[] = [];
  let bytes = 0;
  for (let from = 0; from < files.length; from += limits.filesAtOnce) {
    signal.throwIfAborted();
    for (const { path, content } of await contents(
      remote,
      files.slice(from, from + limits.filesAtOnce),
      signal,
    )) {
      if (content instanceof HoldfastError) {
        const reading = unread(path, content.message, content.next ?? "Correct the file.");
        readings.push(content.reason === "ObjectMissing" ? { ...reading, again: true } : reading);
        continue;
      }
      // Parsing is work without a pause: whoever else runs in this process gets a turn for every MiB.
      if (bytes % limits.fileBytes > (bytes + content.length) % limits.fileBytes) await setImmediate();
      bytes += content.length;
      const tooMuch = `the YAML files together are larger than ${limits.totalBytes} bytes`;
      readings.push(
        bytes > limits.totalBytes ? unread(path, tooMuch, "Split the folder.") : readFile(path, content),
      );
    }
  }
  return readings;
}

type Content = { readonly path: string; readonly content: Uint8Array | HoldfastError };

async function contents(
  remote: Source,
  files: readonly GitFile[],
  signal: AbortSignal,
): Promise<readonly Content[]> {
  try {
    const blobs = await remote.blobs(
      files.map((file) => file.oid),
      { maxBytes: limits.fileBytes, signal },
    );
    return files.map(({ path, oid }) => ({ path, content: blobs.get(oid) ?? missingBlob(path) }));
  } catch (error) {
    if (!(error instanceof HoldfastError) || !ofOneFile.includes(error.reason)) throw error;
    const [only, second] = files;
    if (only !== undefined && second === undefined) return [{ path: only.path, content: error }];
    const halves = [files.slice(0, files.length >> 1), files.slice(files.length >> 1)];
    const found: Content[] = [];
    for (const half of halves) found.push(...(await contents(remote, half, signal)));
    return found;
  }
}

/** Reasons that say something about one object, so that the others can still be had. */
const ofOneFile: readonly string[] = ["ObjectTooLarge", "ObjectMissing"];

function missingBlob(path: string): HoldfastError {
  return new HoldfastError("ObjectMissing", `the content of ${path} was not sent`, { disposition: "stall" });
}

function unread(path: string, message: string, next: string): FileReading {
  return { objects: [], problems: [unreadable(path, message, next)], others: [], complete: false };
}

type Unique = { readonly documents: readonly Document[]; readonly duplicates: readonly Problem[] };

/** Of an identity that is declared twice, neither is taken: nobody can know which one is meant. */
function uniqueDocuments(objects: readonly ObjectReading[]): Unique {
  const byKey = Map.groupBy(objects, (object) => object.identity?.key ?? "");
  const documents: Document[] = [];
  const duplicates: Problem[] = [];
  for (const key of [...byKey.keys()].sort((a, b) => (a < b ? -1 : 1))) {
    const same = byKey.get(key) ?? [];
    const [first, second] = same;
    if (key === "" || first === undefined) continue;
    if (second === undefined) {
      if (first.document !== undefined) documents.push(first.document);
      continue;
    }
    const places = same.map(({ place }) => `${place.path}:${place.line}`).sort();
    for (const { place, identity } of same) {
      duplicates.push(duplicate(place, identity?.name ?? "", places));
    }
  }
  return { documents, duplicates };
}

function duplicate(place: Problem["place"], object: string, places: readonly string[]): Problem {
  const shown = places.slice(0, 5).join(" and ");
  const message = `${object} is declared ${places.length} times, at ${shown}; none of them is applied`;
  const next = "Keep one of them.";
  return { severity: "error", reason: "DuplicateObject", message, object, next, ...(place && { place }) };
}

function byPlace(a: Problem, b: Problem): number {
  const [pathA, pathB] = [a.place?.path ?? "", b.place?.path ?? ""];
  if (pathA !== pathB) return pathA < pathB ? -1 : 1;
  return (a.place?.line ?? 0) - (b.place?.line ?? 0);
}

function counted(kinds: readonly string[]): Readonly<Record<string, number>> {
  const groups = Map.groupBy(kinds, (kind) => kind);
  return Object.fromEntries(
    [...groups].map(([kind, of]) => [kind, of.length] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
