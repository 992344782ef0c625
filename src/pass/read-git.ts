import { type ClusterState, stateOf, stateRef } from "../api/own-notes.ts";
import { type HoldfastError, toHoldfastError } from "../base/errors.ts";
import type { Declared } from "./declared/declared.ts";
import { readDeclared } from "./declared/read-declared.ts";
import type { Desired } from "./desired/desired.ts";
import { resolveDesired } from "./desired/resolve-desired.ts";
import type { Observed } from "./observed/observed.ts";
import { recordInterest } from "./plan/record-interest.ts";
import type { PassMemory, PassPorts, PassRequest } from "./reconcile.ts";
import { type RecordAt, type RecordTarget, readRecord, unknownRecord } from "./record/read-record.ts";

/** What a pass knows of Git: read now, or, while the remote is away, what was accepted last. */
export type GitView = {
  readonly declared: Declared;
  readonly desired: Desired;
  readonly record: RecordAt;
  readonly target: RecordTarget;
  /** What Holdfast should note after this pass. */
  readonly state: ClusterState;
  /** When the remote was asked last in vain. */
  readonly askedMs?: number;
};

/** A remote that is away is asked again after this long, however often passes are made meanwhile. */
export const askAgainMs = 15_000;

/** Reasons that say that the remote cannot be had, or not by us: what is there may be as good as ever. */
const awayReasons: readonly string[] = [
  "RemoteUnreachable",
  "RemoteAuthenticationFailed",
  "RemoteNotFound",
  "PushRefused",
];

export function isAway({ reason }: HoldfastError): boolean {
  return awayReasons.includes(reason);
}

/**
 * The declaration in force and the record. While the remote is away the last accepted commit stays in force, from
 * memory or from the cache of objects; one that is in neither declares nothing and lets nothing be pruned, so that
 * what the cluster holds goes on. Throws when nothing was ever accepted, and whatever else is wrong with Git.
 */
export async function readGit(
  ports: PassPorts,
  request: PassRequest,
  around: { readonly observed: Observed; readonly namespace: string },
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

type Basis = { readonly observed: Observed; readonly namespace: string; readonly noted: ClusterState };

/** What is noted in the cluster; a note that could not be written is still remembered by this process. */
function notedState(
  { cluster, previous }: PassRequest,
  { observed, namespace }: Omit<Basis, "noted">,
): ClusterState {
  const map = observed.get(stateRef({ cluster, namespace }));
  return map === undefined ? (previous?.state ?? {}) : stateOf(map);
}

function stillAway(
  noted: ClusterState,
  previous: PassMemory | undefined,
  nowMs: number,
  error?: HoldfastError,
): ClusterState {
  const since = noted.away ?? previous?.state.away;
  // In whole seconds, as it is noted.
  const away = since ?? { sinceMs: nowMs - (nowMs % 1000), because: error?.message ?? "" };
  return { ...noted, away };
}

async function present(
  { remote, clock, signal }: PassPorts,
  { previous, ...request }: PassRequest,
  { observed, namespace, noted }: Basis,
): Promise<GitView> {
  const { branch, cluster, acceptRewritten = [] } = request;
  const since = noted.declared?.branch === branch ? noted.declared.commit : undefined;
  const declared = await readDeclared(
    remote,
    { ...request, ...(previous && { previous: previous.declared }), ...(since && { since }) },
    signal,
  );
  const desired = previous?.declared === declared ? previous.desired : resolveDesired(declared, cluster);
  const target = targetOf(declared, request);
  const before = noted.record?.branch === target.branch ? noted.record.commit : undefined;
  const record = await readRecord(remote, target, {
    interest: recordInterest(desired, observed, namespace),
    signal,
    acceptRewritten,
    ...(before && { since: before }),
    ...(previous && { previous: previous.record }),
  });
  const tips = {
    declared: { branch, commit: declared.revision.commit },
    ...(record.tip === undefined ? {} : { record: { branch: target.branch, commit: record.tip } }),
  };
  const failed = previous?.pushFailed;
  const { away } = failed === undefined ? {} : stillAway(noted, previous, clock.now(), failed);
  return { declared, desired, record, target, state: { ...tips, ...(away && { away }) } };
}

async function lastAccepted(ports: PassPorts, request: PassRequest, state: ClusterState): Promise<GitView> {
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
  { remote, signal }: PassPorts,
  request: PassRequest & { commit: string },
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

function undeclared({ cluster, branch, commit }: PassRequest & { commit: string }): Declared {
  const message = `commit ${commit.slice(0, 12)} is in force and cannot be read: what the cluster holds stays as it is`;
  return {
    revision: { branch, commit },
    settings: { cluster, path: "", record: { kind: "branch", branch: "holdfast-record" }, pollMs: 60_000 },
    documents: [],
    problems: [{ severity: "warning", reason: "DeclarationUnknown", message, next: "bring the remote back" }],
    complete: false,
    others: {},
    digest: "",
  };
}

function targetOf(
  { settings: { record } }: Declared,
  { cluster, branch }: Pick<PassRequest, "cluster" | "branch">,
): RecordTarget {
  return record.kind === "branch"
    ? { cluster, branch: record.branch, folder: "" }
    : { cluster, branch, folder: record.folder };
}
