import { randomBytes } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import { asObject, parseJson, textIn } from "./messages.ts";
import type { ResticProcess } from "./process.ts";
import { unreadableAnswer } from "./repository.ts";
import type { ResticRepository } from "./restic.ts";

type Ensured = { readonly id: string; readonly created: boolean };
type Ensure = (repository: ResticRepository, signal: AbortSignal | undefined) => Promise<Ensured>;

/**
 * `cat config`, and `init` only where restic says that there is no repository. `restic init` is not atomic:
 * two at once, or one that is killed and repeated, leave keys that do not open the config. So within this
 * process they come one after the other, and a directory is made beside its place and moved there. In an
 * object store a half-made repository is reported: `RepositoryHalfMade` (keys without config) or
 * `RepositoryDamaged`.
 */
export function createEnsure(process: ResticProcess): Ensure {
  const running = new Map<string, Promise<unknown>>();
  return async (repository, signal) => {
    const before = running.get(repository.url) ?? Promise.resolve();
    const mine = before.then(() => ensure(process, repository, signal));
    const settled = mine.catch(() => undefined);
    running.set(repository.url, settled);
    try {
      return await mine;
    } finally {
      if (running.get(repository.url) === settled) running.delete(repository.url);
    }
  };
}

async function ensure(
  process: ResticProcess,
  repository: ResticRepository,
  signal: AbortSignal | undefined,
): Promise<Ensured> {
  const found = await repositoryId(process, repository, signal).catch((thrown: unknown) => {
    if (isNoRepository(thrown)) return undefined;
    throw thrown;
  });
  if (found !== undefined) return { id: found, created: false };
  const directory = localDirectory(repository.url);
  const created =
    directory === undefined
      ? await initialise(process, repository, signal)
      : await initialiseBeside(process, { ...repository, url: directory }, signal);
  // Opening proves that the keys fit, also when somebody else was faster.
  const id = await repositoryId(process, repository, signal).catch((thrown: unknown) => {
    throw isNoRepository(thrown) ? halfMade(repository, thrown) : thrown;
  });
  return { id, created };
}

async function repositoryId(
  process: ResticProcess,
  repository: ResticRepository,
  signal: AbortSignal | undefined,
): Promise<string> {
  const doing = { what: "open the repository", where: repository.url };
  const result = await process.run(repository, { args: ["cat", "config", "--no-lock"], doing, signal });
  const id = textIn(asObject(parseJson(result.stdout)) ?? {}, "id");
  if (id === "") throw unreadableAnswer("cat config", repository);
  return id;
}

/** False when there was one already. */
async function initialise(
  process: ResticProcess,
  repository: ResticRepository,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const doing = { what: "initialise the repository", where: repository.url };
  try {
    await process.run(repository, { args: ["init"], doing, signal });
    return true;
  } catch (thrown) {
    if (/already (exists|initialized|contains)/i.test(messageOf(thrown))) return false;
    throw thrown;
  }
}

async function initialiseBeside(
  process: ResticProcess,
  repository: ResticRepository,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const place = repository.url;
  const beside = join(dirname(place), `.holdfast-init-${randomBytes(8).toString("hex")}`);
  try {
    await mkdir(dirname(place), { recursive: true }).catch((thrown: unknown) => refuse(place, thrown));
    await initialise(process, { ...repository, url: beside }, signal);
    await rename(beside, place);
    return true;
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    // The place is the root of a volume of its own, which nothing can be moved onto.
    if (code === "EXDEV" || code === "EBUSY") return await initialise(process, repository, signal);
    return refuse(place, thrown);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** The directory of a local repository; undefined for every other backend of restic. */
function localDirectory(url: string): string | undefined {
  if (url.startsWith("local:")) return url.slice("local:".length);
  return /^[a-z0-9]+:/.test(url) ? undefined : url;
}

function isNoRepository(thrown: unknown): boolean {
  return thrown instanceof HoldfastError && thrown.reason === "NoRepository";
}

function halfMade(repository: ResticRepository, cause: unknown): HoldfastError {
  return new HoldfastError(
    "RepositoryHalfMade",
    `${repository.url} holds a part of a repository and no config: an initialisation was cut, or the config was lost`,
    {
      disposition: "stall",
      next: "If it has no snapshots, delete it; otherwise bring the file `config` back from a copy of the backend.",
      cause,
    },
  );
}

function refuse(place: string, thrown: unknown): never {
  if (thrown instanceof HoldfastError) throw thrown;
  throw new HoldfastError("ResticFailed", `cannot make a repository at ${place}: ${messageOf(thrown)}`, {
    disposition: "retry",
    next: "Check that the volume is mounted, writable and not full.",
    cause: thrown,
  });
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}
