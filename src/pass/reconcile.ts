import { defaultOwnNamespace } from "../api/own-namespace.ts";
import type { Clock } from "../base/clock.ts";
import { type HoldfastError, toHoldfastError } from "../base/errors.ts";
import type { Problem } from "../base/problem.ts";
import type { Remote } from "../ports/git/remote.ts";
import { type ActPorts, act, type Outcome } from "./act/act.ts";
import { observe } from "./observed/observe.ts";
import type { Observed } from "./observed/observed.ts";
import { awayProblem, outboxOf } from "./plan/outbox.ts";
import { planPass } from "./plan/plan.ts";
import type { Plan } from "./plan/step.ts";
import type { World } from "./plan/world.ts";
import { awayBy, type GitView, isAway, readGit } from "./read-git.ts";
import { type RecordResult, writeRecord } from "./record/write-record.ts";

export type PassPorts = ActPorts & { readonly remote: Remote; readonly clock: Clock };

export type PassRequest = {
  readonly cluster: string;
  readonly branch: string;
  /** Instead of the branch's tip: plan what this commit declares. */
  readonly commit?: string;
  /** Instead of what holdfast.yaml says. */
  readonly path?: string;
  /** Where Holdfast keeps its notes and its outbox; `holdfast` by default. */
  readonly ownNamespace?: string;
  /** Tips of branches that are taken though they were rewritten. */
  readonly acceptRewritten?: readonly string[];
  readonly instance: string;
  readonly image: World["image"];
  readonly version: string;
  /** Shows the plan and does nothing. */
  readonly planOnly?: true;
  /** Writes entries too that may wait for the next final one. */
  readonly flush: boolean;
  /** What the last pass of this process knew. */
  readonly previous?: PassMemory;
};

/** What a pass leaves to the next one of the same process; nothing is lost without it but time. */
export type PassMemory = GitView & { readonly pushFailed?: HoldfastError; readonly observed?: Observed };

export type PassResult = {
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly recorded: RecordResult;
  readonly memory: PassMemory;
  readonly problems: readonly Problem[];
  readonly pollMs: number;
};

/** One pass, in the order in which data flows. */
export async function reconcile(ports: PassPorts, request: PassRequest): Promise<PassResult> {
  const namespace = request.ownNamespace ?? defaultOwnNamespace;
  const { observed, problems } = await observe(ports.kube, namespace, {
    signal: ports.signal,
    previous: request.previous?.observed,
  });
  const outbox = outboxOf(observed, { cluster: request.cluster, namespace });
  const git = await readGit(ports, request, { observed, namespace, outbox });
  const plan = planPass({
    desired: git.desired,
    observed,
    recorded: git.record,
    own: { namespace, state: git.state, outbox },
    now: ports.clock.now(),
    instance: request.instance,
    image: request.image,
  });
  const outcome = request.planOnly ? { results: [], problems: [] } : await act(ports, plan);
  const { recorded, pushFailed } = await record(ports, request, { git, plan });
  const away =
    pushFailed && awayBy(pushFailed, { noted: git.state, previous: undefined, nowMs: ports.clock.now() });
  // A plan that knew of it has said so.
  const failed = away && git.state.away === undefined ? [awayProblem(away, plan.revision)] : [];
  return {
    plan,
    outcome,
    recorded,
    memory: { ...git, observed, ...(away && { pushFailed, state: { ...git.state, away } }) },
    problems: [...(git.refused ?? []), ...plan.problems, ...problems, ...outcome.problems, ...failed],
    pollMs: git.declared.settings.pollMs,
  };
}

type Recording = { readonly recorded: RecordResult; readonly pushFailed?: HoldfastError };

/** Entries wait while the remote is away; a push that fails is a remote that is away until one is taken. */
async function record(
  ports: PassPorts,
  request: PassRequest,
  { git, plan }: { readonly git: GitView; readonly plan: Plan },
): Promise<Recording> {
  const { entries } = plan;
  if (request.planOnly) return { recorded: { kind: "nothing" } };
  const away: RecordResult = { kind: "away", entries: entries.length };
  const { target, record: seen, desired } = git;
  if (git.askedMs !== undefined || target === undefined) return { recorded: away };
  try {
    const { version, previous } = request;
    const failed = previous?.pushFailed;
    // Whether the remote takes a push again is known by pushing.
    const flush = request.flush || failed !== undefined;
    const recorded = await writeRecord(ports, {
      target,
      seen,
      entries,
      flush,
      version,
      declaredCommit: desired.revision,
    });
    // A record that moved on to hold all there is to write took the push whose answer was lost.
    const unproven = recorded.kind === "nothing" && previous?.record.tip === seen.tip;
    return { recorded, ...(failed && unproven && { pushFailed: failed }) };
  } catch (thrown) {
    const error = toHoldfastError(thrown);
    if (!isAway(error)) throw error;
    return { recorded: away, pushFailed: error };
  }
}
