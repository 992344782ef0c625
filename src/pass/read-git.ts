import { type Away, type ClusterState, stateOf, stateRef } from "../api/own-notes.ts";
import { sameJson } from "../api/same-json.ts";
import { HoldfastError, toHoldfastError } from "../base/errors.ts";
import type { Problem } from "../base/problem.ts";
import type { Remote } from "../ports/git/remote.ts";
import type { Declared } from "./declared/declared.ts";
import { type DeclaredRequest, readDeclared } from "./declared/read-declared.ts";
import type { Desired } from "./desired/desired.ts";
import { resolveDesired } from "./desired/resolve-desired.ts";
import type { Observed } from "./observed/observed.ts";
import type { OutboxItem } from "./plan/outbox.ts";
import { recordInterest } from "./plan/record-interest.ts";
import type { PassMemory, PassPorts, PassRequest } from "./reconcile.ts";
import { type RecordAt, type RecordTarget, readRecord, unknownRecord } from "./record/read-record.ts";

/** What a pass knows of Git: read now, or, while the remote is away, what was accepted last. */
export type GitView = {
  readonly declared: Declared;
  readonly desired: Desired;
  readonly record: RecordAt;
  /** Undefined while the settings in force cannot be read: then nothing is claimed, pushed or noted of a record. */
  readonly target: RecordTarget | undefined;
  /** What Holdfast should note after this pass. */
  readonly state: ClusterState;
  /** When the remote was asked last in vain. */
  readonly askedMs?: number;
  /** Why the branch's tip was not taken in, so that the commit before it is in force. */
  readonly refused?: readonly Problem[];
};

/** A remote that is away is asked again after this long, however often passes are made meanwhile. */
export const askAgainMs = 15_000;

/** Reasons that say that the remote cannot be had, or not by us: what is there may be as good as ever. */
const awayReasons: readonly string[] = [
  "RemoteUnreachable",
  "RemoteAuthenticationFailed",
  "RemoteNotFound",
  "RemoteUnsupported",
  "BranchNotFound",
  "CertificateNotTrusted",
  "HostKeyNotTrusted",
  "ProxyRefused",
  "CaFileUnusable",
  "SshCommandRefused",
  "CommandMissing",
  "PushRefused",
];

export function isAway({ reason }: HoldfastError): boolean {
  return awayReasons.includes(reason);
}

type GitPorts = Pick<PassPorts, "remote" | "clock" | "signal">;
type GitRequest = Pick<
  PassRequest,
  "cluster" | "branch" | "commit" | "path" | "acceptRewritten" | "previous"
>;

/**
 * The declaration in force and the record. While the remote is away the last accepted commit stays in force, from
 * memory or from the cache of objects; one that is in neither declares nothing and lets nothing be pruned, so that
 * what the cluster holds goes on. Throws when nothing was ever accepted, and whatever else is wrong with Git.
 */
export async function readGit(
  ports: GitPorts,
  request: GitRequest,
  around: Omit<Basis, "noted">,
): Promise<GitView> {
  const nowMs = ports.clock.now();
  const { previous, commit, branch } = request;
  const basis = { ...around, noted: notedState(request, around) };
  if (previous?.askedMs !== undefined && nowMs < previous.askedMs + askAgainMs) {
    const { pushFailed: _pushFailed, ...view } = previous;
    return { ...view, state: stillAway(basis.noted, previous, nowMs) };
  }
  try {
    return await present(ports, request, basis);
  } catch (thrown) {
    const error = toHoldfastError(thrown);
    const known = basis.noted.declared?.branch === branch && commit === undefined;
    if (!known || !isAway(error)) throw error;
    return lastAccepted(ports, request, stillAway(basis.noted, previous, nowMs, error));
  }
}

type Basis = {
  readonly observed: Observed;
  readonly namespace: string;
  readonly outbox: readonly OutboxItem[];
  readonly noted: ClusterState;
};

/** What is noted in the cluster; a note that could not be written is still remembered by this process. */
function notedState(
  { cluster, previous }: GitRequest,
  { observed, namespace }: Omit<Basis, "noted" | "outbox">,
): ClusterState {
  const map = observed.get(stateRef({ cluster, namespace }));
  return map === undefined ? (previous?.state ?? {}) : stateOf(map);
}

/** Away since it was noted or seen first, and for the reason of then. */
export function awayBy(
  error: HoldfastError | undefined,
  {
    noted,
    previous,
    nowMs,
  }: {
    readonly noted: ClusterState;
    readonly previous: PassMemory | undefined;
    readonly nowMs: number;
  },
): Away {
  const since = noted.away ?? previous?.state.away;
  // In whole seconds, as it is noted.
  return since ?? { sinceMs: nowMs - (nowMs % 1000), because: error?.message ?? "" };
}

function stillAway(
  noted: ClusterState,
  previous: PassMemory | undefined,
  nowMs: number,
  error?: HoldfastError,
): ClusterState {
  return { ...noted, away: awayBy(error, { noted, previous, nowMs }) };
}

