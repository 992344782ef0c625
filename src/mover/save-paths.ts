import { formatDuration } from "../api/duration.ts";
import { nameOf, refOf } from "../api/meta.ts";
import { formatSize } from "../api/size.ts";
import type { Proof, SnapshotComponent } from "../api/snapshot.ts";
import { type HoldfastError, messageOf } from "../base/errors.ts";
import { ExitCode } from "../base/exit-code.ts";
import type { BackupSummary, Progress, ResticRepository } from "../ports/restic/restic.ts";
import { findParent, type SnapshotTask } from "./backup-session.ts";
import { ensureRepository } from "./ensure-repository.ts";
import { errorOf, wordsOf } from "./interruption.ts";
import type { JobContext, JobOutcome } from "./job-context.ts";
import { createMissingParts } from "./manifests/missing-parts.ts";
import { type Expectation, type ProvenSnapshot, proveSnapshot } from "./proof.ts";
import { type RepositoryAccess, resticRepositoryOf } from "./repository-access.ts";
import { snapshotTag } from "./snapshot-tag.ts";
import { whenUnlocked } from "./wait-for-lock.ts";
import { whileItMoves } from "./while-it-moves.ts";

/** What is saved, the same for every repository of the session. */
export type Source = {
  /** As the pod sees them; each becomes one restic snapshot. */
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly expect: Expectation;
  /** Kubernetes objects; manifests only. */
  readonly objects?: number;
  /** What in it changes by itself, in words. */
  readonly restless?: string;
  /** What could not be read into the source, by name. */
  readonly missing: readonly string[];
  /** What was asked for in vain. */
  readonly warnings?: readonly string[];
};

export type SaveOptions = { readonly component: string; readonly cacheDirectory: string | undefined };

type Stats = NonNullable<SnapshotComponent["resticStats"]>[number];
/** A path of which restic says that it is saved. */
type Saved = { readonly path: string; readonly summary: BackupSummary };
type Proven = Saved & { readonly proven: ProvenSnapshot };

/** Tells every Snapshot that its component runs. */
export async function reportRunning(tasks: readonly SnapshotTask[]): Promise<void> {
  for (const task of tasks) await task.reporter.write(runningState(task));
}

/** Tells every Snapshot, now and then, how far its source is listed: files so far, and lists that are done. */
export function reportListing(
  tasks: readonly SnapshotTask[],
  at: { readonly files: number; readonly done: number; readonly of: number; readonly secondsElapsed: number },
): void {
  const progress = {
    secondsElapsed: Math.round(at.secondsElapsed),
    percentDone: `${at.of === 0 ? 0 : Math.floor((100 * at.done) / at.of)}%`,
    filesDone: at.files,
  };
  for (const task of tasks) {
    task.reporter.progress(() => ({ ...runningState(task), resticStats: [{ progress }] }));
  }
}

/** Tells every Snapshot why its component failed; a report that fails does not stop the others. */
export async function reportFailed(
  context: JobContext,
  tasks: readonly SnapshotTask[],
  error: HoldfastError,
): Promise<void> {
  for (const task of tasks) {
    const state = { driver: "Restic", path: task.path, phase: "Failed", error: wordsOf(error) } as const;
    await task.reporter.write(state).catch((thrown: unknown) => {
      context.log(`${nameOf(refOf(task.snapshot))}: ${messageOf(thrown)}`);
    });
  }
}

/**
 * Saves the source into every repository, one after the other; one that fails does not stop the others. The
 * exit code is that of the first failure, 3 when all are there and a part is missing, 0 when all is proven.
 */
export async function saveAll(
  context: JobContext,
  tasks: readonly SnapshotTask[],
  source: Source,
  options: SaveOptions,
): Promise<JobOutcome> {
  const outcomes: JobOutcome[] = [];
  for (const task of tasks) {
    try {
      outcomes.push(await saveInto(context, task, source, options));
    } catch (thrown) {
      const error = errorOf(thrown, context.signal);
      await reportFailed(context, [task], error);
      outcomes.push({
        exitCode: error.exitCode,
        message: `${nameOf(refOf(task.snapshot))}: ${wordsOf(error)}`,
      });
    }
  }
  const failed = outcomes.find(({ exitCode }) => exitCode !== ExitCode.ok && exitCode !== ExitCode.partial);
  const partial = outcomes.find(({ exitCode }) => exitCode === ExitCode.partial);
  const exitCode = failed?.exitCode ?? partial?.exitCode ?? ExitCode.ok;
  return { exitCode, message: outcomes.map(({ message }) => message).join("; ") };
}

