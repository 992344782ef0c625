import { nameOf, refOf } from "../api/meta.ts";
import { HoldfastError } from "../base/errors.ts";
import type { ResticRepository } from "../ports/restic/restic.ts";
import type { JobContext } from "./job-context.ts";
import type { RepositoryAccess } from "./repository-access.ts";

/** restic repeats a write that fails for 15 minutes, so after twice that nobody is at work on what it began. */
const abandonedAfterMs = 30 * 60_000;

/** A component's restic repository: where it is for restic, and its folder in the backend. */
export type ComponentRepository = {
  readonly access: RepositoryAccess;
  /** Below the Repository's directory. */
  readonly path: string;
  readonly repository: ResticRepository;
};

/**
 * Makes the repository where there is none. An object store cannot move one into its place, so an `init` that is
 * killed leaves keys without a config, which nothing can open. Once nobody can be at work on it any more, and if
 * keys are all there is, it is removed and made anew; before that it is told until when (`RepositoryHalfMade`).
 */
export async function ensureRepository(
  context: JobContext,
  component: ComponentRepository,
): Promise<{ readonly id: string }> {
  const ensure = () => context.restic.ensureRepository(component.repository, context.signal);
  try {
    return await ensure();
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError) || thrown.reason !== "RepositoryHalfMade") throw thrown;
    await removeAbandoned(context, component, thrown);
    return await ensure();
  }
}

async function removeAbandoned(
  context: JobContext,
  { access, path }: ComponentRepository,
  found: HoldfastError,
): Promise<void> {
  const objects = await context.openObjects(access.backend.location);
  const folder = `${access.directory}/${path}/`;
  const keys: string[] = [];
  let youngestMs = 0;
  for await (const { key, modifiedMs } of objects.list(folder)) {
    // Anything else was written into a repository that once was whole.
    if (!key.startsWith(`${folder}keys/`)) throw found;
    keys.push(key);
    youngestMs = Math.max(youngestMs, modifiedMs);
  }
  const until = youngestMs + abandonedAfterMs;
  // An age that is not known is no number, and never old enough.
  if (!(context.clock.now() >= until)) {
    const when = Number.isFinite(until)
      ? `a backup after ${new Date(until).toISOString()} makes it anew`
      : "its age is not known";
    throw new HoldfastError("RepositoryHalfMade", `${found.message}; ${when}`, {
      disposition: "retry",
      next: "Wait until then, or delete its folder in the backend if you know that nobody initialises it now.",
      cause: found,
    });
  }
  for (const key of keys) await objects.delete(key);
  context.log(`${nameOf(refOf(access.repository))}: removed ${folder}, an initialisation that was cut`);
}