async function present(
  { remote, clock, signal }: GitPorts,
  { previous, ...request }: GitRequest,
  { observed, outbox, noted }: Basis,
): Promise<GitView> {
  const { branch, cluster, acceptRewritten = [] } = request;
  const since = noted.declared?.branch === branch ? noted.declared.commit : undefined;
  const asked = {
    ...request,
    ...(previous && { previous: previous.declared }),
    ...(since && { since }),
  };
  const { declared, refused } = await inForce(remote, asked, signal);
  const desired = previous?.declared === declared ? previous.desired : resolveDesired(declared, cluster);
  const target = targetOf(declared, request);
  if (target === undefined)
    throw new HoldfastError("Bug", "settings that were not read are taken for read", { disposition: "bug" });
  refuseMoved(target, { noted, branch, commit: declared.revision.commit, acceptRewritten });
  const before = noted.record?.branch === target.branch ? noted.record.commit : undefined;
  const record = await readRecord(remote, target, {
    interest: recordInterest(desired, observed, outbox),
    signal,
    acceptRewritten,
    ...(before && { since: before }),
    ...(previous && sameJson(previous.target, target) && { previous: previous.record }),
  });
  const tips = {
    declared: { branch, commit: declared.revision.commit },
    ...(record.tip === undefined
      ? {}
      : { record: { branch: target.branch, commit: record.tip, folder: target.folder } }),
  };
  const failed = previous?.pushFailed;
  const away = failed && awayBy(failed, { noted, previous, nowMs: clock.now() });
  const state = { ...tips, ...(away && { away }), ...(refused && { refused: noteOf(refused) }) };
  return { declared, desired, record, target, state, ...(refused && { refused }) };
}

type InForce = { readonly declared: Declared; readonly refused?: readonly Problem[] };

/** What the tip declares. A tip that cannot be followed as a whole is named, and the commit before it stays in force. */
async function inForce(remote: Remote, request: DeclaredRequest, signal: AbortSignal): Promise<InForce> {
  try {
    return { declared: await readDeclared(remote, request, signal) };
  } catch (thrown) {
    const error = toHoldfastError(thrown);
    const { since, commit } = request;
    if (since === undefined || commit !== undefined || !leavesInForce(error)) throw error;
    const declared = await readDeclared(remote, { ...request, commit: since }, signal);
    return { declared, refused: refusals(error, since) };
  }
}

/** Of a history that was rewritten nobody knows what is to be in force. */
function leavesInForce(error: HoldfastError): boolean {
  return error.disposition === "stall" && error.reason !== "HistoryRewritten" && !isAway(error);
}

function refusals(
  { reason, message, next, problems }: HoldfastError,
  inForceCommit: string,
): readonly Problem[] {
  const whole: Problem = { severity: "error", reason, message, ...(next !== undefined && { next }) };
  return (problems.length === 0 ? [whole] : problems).map((problem) => ({
    ...problem,
    message: `${problem.message}; commit ${inForceCommit.slice(0, 12)} stays in force`,
  }));
}

/** As much of it as a person reads. */
function noteOf(refused: readonly Problem[]): string {
  const sentences = refused.map(({ message, place }) =>
    place === undefined ? message : `${place.path}:${place.line}: ${message}`,
  );
  return sentences.join("; ").slice(0, 2_000);
}

/** At another place there are no claims, so every restore would run again: a person must have moved the record. */
function refuseMoved(
  target: RecordTarget,
  given: {
    readonly noted: ClusterState;
    readonly branch: string;
    readonly commit: string;
    readonly acceptRewritten: readonly string[];
  },
): void {
  const { record: before, declared } = given.noted;
  // Of another branch that declares, nothing was noted yet.
  if (before === undefined || declared?.branch !== given.branch) return;
  if (before.branch === target.branch && before.folder === target.folder) return;
  if (given.acceptRewritten.includes(given.commit)) return;
  const place = ({ branch, folder }: Pick<RecordTarget, "branch" | "folder">) =>
    folder === "" ? `the branch ${branch}` : `the folder ${folder} of ${branch}`;
  throw new HoldfastError(
    "RecordMoved",
    `commit ${given.commit.slice(0, 12)} keeps the record in ${place(target)}, and it was kept in ${place(before)} at ${before.commit}`,
    {
      disposition: "stall",
      next: `Put record in holdfast.yaml back; or copy all that is in ${place(before)} into ${place(target)}, and take it with --accept-rewritten ${given.commit}.`,
    },
  );
}

async function lastAccepted(ports: GitPorts, request: GitRequest, state: ClusterState): Promise<GitView> {
  const { previous, cluster } = request;
  const askedMs = ports.clock.now();
  const commit = state.declared?.commit ?? "";
  const declared =
    previous?.declared.revision.commit === commit
      ? previous.declared
      : await fromCache(ports, { ...request, commit });
  const record = previous?.record ?? unknownRecord();
  const desired = previous?.declared === declared ? previous.desired : resolveDesired(declared, cluster);
  return { declared, desired, record, target: targetOf(declared, request), state, askedMs };
}

/** Objects by id are kept on disk, so that the commit in force can be read without its remote. */
async function fromCache(
  { remote, signal }: GitPorts,
  request: GitRequest & { commit: string },
): Promise<Declared> {
  const { previous: _previous, ...rest } = request;
  try {
    return await readDeclared(remote, rest, signal);
  } catch (thrown) {
    const error = toHoldfastError(thrown);
    if (!isAway(error)) throw error;
    return undeclared(request);
  }
}

function undeclared({ cluster, branch, commit }: GitRequest & { commit: string }): Declared {
  const message = `commit ${commit.slice(0, 12)} is in force and cannot be read: what the cluster holds stays as it is`;
  return {
    revision: { branch, commit },
    settings: { cluster, path: "", record: { kind: "unknown" }, pollMs: 60_000 },
    documents: [],
    problems: [{ severity: "warning", reason: "DeclarationUnknown", message, next: "bring the remote back" }],
    complete: false,
    // Else, with the remote back at this commit, nothing would be declared until the next one.
    again: true,
    others: {},
    digest: "",
  };
}

function targetOf(
  { settings: { record } }: Declared,
  { cluster, branch }: Pick<PassRequest, "cluster" | "branch">,
): RecordTarget | undefined {
  switch (record.kind) {
    case "branch":
      return { cluster, branch: record.branch, folder: "" };
    case "folder":
      return { cluster, branch, folder: record.folder };
    case "unknown":
      return undefined;
  }
}