async function saveInto(
  context: JobContext,
  task: SnapshotTask,
  source: Source,
  options: SaveOptions,
): Promise<JobOutcome> {
  if (task.access instanceof Error) throw task.access;
  const startedAt = context.clock.now();
  const repository = resticRepositoryOf(task.access, task.path, options.cacheDirectory);
  const [{ id: repositoryID }, parentOf] = await Promise.all([
    ensureRepository(context, { access: task.access, path: task.path, repository }),
    findParent(context, task.snapshot, options.component),
  ]);
  const work = { task, access: task.access, repository, source, options, parentOf };
  const parts = createParts(context, source.missing);
  const made = await savePaths(context, work, parts);
  // All three only read, and most of what each takes is the opening of the repository.
  const reading = [
    provePaths(context, work, made, parts),
    checkIntegrity(context, repository),
    context.restic.size(repository, context.signal),
  ] as const;
  // None is left behind when another one fails.
  await Promise.allSettled(reading);
  const [saved, integrityError, size] = await Promise.all(reading);
  const missing = parts.missing();
  const proof = await proofOf(context, { repositoryID, saved, source, missing });
  const error = integrityError === undefined ? partialError(missing) : wordsOf(integrityError);
  await task.reporter.write({
    driver: "Restic",
    path: task.path,
    phase: error === undefined ? "Succeeded" : "Failed",
    size: formatSize(size),
    duration: formatDuration(context.clock.now() - startedAt),
    integrity: integrityError === undefined,
    resticStats: saved.map(statsOf),
    proof,
    ...(error === undefined ? {} : { error }),
  });
  const what = `${nameOf(refOf(task.snapshot))}: ${proof.files} files, ${formatSize(proof.bytes)} saved`;
  const blobs = newDataBlobs(saved, source);
  if (integrityError !== undefined)
    return { exitCode: integrityError.exitCode, message: `${what}${blobs}; ${error}` };
  return error === undefined
    ? { exitCode: ExitCode.ok, message: `${what} and proven${blobs}` }
    : { exitCode: ExitCode.partial, message: `${what}${blobs}; ${error}` };
}

type Parts = ReturnType<typeof createParts>;

/** Every path by itself: one that fails is a missing part, unless none is left. */
function createParts(context: JobContext, known: readonly string[]) {
  const missing = createMissingParts();
  for (const part of known) missing.add(part);
  let first: HoldfastError | undefined;
  return {
    add: missing.add,
    missing: missing.list,
    /** What `run` answers for each. When it failed for all, the first error is thrown. */
    async ofEach<T extends { readonly path: string }, R>(all: readonly T[], run: (one: T) => Promise<R>) {
      const done: R[] = [];
      for (const one of all) {
        try {
          done.push(await run(one));
        } catch (thrown) {
          const error = errorOf(thrown, context.signal);
          if (context.signal.aborted) throw error;
          first ??= error;
          missing.add(`${one.path}: ${error.message}`);
        }
      }
      if (first !== undefined && done.length === 0) throw first;
      return done;
    },
  };
}

async function savePaths(
  context: JobContext,
  work: Omit<SavePath, "path" | "saved">,
  parts: Parts,
): Promise<readonly Saved[]> {
  const saved: Saved[] = [];
  const paths = work.source.paths.map((path) => ({ path }));
  return await parts.ofEach(paths, async ({ path }) => {
    const summary = await savePath(context, { ...work, path, saved });
    for (const part of summary.unread) parts.add(part);
    if (summary.partial && summary.unread.length === 0) parts.add(`${path}: a part was not readable`);
    saved.push({ path, summary });
    return { path, summary };
  });
}

/** Keeps those that are what restic said. */
async function provePaths(
  context: JobContext,
  { repository, source }: Pick<SavePath, "repository" | "source">,
  made: readonly Saved[],
  parts: Parts,
): Promise<readonly Proven[]> {
  return await parts.ofEach(made, async (one) => {
    const proven = await proveSnapshot(context, repository, { ...one, expect: source.expect });
    return { ...one, proven };
  });
}

