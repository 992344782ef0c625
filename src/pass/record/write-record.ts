import { formatPath } from "../../api/record-layout.ts";
import type { Clock } from "../../base/clock.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { FileChange, Remote } from "../../ports/git/remote.ts";
import type { Entry } from "../plan/step.ts";
import { type RecordAt, type RecordTarget, readRecord, rooted } from "./read-record.ts";
import { recordYaml } from "./record-yaml.ts";
import type { RecordInterest } from "./recorded.ts";

export type RecordRequest = {
  readonly target: RecordTarget;
  /** The record as the plan saw it. */
  readonly seen: RecordAt;
  readonly entries: readonly Entry[];
  /** Writes what may wait too, although nothing final is there. */
  readonly flush: boolean;
  readonly version: string;
  readonly declaredCommit: string;
};

export type RecordResult =
  | { readonly kind: "written"; readonly commit: string; readonly entries: number }
  | { readonly kind: "nothing" }
  /** Entries wait for the next final one. */
  | { readonly kind: "deferred"; readonly entries: number }
  /** Somebody wrote one of the same paths: what was planned no longer holds. */
  | { readonly kind: "replan" }
  /** Entries wait until the remote can be had again. */
  | { readonly kind: "away"; readonly entries: number };

type Ports = { readonly remote: Remote; readonly clock: Clock; readonly signal: AbortSignal };

const formatVersion = { format: "holdfast-record", version: 1 };
const attempts = 10;
const author = { name: "Holdfast", email: "holdfast@localhost" };

/**
 * At most one commit for one pass, by compare-and-swap on the branch's tip. When the tip moved, every path that the
 * commit writes is looked at again: if one is not what the plan saw the commit is dropped, otherwise it is rebuilt.
 */
export async function writeRecord(ports: Ports, request: RecordRequest): Promise<RecordResult> {
  const { entries, target } = request;
  if (entries.length === 0) return { kind: "nothing" };
  if (!request.flush && entries.every((entry) => entry.when === "soon"))
    return { kind: "deferred", entries: entries.length };
  const changes = changesOf(request);
  let seen = request.seen;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const result = await ports.remote.push(
      {
        branch: target.branch,
        expect: seen.tip,
        changes: seen.entry(formatPath) === undefined ? [formatChange(target), ...changes] : changes,
        message: messageFor(request),
        author,
        at: ports.clock.now(),
      },
      ports.signal,
    );
    if (result.kind === "pushed") return { kind: "written", commit: result.commit, entries: entries.length };
    const now = await readRecord(ports.remote, target, {
      interest: writtenBy(entries),
      previous: seen,
      ...(seen.tip === undefined ? {} : { since: seen.tip }),
      signal: ports.signal,
    });
    if (entries.some((entry) => now.entry(entry.path) !== request.seen.entry(entry.path)))
      return { kind: "replan" };
    seen = now;
    await ports.clock.sleep(Math.random() * 50 * 2 ** Math.min(attempt, 6), ports.signal);
  }
  throw new HoldfastError(
    "RecordContended",
    `the record's branch ${target.branch} moved ${attempts} times while one commit was pushed`,
    {
      disposition: "retry",
      next: "it is tried again in the next pass",
    },
  );
}

function writtenBy(entries: readonly Entry[]): RecordInterest {
  const folders = entries.filter((entry) => entry.folder === true).map(({ path }) => path);
  return {
    paths: new Set(entries.filter((entry) => entry.folder !== true).map(({ path }) => path)),
    // The day's own folder, without yyyy/mm/dd.
    parents: new Set(folders.map((path) => path.split("/").slice(0, -3).join("/"))),
  };
}

function changesOf({ entries, target }: RecordRequest): readonly FileChange[] {
  return entries.map((entry) => {
    const path = rooted(target, entry.path);
    if (entry.folder === true) return { path, content: null, folder: true };
    return { path, content: entry.content === undefined ? null : recordYaml(entry.content) };
  });
}

function formatChange(target: RecordTarget): FileChange {
  return { path: rooted(target, formatPath), content: recordYaml(formatVersion) };
}

/** What happened, then the trailers by which a commit is tied to the one that declared it. */
function messageFor({ entries, target, version, declaredCommit }: RecordRequest): string {
  const said = entries.flatMap((entry) => entry.summary ?? []);
  // A session says what its Snapshots would say again.
  const leading = said.filter((one) => !one.startsWith("snapshot "));
  const told = leading.length > 0 ? leading : said;
  const [first] = told;
  const subject =
    first === undefined
      ? `status of ${entries.length} object${entries.length === 1 ? "" : "s"}`
      : told.length === 1
        ? first
        : `${first}, and ${told.length - 1} more`;
  const body = told.length > 1 ? [told.map((one) => `- ${one}`).join("\n"), ""] : [];
  const trailers = [
    `Holdfast-Cluster: ${target.cluster}`,
    `Holdfast-Declared: ${declaredCommit}`,
    `Holdfast-Version: ${version}`,
  ];
  return [subject, "", ...body, ...trailers].join("\n") + "\n";
}
