import type { Clock } from "../base/clock.ts";
import type { Problem } from "../base/problem.ts";
import type { Remote } from "../ports/git/remote.ts";
import { type ActPorts, act, type Outcome } from "./act/act.ts";
import { readDeclared } from "./declared/read-declared.ts";
import { resolveDesired } from "./desired/resolve-desired.ts";
import { observe } from "./observed/observe.ts";
import { planPass } from "./plan/plan.ts";
import { recordInterest } from "./plan/record-interest.ts";
import type { Plan } from "./plan/step.ts";
import type { World } from "./plan/world.ts";
import { type RecordAt, readRecord } from "./record/read-record.ts";
import { type RecordResult, writeRecord } from "./record/write-record.ts";

export type PassPorts = ActPorts & { readonly remote: Remote; readonly clock: Clock };

export type PassRequest = {
  readonly cluster: string;
  readonly branch: string;
  /** Instead of the branch's tip: plan what this commit declares. */
  readonly commit?: string;
  /** Instead of what holdfast.yaml says. */
  readonly path?: string;
  readonly instance: string;
  readonly image: World["image"];
  readonly version: string;
  /** Shows the plan and does nothing. */
  readonly planOnly?: true;
  /** Writes entries too that may wait for the next final one. */
  readonly flush: boolean;
  /** The record as the last pass read it. */
  readonly record?: RecordAt;
};

export type PassResult = {
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly recorded: RecordResult;
  readonly record: RecordAt;
  readonly problems: readonly Problem[];
  readonly pollMs: number;
};

/** One pass, in the order in which data flows. */
export async function reconcile(ports: PassPorts, request: PassRequest): Promise<PassResult> {
  const { remote, kube, clock, signal } = ports;
  const declared = await readDeclared(remote, request, signal);
  const desired = resolveDesired(declared, request.cluster);
  const { observed, problems } = await observe(kube, signal);
  const target = recordTarget(declared.settings, request);
  const seen = await readRecord(remote, target, {
    interest: recordInterest(desired, observed),
    signal,
    ...(request.record && { previous: request.record }),
  });
  const plan = planPass({
    desired,
    observed,
    recorded: seen,
    now: clock.now(),
    instance: request.instance,
    image: request.image,
  });
  const outcome = request.planOnly ? { results: [], problems: [] } : await act(ports, plan);
  const recorded = request.planOnly
    ? { kind: "nothing" as const }
    : await writeRecord(ports, {
        target,
        seen,
        entries: plan.entries,
        flush: request.flush,
        version: request.version,
        declaredCommit: desired.revision,
      });
  return {
    plan,
    outcome,
    recorded,
    record: seen,
    problems: [...plan.problems, ...problems, ...outcome.problems],
    pollMs: declared.settings.pollMs,
  };
}

function recordTarget(
  settings: {
    readonly record: { readonly kind: string; readonly branch?: string; readonly folder?: string };
  },
  request: PassRequest,
) {
  const { branch, folder } = settings.record;
  return { cluster: request.cluster, branch: branch ?? request.branch, folder: folder ?? "" };
}