type SavePath = {
  readonly task: SnapshotTask;
  readonly access: RepositoryAccess;
  readonly repository: ResticRepository;
  readonly source: Source;
  readonly options: SaveOptions;
  readonly parentOf: (hostPath: string) => string | undefined;
  readonly path: string;
  /** Paths that are done already. */
  readonly saved: readonly Saved[];
};

async function savePath(context: JobContext, given: SavePath): Promise<BackupSummary> {
  const { task, access, repository, source, path } = given;
  const parent = given.parentOf(path);
  const request = {
    root: context.root === "" ? "/" : context.root,
    path,
    exclude: source.exclude,
    host: hostOf(access, given.options.component),
    tags: [snapshotTag(task.snapshot)],
    ...(parent === undefined ? {} : { parent }),
  };
  const report = (progress: Progress) =>
    task.reporter.progress(() => ({
      ...runningState(task),
      resticStats: [...given.saved.map(statsOf), { progress: progressOf(progress) }],
    }));
  return await whenUnlocked(context, repository, () =>
    whileItMoves(context, ({ signal, onProgress }) =>
      context.restic.backup(repository, request, {
        signal,
        onProgress: (progress) => {
          onProgress(progress);
          report(progress);
        },
      }),
    ),
  );
}

/** Stable over pods and runs, so that restic finds earlier snapshots of the same source. */
export function hostOf(access: RepositoryAccess, component: string): string {
  const { namespace = "", name } = access.repository.metadata;
  return `${namespace}-${name}-${component}`;
}

async function checkIntegrity(
  context: JobContext,
  repository: ResticRepository,
): Promise<HoldfastError | undefined> {
  try {
    await context.restic.check(repository, {}, context.signal);
    return undefined;
  } catch (thrown) {
    const error = errorOf(thrown, context.signal);
    if (context.signal.aborted) throw error;
    return error;
  }
}

const maxWarnings = 50;

async function proofOf(
  context: JobContext,
  given: {
    readonly repositoryID: string;
    readonly saved: readonly Proven[];
    readonly source: Source;
    readonly missing: readonly string[];
  },
): Promise<Proof> {
  const snapshots = given.saved.map(({ proven }) => proven);
  const { objects, warnings = [] } = given.source;
  return {
    repositoryID: given.repositoryID,
    resticVersion: await context.restic.version(),
    snapshots,
    ...(objects === undefined ? {} : { objects }),
    files: snapshots.reduce((sum, { files }) => sum + files, 0),
    bytes: snapshots.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(given.missing.length === 0
      ? {}
      : { missing: given.missing.map((part) => context.secrets.redact(part)) }),
    ...(warnings.length === 0 ? {} : { warnings: warnings.slice(0, maxWarnings) }),
  };
}

function runningState(task: SnapshotTask): SnapshotComponent {
  return { driver: "Restic", path: task.path, phase: "Running" };
}

function statsOf({ path, summary }: Saved): Stats {
  return {
    summary: {
      id: summary.snapshotId,
      hostPath: path,
      size: formatSize(summary.bytes),
      uploaded: formatSize(summary.bytesAdded),
      startTime: summary.startedAt,
      endTime: summary.endedAt,
    },
  };
}

function progressOf(progress: Progress): NonNullable<Stats["progress"]> {
  const { secondsElapsed, percentDone, totalFiles, filesDone, totalBytes, bytesDone } = progress;
  const speed = secondsElapsed > 0 ? bytesDone / secondsElapsed : 0;
  return {
    secondsElapsed,
    percentDone: `${percentDone}%`,
    totalFiles,
    filesDone,
    backupDone: formatSize(bytesDone),
    total: formatSize(totalBytes),
    speed: `${formatSize(speed)}/s`,
  };
}

/** What was new to the repository; nothing of a restic that does not tell. */
function newDataBlobs(saved: readonly Saved[], { restless }: Source): string {
  const counts = saved.flatMap(({ summary }) => summary.dataBlobs ?? []);
  if (counts.length < saved.length) return "";
  const sum = counts.reduce((total, count) => total + count, 0);
  return `, ${sum} new data blobs${restless === undefined ? "" : ` (${restless})`}`;
}

function partialError(missing: readonly string[]): string | undefined {
  if (missing.length === 0) return undefined;
  const parts = missing.length === 1 ? "1 part is" : `${missing.length} parts are`;
  return `${parts} missing: ${missing.slice(0, 3).join("; ")}${missing.length > 3 ? "; …" : ""}`;
}
