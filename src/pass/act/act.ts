import { builtIn } from "../../api/built-in.ts";
import { type Condition, setCondition } from "../../api/conditions.ts";
import { findKind } from "../../api/kinds.ts";
import {
  apiVersionOf,
  type KubeObject,
  keyOf,
  nameOf,
  type ObjectRef,
  type Resource,
  refOf,
} from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import { HoldfastError, toHoldfastError } from "../../base/errors.ts";
import { asRecord } from "../../base/json.ts";
import type { Problem } from "../../base/problem.ts";
import type { Kube } from "../../ports/kube/kube.ts";
import type { Objects, ObjectsLocation } from "../../ports/objects/objects.ts";
import type { Mark, Plan, Step } from "../plan/step.ts";
import { store } from "./store.ts";

export type ActPorts = {
  readonly kube: Kube;
  readonly openObjects: (location: ObjectsLocation) => Objects;
  /** Of Holdfast itself, written into a new metadata.yaml. */
  readonly version: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** How a step ended: Flux's words, and `conflict` when the object has moved on and must be observed again. */
export type StepResult =
  | "created"
  | "configured"
  | "unchanged"
  | "deleted"
  | "stored"
  | "conflict"
  | "failed";

export type Outcome = {
  readonly results: readonly { readonly step: Step; readonly result: StepResult }[];
  readonly problems: readonly Problem[];
};

type StoreStep = Extract<Step, { kind: "store" }>;
type StatusStep = Extract<Step, { kind: "status" }>;

const manager = "holdfast";
const ownNamespaceMissing = "apply schemas/rbac: it makes the namespace that Holdfast keeps its notes in";

/** Carries out a plan: declared objects, then what we own, then backends, then one status patch per object. */
export async function act(ports: ActPorts, plan: Pick<Plan, "steps">): Promise<Outcome> {
  const run = new Run(ports);
  const rest = plan.steps.filter((step) => step.kind !== "store" && step.kind !== "status");
  for (const step of rest) await run.attempt(step, () => run.write(step));
  const stores = plan.steps.filter((step) => step.kind === "store");
  const marks = await Promise.all(stores.map((step) => run.store(step)));
  const unmade = run.ownersOfUnmade();
  const decided = [...marks.flat(), ...run.refused.values()];
  // A status that says that something was made is not written when it could not be.
  const statuses = plan.steps
    .filter((step) => step.kind === "status")
    .filter((step) => !unmade.has(keyOf(step.ref)));
  for (const step of foldMarks(statuses, decided, ports.clock.now()))
    await run.attempt(step, () => run.writeStatus(step));
  return { results: run.results, problems: run.problems };
}

type Decided = {
  readonly mark: Mark;
  readonly error: HoldfastError | undefined;
  readonly status: Readonly<Record<string, unknown>>;
  /** It failed, and is tried again by every pass until its planner decides. */
  readonly undecided?: true;
};

class Run {
  readonly results: { step: Step; result: StepResult }[] = [];
  readonly problems: Problem[] = [];
  /** Why something that belongs to an object was not created, by the object's key: the first reason of each. */
  readonly refused = new Map<string, Decided>();
  /** resourceVersions of objects that this run itself has moved on. */
  private readonly versions = new Map<string, { readonly from: string; readonly to: string }>();
  private readonly ports: ActPorts;

  constructor(ports: ActPorts) {
    this.ports = ports;
  }

  async attempt(step: Step, work: () => Promise<StepResult>): Promise<void> {
    try {
      this.results.push({ step, result: await work() });
    } catch (thrown) {
      this.failed(step, toHoldfastError(thrown));
    }
  }

  private failed(step: Step, error: HoldfastError): void {
    if (error.disposition === "bug") throw error;
    if (this.ports.signal.aborted) throw error;
    const moved = error.reason === "Conflict" || error.reason === "NotFound";
    if (moved && (step.kind === "patch" || step.kind === "status" || step.kind === "delete")) {
      this.results.push({ step, result: "conflict" });
      return;
    }
    this.results.push({ step, result: "failed" });
    const mark = step.kind === "create" ? step.mark : undefined;
    if (mark !== undefined && !this.refused.has(keyOf(mark.ref)))
      this.refused.set(keyOf(mark.ref), { mark, error, status: {}, undecided: true });
    const ref = refOfStep(step);
    const next = error.next ?? (step.kind === "note" ? ownNamespaceMissing : undefined);
    this.problems.push({
      severity: "error",
      reason: error.reason,
      message: error.message,
      object: nameOf(ref),
      ...(next === undefined ? {} : { next }),
    });
  }

  /** Objects of which something that belongs to them could not be created, and no mark says so. */
  ownersOfUnmade(): ReadonlySet<string> {
    return new Set(
      this.results
        .filter(({ step, result }) => step.kind === "create" && result === "failed")
        .flatMap(({ step }) =>
          step.kind === "create" && step.mark === undefined ? ownersOf(step.object) : [],
        ),
    );
  }

  async write(step: Exclude<Step, StoreStep | StatusStep>): Promise<StepResult> {
    const { kube, signal } = this.ports;
    const options = { manager, signal };
    switch (step.kind) {
      case "apply":
        await kube.apply(resourceFor(refOf(step.object)), step.object, { ...options, force: true });
        return step.change === "create" ? "created" : "configured";
      case "create":
        return this.create(step.object);
      case "note":
        await kube.apply(resourceFor(refOf(step.object)), step.object, { ...options, force: true });
        return "configured";
      case "patch": {
        const { ref, resourceVersion } = step;
        const metadata = { ...asRecord(step.patch["metadata"]), resourceVersion };
        const patched = await kube.mergePatch(resourceFor(ref), ref, { ...step.patch, metadata }, options);
        this.versions.set(keyOf(ref), { from: resourceVersion, to: patched.metadata.resourceVersion ?? "" });
        return "configured";
      }
      case "delete":
        await kube.delete(resourceFor(step.ref), step.ref, {
          uid: step.uid,
          propagation: "Background",
          signal,
        });
        return "deleted";
    }
  }

  private async create(object: KubeObject): Promise<StepResult> {
    const { kube, signal } = this.ports;
    try {
      await kube.create(resourceFor(refOf(object)), object, { manager, signal });
      return "created";
    } catch (thrown) {
      // Created by deterministic name: that it is there already is what was wanted.
      if (thrown instanceof HoldfastError && thrown.reason === "AlreadyExists") return "unchanged";
      throw thrown;
    }
  }

  async writeStatus(step: StatusStep): Promise<StepResult> {
    const { kube, signal } = this.ports;
    const moved = this.versions.get(keyOf(step.ref));
    const resourceVersion = moved?.from === step.resourceVersion ? moved.to : step.resourceVersion;
    const patch = { metadata: { resourceVersion }, status: step.status };
    await kube.mergePatch(resourceFor(step.ref), step.ref, patch, {
      manager,
      subresource: "status",
      signal,
    });
    return "configured";
  }

  /** A step with a mark does not fail: its error becomes the condition's reason and message. */
  async store(step: StoreStep): Promise<readonly Decided[]> {
    let error: HoldfastError | undefined;
    let status: Readonly<Record<string, unknown>> = {};
    try {
      status = await store(this.ports, step);
      this.results.push({ step, result: "stored" });
    } catch (thrown) {
      error = toHoldfastError(thrown);
      this.failed(step, error);
    }
    return step.mark === undefined ? [] : [{ mark: step.mark, error, status }];
  }
}

/** One patch per object: what was planned for it, plus what the steps with marks have decided. */
function foldMarks(
  planned: readonly StatusStep[],
  decided: readonly Decided[],
  nowMs: number,
): readonly StatusStep[] {
  const byKey = new Map(planned.map((step) => [keyOf(step.ref), step]));
  for (const one of decided) {
    const { mark, status } = one;
    const key = keyOf(mark.ref);
    const conditions =
      one.undecided === undefined ? conditionsDecided(one, nowMs) : conditionsUndecided(one, nowMs);
    // A refusal that is told already is no news, and whoever waits for news would not pause.
    if (one.undecided === true && conditions === mark.conditions && !byKey.has(key)) continue;
    const step = byKey.get(key) ?? {
      kind: "status" as const,
      ref: mark.ref,
      resourceVersion: mark.resourceVersion,
      status: {},
      because: "its backend answered",
    };
    byKey.set(key, { ...step, status: { ...step.status, ...status, conditions } });
  }
  return [...byKey.values()];
}

function conditionsDecided({ mark, error }: Decided, nowMs: number): readonly Condition[] {
  const outcome = {
    type: mark.condition,
    status: error === undefined ? ("True" as const) : ("False" as const),
    reason: error === undefined ? mark.whenTrue : mark.whenFalse,
    message: error?.message ?? "",
    ...(mark.observedGeneration === undefined ? {} : { observedGeneration: mark.observedGeneration }),
  };
  // A failure counts from its last attempt, so the old condition's time is not kept.
  const before = mark.conditions.filter((one) => error === undefined || one.type !== mark.condition);
  return setCondition(before, outcome, nowMs);
}

/** Words that differ in every pass would be written in every pass: of one reason the first ones stay. */
function conditionsUndecided({ mark, error }: Decided, nowMs: number): readonly Condition[] {
  const { reason = "", message = "" } = error ?? {};
  const known = mark.conditions.find((one) => one.type === mark.condition);
  if (known?.status === "Unknown" && known.reason === reason) return mark.conditions;
  return setCondition(mark.conditions, { type: mark.condition, status: "Unknown", reason, message }, nowMs);
}

function ownersOf({ metadata }: KubeObject): readonly string[] {
  const place = metadata.namespace === undefined ? {} : { namespace: metadata.namespace };
  return (metadata.ownerReferences ?? []).map(({ apiVersion, kind, name }) =>
    keyOf({ apiVersion, kind, ...place, name }),
  );
}

function refOfStep(step: Step): ObjectRef {
  switch (step.kind) {
    case "apply":
    case "create":
    case "note":
      return refOf(step.object);
    case "store":
      return step.mark?.ref ?? refOf(step.storage);
    case "patch":
    case "delete":
    case "status":
      return step.ref;
  }
}

function resourceFor(ref: ObjectRef): Resource {
  const own = findKind(ref)?.resource;
  const resource =
    own ??
    Object.values(builtIn).find((one) => one.kind === ref.kind && apiVersionOf(one) === ref.apiVersion);
  if (resource !== undefined) return resource;
  const message = `no resource is known for ${ref.apiVersion} ${ref.kind}`;
  throw new HoldfastError("UnknownKind", message, { disposition: "bug" });
}
