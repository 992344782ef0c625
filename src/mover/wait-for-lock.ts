import { HoldfastError } from "../base/errors.ts";
import type { ResticRepository } from "../ports/restic/restic.ts";
import type { JobContext } from "./job-context.ts";

const pollMs = 10_000;
const longestWaitMs = 60 * 60_000;

/**
 * Runs `run`; while another restic holds the repository's lock, stale locks are removed and it is tried again:
 * at once, and then every 10 s for at most an hour. restic calls a lock stale after 30 minutes without a sign of its holder.
 */
export async function whenUnlocked<T>(
  context: JobContext,
  repository: ResticRepository,
  run: () => Promise<T>,
): Promise<T> {
  const until = context.clock.now() + longestWaitMs;
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (thrown) {
      const locked = thrown instanceof HoldfastError && thrown.reason === "RepositoryLocked";
      if (!locked || context.signal.aborted || context.clock.now() >= until) throw thrown;
      context.log(`waiting for the repository's lock: ${thrown.message}`);
      await context.restic.unlock(repository, {}, context.signal);
      if (tries > 1) await context.clock.sleep(pollMs, context.signal);
    }
  }
}
