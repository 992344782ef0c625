import { HoldfastError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { asObject, isArray, numberIn, parseJson, textIn, textsIn } from "./messages.ts";
import type { ResticProcess } from "./process.ts";
import type { ResticRepository, ResticSnapshot } from "./restic.ts";

/** `snapshots --json` answers in one piece; snapshots of a volume by symbolic link name every child of it. */
export const maxSnapshotsBytes = 64 * 1024 * 1024;
/** Ids per process, so that an argv never grows too long. */
const idsPerProcess = 500;

/** All snapshots, or those whose ids (or the beginnings of them) are given. */
export async function readSnapshots(
  process: ResticProcess,
  repository: ResticRepository,
  ids: readonly string[] | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly ResticSnapshot[]> {
  if (ids?.length === 0) return [];
  const wanted = ids?.map(checkSnapshotId);
  const named = wanted !== undefined && wanted.length <= idsPerProcess ? wanted : [];
  const result = await process.run(repository, {
    args: ["snapshots", "--json", "--no-lock", ...named],
    doing: { what: "list the snapshots", where: repository.url },
    signal,
    maxOutputBytes: maxSnapshotsBytes,
  });
  const answer = parseJson(result.stdout);
  if (!isArray(answer)) throw unreadableAnswer("snapshots", repository);
  const all = answer.map((item) => snapshotOf(asObject(item) ?? {}));
  return wanted === undefined ? all : all.filter(({ id }) => wanted.some((prefix) => id.startsWith(prefix)));
}

/** A snapshot as `snapshots` and the first line of `ls` tell it. */
export function snapshotOf(message: JsonObject): ResticSnapshot {
  return {
    id: textIn(message, "id"),
    tree: textIn(message, "tree"),
    time: textIn(message, "time"),
    host: textIn(message, "hostname"),
    paths: textsIn(message, "paths"),
    tags: textsIn(message, "tags"),
  };
}

export async function forget(
  process: ResticProcess,
  repository: ResticRepository,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const checked = ids.map(checkSnapshotId);
  for (let from = 0; from < checked.length; from += idsPerProcess) {
    const last = from + idsPerProcess >= checked.length;
    await process.run(repository, {
      args: ["forget", "--quiet", ...(last ? ["--prune"] : []), ...checked.slice(from, from + idsPerProcess)],
      doing: { what: `forget ${checked.length} snapshots`, where: repository.url },
      long: true,
      signal,
    });
  }
}

export async function check(
  process: ResticProcess,
  repository: ResticRepository,
  readData: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  await process.run(repository, {
    args: ["check", "--no-lock", "--quiet", ...(readData ? ["--read-data"] : [])],
    doing: { what: "check the repository", where: repository.url },
    long: true,
    signal,
  });
}

export async function size(
  process: ResticProcess,
  repository: ResticRepository,
  signal: AbortSignal | undefined,
): Promise<number> {
  const result = await process.run(repository, {
    args: ["stats", "--json", "--quiet", "--mode=raw-data", "--no-lock"],
    doing: { what: "measure the repository", where: repository.url },
    long: true,
    signal,
  });
  const answer = asObject(parseJson(result.stdout));
  if (answer === undefined) throw unreadableAnswer("stats", repository);
  return numberIn(answer, "total_size");
}

export async function unlock(
  process: ResticProcess,
  repository: ResticRepository,
  all: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  await process.run(repository, {
    args: ["unlock", "--quiet", ...(all ? ["--remove-all"] : [])],
    doing: { what: "remove locks", where: repository.url },
    signal,
  });
}

/** An id is hexadecimal; `latest`, a flag or anything else is refused (`InvalidSnapshotId`). */
export function checkSnapshotId(id: string): string {
  if (/^[0-9a-f]{8,64}$/.test(id)) return id;
  throw new HoldfastError("InvalidSnapshotId", `${JSON.stringify(id)} is no id of a restic snapshot`, {
    disposition: "stall",
    next: "Give the id as `restic snapshots` shows it.",
  });
}

export function unreadableAnswer(command: string, repository: ResticRepository): HoldfastError {
  return new HoldfastError(
    "ResticFailed",
    `restic's answer to \`${command}\` (${repository.url}) cannot be read as JSON`,
    { disposition: "retry", next: `Run \`restic ${command} --json\` and look at what it prints.` },
  );
}
