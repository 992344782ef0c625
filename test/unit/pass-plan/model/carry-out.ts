import { type Condition, setCondition } from "../../../../src/api/conditions.ts";
import { type KubeObject, keyOf, refOf } from "../../../../src/api/meta.ts";
import type { Mark, Plan, Step } from "../../../../src/pass/plan/step.ts";
import type { Backend } from "./backend.ts";
import { type Cluster, Refusal } from "./cluster.ts";

type StoreStep = Extract<Step, { kind: "store" }>;
type StatusStep = Extract<Step, { kind: "status" }>;
type Decided = {
  readonly mark: Mark;
  readonly failure: string | undefined;
  readonly status: Readonly<Record<string, unknown>>;
  readonly undecided?: true;
};

/** What goes wrong while a plan is carried out; numbers count effects from 0. */
export type Trouble = {
  /** The process is killed before this effect; the record is not written either. */
  readonly crashAt?: number;
  /** The answer to this effect is an error, and it did not happen. */
  readonly lostAt?: number;
};

export type CarryOut = {
  readonly cluster: Cluster;
  readonly backendOf: (storage: KubeObject) => Backend;
  readonly secretThere: (storage: KubeObject) => boolean;
  /** Told before each effect. */
  readonly onStep: (step: Step) => void;
};

/** Carries out a plan's steps in the order that `act` keeps; answers whether it came to its end. */
export function carryOut(ports: CarryOut, plan: Plan, trouble: Trouble): boolean {
  let effects = 0;
  const unmade = new Set<string>();
  const decided: Decided[] = [];
  const versions = new Map<string, { readonly from: string; readonly to: string }>();
  const attempt = (step: Step, work: () => void): "killed" | "done" | "refused" => {
    const at = effects++;
    if (at === trouble.crashAt) return "killed";
    if (at === trouble.lostAt) return "refused";
    try {
      ports.onStep(step);
      work();
      return "done";
    } catch (thrown) {
      if (thrown instanceof Refusal) return "refused";
      throw thrown;
    }
  };
  for (const step of plan.steps)
    if (step.kind !== "store" && step.kind !== "status") {
      const end = attempt(step, () => write(ports.cluster, step, versions));
      if (end === "killed") return false;
      if (end !== "refused" || step.kind !== "create") continue;
      const { mark } = step;
      if (mark !== undefined)
        decided.push({ mark, failure: "Forbidden by a quota", status: {}, undecided: true });
      else
        for (const { kind, name } of step.object.metadata.ownerReferences ?? [])
          unmade.add(`${kind}/${step.object.metadata.namespace}/${name}`);
    }
  for (const step of plan.steps) {
    if (step.kind !== "store") continue;
    let status: Readonly<Record<string, unknown>> = {};
    let failure: string | undefined = "the backend did not answer";
    const end = attempt(step, () => {
      const reason = ports.secretThere(step.storage) ? undefined : "BackendSecretNotAvailable";
      if (reason !== undefined) throw new Refusal(reason);
      status = ports.backendOf(step.storage).write(step.write, ports.cluster);
      failure = undefined;
    });
    if (end === "killed") return false;
    if (step.mark !== undefined) decided.push({ mark: step.mark, failure, status });
  }
  const statuses = plan.steps
    .filter((step) => step.kind === "status")
    .filter(({ ref }) => !unmade.has(`${ref.kind}/${ref.namespace}/${ref.name}`));
  for (const step of folded(statuses, decided, ports.cluster.nowMs)) {
    const end = attempt(step, () => {
      const moved = versions.get(keyOf(step.ref));
      const version = moved?.from === step.resourceVersion ? moved.to : step.resourceVersion;
      ports.cluster.patch(step.ref, version, { status: step.status });
    });
    if (end === "killed") return false;
  }
  return true;
}

function write(
  cluster: Cluster,
  step: Exclude<Step, StoreStep | StatusStep>,
  versions: Map<string, { readonly from: string; readonly to: string }>,
): void {
  switch (step.kind) {
    case "apply":
    case "note":
      cluster.apply(step.object);
      return;
    case "create":
      if (cluster.get(refOf(step.object)) === undefined) cluster.create(step.object);
      return;
    case "patch": {
      const patched = cluster.patch(step.ref, step.resourceVersion, step.patch);
      const to = patched?.metadata.resourceVersion ?? "";
      versions.set(keyOf(step.ref), { from: step.resourceVersion, to });
      return;
    }
    case "delete":
      cluster.delete(step.ref, step.uid);
  }
}

/** One status patch per object, with what the marks have decided. */
function folded(
  planned: readonly StatusStep[],
  decided: readonly Decided[],
  nowMs: number,
): readonly StatusStep[] {
  const byKey = new Map<string, StatusStep>(planned.map((step) => [keyOf(step.ref), step]));
  for (const { mark, failure, status, undecided } of decided) {
    const key = keyOf(mark.ref);
    const { ref, resourceVersion } = mark;
    const because = "its backend answered";
    const step = byKey.get(key) ?? { kind: "status" as const, ref, resourceVersion, status: {}, because };
    const before: readonly Condition[] = mark.conditions.filter(
      (one) => failure === undefined || undecided || one.type !== mark.condition,
    );
    const refused = undecided ? ("Unknown" as const) : ("False" as const);
    const outcome = {
      type: mark.condition,
      status: failure === undefined ? ("True" as const) : refused,
      reason: failure === undefined ? mark.whenTrue : undecided ? "Forbidden" : mark.whenFalse,
      message: failure ?? "",
      ...(mark.observedGeneration === undefined ? {} : { observedGeneration: mark.observedGeneration }),
    };
    const conditions = setCondition(before, outcome, nowMs);
    byKey.set(key, { ...step, status: { ...step.status, ...status, conditions } });
  }
  return [...byKey.values()];
}
