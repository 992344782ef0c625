import { HoldfastError } from "../base/errors.ts";
import type { Progress } from "../ports/restic/restic.ts";
import type { JobContext } from "./job-context.ts";

/** Longer than restic itself repeats what fails, and than a store is away for a change of hands. */
const longestStandstillMs = 60 * 60_000;

type Watched = { readonly signal: AbortSignal; readonly onProgress: (progress: Progress) => void };

/**
 * Runs a restic that tells its progress, and ends it when neither files nor bytes have moved for an hour: a volume or
 * a backend that hangs would hold its session, and with it all later ones. One that tells none, as old versions do, is
 * not judged, and neither is what comes after the last byte.
 */
export async function whileItMoves<T>(
  { clock, signal }: Pick<JobContext, "clock" | "signal">,
  run: (watched: Watched) => Promise<T>,
): Promise<T> {
  const stall = new AbortController();
  const over = new AbortController();
  let last: { readonly progress: Progress; readonly atMs: number } | undefined;
  const onProgress = (progress: Progress) => {
    if (last === undefined || moved(last.progress, progress)) last = { progress, atMs: clock.now() };
  };
  const watch = async () => {
    while (!over.signal.aborted) {
      const sinceMs = last === undefined || isComplete(last.progress) ? clock.now() : last.atMs;
      if (clock.now() - sinceMs >= longestStandstillMs) return stall.abort();
      await clock.sleep(sinceMs + longestStandstillMs - clock.now(), over.signal);
    }
  };
  const watching = watch();
  try {
    return await run({ signal: AbortSignal.any([signal, stall.signal]), onProgress });
  } catch (thrown) {
    if (!stall.signal.aborted || signal.aborted) throw thrown;
    throw new HoldfastError("Stalled", "restic has moved no file and no byte for an hour, and was ended", {
      disposition: "retry",
      next: "Look at the volume that it reads or writes, and at the backend.",
      cause: thrown,
    });
  } finally {
    over.abort();
    await watching;
  }
}

function moved(before: Progress, after: Progress): boolean {
  return (
    before.bytesDone !== after.bytesDone ||
    before.filesDone !== after.filesDone ||
    before.totalBytes !== after.totalBytes ||
    before.totalFiles !== after.totalFiles
  );
}

function isComplete({ bytesDone, totalBytes, filesDone, totalFiles }: Progress): boolean {
  // Nothing found yet is not the end: a volume can hang before its first file.
  return totalFiles > 0 && bytesDone >= totalBytes && filesDone >= totalFiles;
}
