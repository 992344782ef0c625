import type { Clock } from "../../base/clock.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { ExecResult } from "../../base/exec.ts";
import type { JsonObject } from "../../base/json.ts";
import { failureOf, resticWords } from "./failure.ts";
import { numberIn, parseMessage, progressOf, textIn, wordsOf } from "./messages.ts";
import { anchorPattern, formatPattern, type Pattern, parsePattern } from "./patterns.ts";
import { type ResticProcess, redactorOf } from "./process.ts";
import { checkSnapshotId, readSnapshots } from "./repository.ts";
import type { BackupRequest, BackupSummary, Progress, ResticRepository } from "./restic.ts";
import { resolveSource, type Source } from "./source.ts";

const maxUnread = 50;
/** restic's exit code when a part of the source could not be read and the snapshot was made all the same. */
const partialExitCode = 3;

export type BackupParts = {
  readonly process: ResticProcess;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string>>;
};

export type BackupOptions = {
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
};

/** `restic backup`. Errors as in `Restic`, and those of `resolveSource` and `parsePattern`. */
export async function backup(
  parts: BackupParts,
  repository: ResticRepository,
  request: BackupRequest,
  options: BackupOptions,
): Promise<BackupSummary> {
  const exclude = request.exclude.map(parsePattern);
  const source = await resolveSource({ ...request, exclude }, parts.environment);
  try {
    const first = await runBackup(parts, repository, request, { source, exclude, options });
    if (!isMissingParent(first, request)) return await summaryOf(parts, repository, first, options.signal);
    // The parent only saves work; one that was forgotten meanwhile is no reason to fail.
    const { parent: _forgotten, ...withoutParent } = request;
    const second = await runBackup(parts, repository, withoutParent, { source, exclude, options });
    return await summaryOf(parts, repository, second, options.signal);
  } finally {
    await source.dispose();
  }
}

type Run = {
  readonly result: ExecResult;
  readonly summary: JsonObject | undefined;
  readonly unread: readonly string[];
  readonly path: string;
  readonly startedAt: string;
  readonly endedAt: string;
};

async function runBackup(
  parts: BackupParts,
  repository: ResticRepository,
  request: BackupRequest,
  given: { readonly source: Source; readonly exclude: readonly Pattern[]; readonly options: BackupOptions },
): Promise<Run> {
  const { source, options } = given;
  const unread: string[] = [];
  let summary: JsonObject | undefined;
  const startedAt = new Date(parts.clock.now()).toISOString();
  const result = await parts.process.run(repository, {
    args: backupArgs(request, source, given.exclude),
    cwd: source.root,
    long: true,
    doing: { what: `back up ${request.path}`, where: repository.url },
    signal: options.signal,
    // Code 1 is judged here too, because of a parent that is gone.
    accept: [0, 1, partialExitCode],
    ...(source.targets.kind === "children" ? { stdin: source.targets.raw } : {}),
    onStdoutLine: (line) => {
      const message = parseMessage(line);
      if (message?.["message_type"] === "summary") summary = message;
      if (message?.["message_type"] === "status") options.onProgress?.(progressOf(message));
    },
    onStderrLine: (line) => {
      const complaint = complaintIn(line, source.root);
      if (complaint !== undefined && unread.length < maxUnread) unread.push(complaint);
    },
  });
  const endedAt = new Date(parts.clock.now()).toISOString();
  return { result, summary, unread, path: request.path, startedAt, endedAt };
}

function backupArgs(request: BackupRequest, source: Source, exclude: readonly Pattern[]): readonly string[] {
  const { targets } = source;
  // Nothing is left in an empty directory to exclude but the directory itself.
  const patterns = targets.kind === "empty" ? [] : exclude;
  return [
    "backup",
    "--json",
    `--host=${request.host}`,
    ...request.tags.map((tag) => `--tag=${tag}`),
    ...(request.parent === undefined ? [] : [`--parent=${checkSnapshotId(request.parent)}`]),
    // Anchored, or a pattern such as `tmp` would fit the folders above the root.
    ...patterns.map((pattern) => `--exclude=${formatPattern(anchorPattern(pattern, source.root))}`),
    ...(targets.kind === "children" ? ["--files-from-raw=-"] : ["--", targets.relative]),
  ];
}

/** A line of stderr that says what was left out: JSON errors, and targets that vanished (exit code 0 before 0.19). */
function complaintIn(line: string, root: string): string | undefined {
  const vanished = line.endsWith(" does not exist, skipping");
  const message = parseMessage(line);
  // What the scan cannot see, the archiver complains about again.
  const isError = message?.["message_type"] === "error" && message["during"] !== "scan";
  if (!vanished && !isError) return undefined;
  // As the pod sees it, without the root that only this process knows.
  const words = root === "/" ? wordsOf(line) : wordsOf(line).replaceAll(`${root}/`, "/");
  return words.startsWith("/") ? words : `/${words}`;
}

function isMissingParent(run: Run, request: BackupRequest): boolean {
  if (request.parent === undefined || run.result.exitCode !== 1) return false;
  return /no matching ID found|invalid id|failed to find snapshot|failed to load snapshot/i.test(
    resticWords(run.result),
  );
}

async function summaryOf(
  parts: BackupParts,
  repository: ResticRepository,
  run: Run,
  signal: AbortSignal | undefined,
): Promise<BackupSummary> {
  const { result, summary } = run;
  if (result.exitCode === 1) throw backupFailure(repository, run);
  const saidId = summary === undefined ? "" : textIn(summary, "snapshot_id");
  if (summary === undefined || saidId === "") throw backupFailure(repository, run);
  const partial = result.exitCode === partialExitCode || run.unread.length > 0;
  const words =
    partial && run.unread.length === 0 ? [redactorOf(repository)(resticWords(result))] : run.unread;
  return {
    snapshotId: await fullId(parts.process, repository, saidId, signal),
    partial,
    unread: words,
    filesNew: numberIn(summary, "files_new"),
    files: numberIn(summary, "total_files_processed"),
    directories:
      numberIn(summary, "dirs_new") +
      numberIn(summary, "dirs_changed") +
      numberIn(summary, "dirs_unmodified"),
    bytes: numberIn(summary, "total_bytes_processed"),
    bytesAdded: numberIn(summary, "data_added_packed") || numberIn(summary, "data_added"),
    dataBlobs: typeof summary["data_blobs"] === "number" ? summary["data_blobs"] : undefined,
    startedAt: textIn(summary, "backup_start") || run.startedAt,
    endedAt: textIn(summary, "backup_end") || run.endedAt,
  };
}

function backupFailure(repository: ResticRepository, run: Run): HoldfastError {
  const words = resticWords(run.result);
  if (/(all target directories\/files|all source directories\/files) do not exist/i.test(words)) {
    return new HoldfastError("SourceNotFound", `${run.path} vanished before restic could read it`, {
      disposition: "stall",
      next: `Correct the path, or mount the volume that holds ${run.path}.`,
    });
  }
  const doing = { what: `back up ${run.path}`, where: repository.url };
  return failureOf(run.result, doing, redactorOf(repository));
}

/** restic before 0.17 names a new snapshot by the first 8 digits of its id. */
async function fullId(
  process: ResticProcess,
  repository: ResticRepository,
  id: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  if (id.length === 64) return id;
  const [snapshot] = await readSnapshots(process, repository, [id], signal);
  if (snapshot !== undefined) return snapshot.id;
  throw new HoldfastError("SnapshotNotFound", `restic made snapshot ${id} and does not list it`, {
    disposition: "retry",
    next: "Run the backup again; check the repository if it happens twice.",
  });
}
