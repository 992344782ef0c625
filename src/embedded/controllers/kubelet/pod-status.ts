import type { KubeObject } from "../../../api/meta.ts";
import type { Json, JsonObject } from "../../../base/json.ts";
import { listAt, objectAt, textAt } from "../../value.ts";
import { timestamp } from "../event-recorder.ts";
import { type ConditionWords, conditionsOf, withCondition } from "../status.ts";
import type { NotReady } from "./not-ready.ts";
import { containersOf, initContainersOf } from "./pod-spec.ts";

export type ContainerState =
  | { readonly kind: "waiting"; readonly reason: string; readonly message?: string }
  | { readonly kind: "running"; readonly startedAt: string }
  /** `terminated` is the wire's object. */
  | { readonly kind: "terminated"; readonly terminated: JsonObject };

export type ContainerRun = {
  readonly name: string;
  readonly state: ContainerState;
  readonly lastTerminated?: JsonObject;
  readonly restarts: number;
};

export type PodView = {
  /** By container name. */
  readonly containers: ReadonlyMap<string, ContainerRun>;
  readonly notReady?: NotReady | undefined;
  /** The pod is over, for a reason that is not in its containers. */
  readonly failed?: { readonly reason: string; readonly message: string } | undefined;
  /** True once no container will start again. */
  readonly over: boolean;
  /** What does not hold in the embedded cluster for this pod; "" when all does. */
  readonly limits: string;
};

export const limitsCondition = "holdfast.dev/EmbeddedLimits";

/** The pod's status as the kubelet writes it; fields of others are left as they are. */
export function podStatus(pod: KubeObject, view: PodView, nowMs: number): JsonObject {
  const before = objectAt(pod, "status");
  const { reason: _r, message: _m, initContainerStatuses: _i, ...kept } = before;
  const phase = phaseFor(pod, view);
  const statuses = (containers: readonly JsonObject[]) =>
    containers.map((container) => containerStatus(container, view));
  const init = initContainersOf(pod);
  const status: Record<string, Json> = {
    ...kept,
    phase,
    ...view.failed,
    conditions: [...conditionsFor(pod, view, phase, nowMs)],
    containerStatuses: statuses(containersOf(pod)),
    startTime: textAt(before, "startTime") || timestamp(nowMs),
    hostIP: "127.0.0.1",
    podIP: "127.0.0.1",
    podIPs: [{ ip: "127.0.0.1" }],
  };
  if (init.length > 0) status["initContainerStatuses"] = statuses(init);
  return status;
}

function phaseFor(pod: KubeObject, view: PodView): string {
  if (view.failed !== undefined) return "Failed";
  const runs = containersOf(pod).map((container) => view.containers.get(textAt(container, "name")));
  const init = initContainersOf(pod).map((container) => view.containers.get(textAt(container, "name")));
  if (view.over) return [...init, ...runs].every(succeeded) ? "Succeeded" : "Failed";
  return runs.some((run) => run !== undefined && run.state.kind !== "waiting") ||
    runs.some((run) => (run?.restarts ?? 0) > 0)
    ? "Running"
    : "Pending";
}

function succeeded(run: ContainerRun | undefined): boolean {
  return run?.state.kind === "terminated" && run.state.terminated["exitCode"] === 0;
}

function containerStatus(container: JsonObject, view: PodView): JsonObject {
  const name = textAt(container, "name");
  const image = textAt(container, "image");
  const run = view.containers.get(name);
  const state: ContainerState = run?.state ?? { kind: "waiting", reason: "ContainerCreating" };
  const running = state.kind === "running";
  return {
    name,
    image,
    imageID: "",
    ready: running || (state.kind === "terminated" && state.terminated["reason"] === "Completed"),
    started: running,
    restartCount: run?.restarts ?? 0,
    state: stateOf(state),
    lastState: run?.lastTerminated === undefined ? {} : { terminated: run.lastTerminated },
  };
}

function stateOf(state: ContainerState): JsonObject {
  switch (state.kind) {
    case "running":
      return { running: { startedAt: state.startedAt } };
    case "terminated":
      return { terminated: state.terminated };
    case "waiting":
      return {
        waiting: {
          reason: state.reason,
          ...(state.message === undefined ? {} : { message: state.message }),
        },
      };
  }
}

function conditionsFor(pod: KubeObject, view: PodView, phase: string, nowMs: number): readonly JsonObject[] {
  const runs = (containers: readonly JsonObject[]) =>
    containers.map((container) => view.containers.get(textAt(container, "name")));
  const unschedulable = view.notReady?.stage === "scheduling" ? view.notReady.message : undefined;
  const initialized = runs(initContainersOf(pod)).every(succeeded);
  const running = runs(containersOf(pod)).every((run) => run?.state.kind === "running");
  const ready = initialized && running && phase === "Running";
  const done = phase === "Succeeded" || phase === "Failed";
  const why = done ? "PodCompleted" : "ContainersNotReady";
  const words: ConditionWords[] = [
    plain("PodScheduled", unschedulable === undefined, "Unschedulable", unschedulable ?? ""),
    plain("Initialized", initialized, "ContainersNotInitialized", "init containers have not completed"),
    plain("ContainersReady", ready, done ? `Pod${phase}` : why, notRunning(pod, view)),
    plain("Ready", ready, done ? `Pod${phase}` : why, notRunning(pod, view)),
  ];
  if (view.limits !== "") {
    words.push({
      type: limitsCondition,
      status: "True",
      reason: "NotAContainerRuntime",
      message: view.limits,
    });
  }
  return words.reduce((conditions, one) => withCondition(conditions, one, nowMs), conditionsOf(pod));
}

function plain(type: string, holds: boolean, reason: string, message: string): ConditionWords {
  return holds
    ? { type, status: "True", reason: "", message: "" }
    : { type, status: "False", reason, message };
}

function notRunning(pod: KubeObject, view: PodView): string {
  const names = containersOf(pod)
    .map((container) => textAt(container, "name"))
    .filter((name) => view.containers.get(name)?.state.kind !== "running");
  return names.length === 0 ? "" : `containers with unready status: [${names.join(" ")}]`;
}

/** What a status says of containers already; the kubelet goes on from there after a restart. */
export function runsFromStatus(pod: KubeObject): Map<string, ContainerRun> {
  const runs = new Map<string, ContainerRun>();
  for (const field of ["initContainerStatuses", "containerStatuses"]) {
    for (const one of listAt(pod, "status", field)) {
      const startedAt = textAt(one, "state", "running", "startedAt");
      const name = textAt(one, "name");
      if (startedAt !== "") runs.set(name, { name, state: { kind: "running", startedAt }, restarts: 0 });
    }
  }
  return runs;
}
