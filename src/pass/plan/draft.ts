import { type Condition, setCondition } from "../../api/conditions.ts";
import { type KubeObject, nameOf, type ObjectRef, refOf } from "../../api/meta.ts";
import { isFields } from "../../base/json.ts";
import type { Problem } from "../../base/problem.ts";
import type { Entry, Mark, Step } from "./step.ts";
import { mergePatchOf } from "./world.ts";

/** What the planner of a kind answers for one object. */
export type Turn = {
  readonly steps: readonly Step[];
  readonly entries: readonly Entry[];
  readonly problems: readonly Problem[];
  /** What this object waits for, in words; empty when nothing is under way. */
  readonly waiting: readonly string[];
  readonly wakeAtMs: number | undefined;
};

/**
 * One object's turn in the making: its stages note steps and the status as it should be; `turn()` makes the
 * one status patch out of the difference. A stage answers true when the next one may run.
 */
export class Draft<T extends KubeObject = KubeObject> {
  readonly object: T;
  readonly ref: ObjectRef;
  readonly nowMs: number;
  status: Record<string, unknown>;
  private readonly before: unknown;
  private readonly steps: Step[] = [];
  private readonly entries: Entry[] = [];
  private readonly problems: Problem[] = [];
  private readonly waits: string[] = [];
  private wakeAtMs: number | undefined;

  constructor(object: T, nowMs: number) {
    this.object = object;
    this.ref = refOf(object);
    this.nowMs = nowMs;
    this.before = object["status"];
    this.status = isFields(this.before) ? { ...this.before } : {};
  }

  /** The status as its kind's type: what was observed has passed the CRD's schema. */
  statusAs<S>(): S {
    return this.status as S;
  }

  step(step: Step): void {
    this.steps.push(step);
  }

  entry(entry: Entry): void {
    this.entries.push(entry);
  }

  problem(problem: Omit<Problem, "object">): void {
    this.problems.push({ ...problem, object: nameOf(this.ref) });
  }

  /** Names what is under way; the stage that says so ends the turn. */
  wait(what: string, wakeAtMs?: number): false {
    this.waits.push(`${nameOf(this.ref)}: ${what}`);
    this.wakeAt(wakeAtMs);
    return false;
  }

  wakeAt(atMs: number | undefined): void {
    if (atMs !== undefined && (this.wakeAtMs === undefined || atMs < this.wakeAtMs)) this.wakeAtMs = atMs;
  }

  conditions(): readonly Condition[] {
    return (this.status["conditions"] as readonly Condition[] | undefined) ?? [];
  }

  condition(type: string): Condition | undefined {
    return this.conditions().find((condition) => condition.type === type);
  }

  /** Unknown is not decided yet. */
  isDecided(type: string): boolean {
    return ["True", "False"].includes(this.condition(type)?.status ?? "");
  }

  setCondition(type: string, ok: boolean, reason: string, message = ""): void {
    this.status["conditions"] = setCondition(
      this.conditions(),
      { type, status: ok ? "True" : "False", reason, message },
      this.nowMs,
    );
  }

  /** Neither: what decides it is under way, and there is something to tell. */
  setUnknown(type: string, reason: string, message: string): void {
    const condition = { type, status: "Unknown", reason, message } as const;
    this.status["conditions"] = setCondition(this.conditions(), condition, this.nowMs);
  }

  dropCondition(type: string): void {
    if (this.condition(type) === undefined) return;
    this.status["conditions"] = this.conditions().filter((condition) => condition.type !== type);
  }

  /** The condition that a step with a mark decides. */
  mark(condition: string, whenTrue: string, whenFalse: string): Mark {
    const { generation } = this.object.metadata;
    const base = { ref: this.ref, resourceVersion: this.resourceVersion(), conditions: this.conditions() };
    return { ...base, condition, whenTrue, whenFalse, observedGeneration: generation };
  }

  resourceVersion(): string {
    return this.object.metadata.resourceVersion ?? "";
  }

  /** A metadata patch of the object itself, against what was observed. */
  patchMetadata(metadata: Readonly<Record<string, unknown>>, because: string): void {
    const patch = { metadata };
    this.step({ kind: "patch", ref: this.ref, resourceVersion: this.resourceVersion(), patch, because });
  }

  /** True when the finalizers are there; otherwise plans them and answers false. */
  ensureFinalizers(names: readonly string[]): boolean {
    const present = this.object.metadata.finalizers ?? [];
    const missing = names.filter((name) => !present.includes(name));
    if (missing.length === 0) return true;
    this.patchMetadata(
      { finalizers: [...present, ...missing] },
      "its removal must wait until it is cleaned up",
    );
    return false;
  }

  removeFinalizers(names: readonly string[], because: string): void {
    const present = this.object.metadata.finalizers ?? [];
    const left = present.filter((name) => !names.includes(name));
    if (left.length !== present.length) this.patchMetadata({ finalizers: left }, because);
  }

  /** Conditions that were set after a step was noted belong beside its mark too. */
  private withPlannedConditions(step: Step): Step {
    if (step.kind !== "store" || step.mark === undefined) return step;
    return { ...step, mark: { ...step.mark, conditions: this.conditions() } };
  }

  turn(because: string): Turn {
    const status = mergePatchOf(this.before, this.status);
    const steps = this.steps.map((step) => this.withPlannedConditions(step));
    if (status !== undefined)
      steps.push({ kind: "status", ref: this.ref, resourceVersion: this.resourceVersion(), status, because });
    const { entries, problems, waits, wakeAtMs } = this;
    return { steps, entries, problems, waiting: waits, wakeAtMs };
  }
}
