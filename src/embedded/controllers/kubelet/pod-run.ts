import type { KubeObject } from "../../../api/meta.ts";
import { messageOf } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { numberAt, textAt } from "../../value.ts";
import { timestamp } from "../event-recorder.ts";
import { exitCodeOf, isSidecar, runContainer } from "./container-run.ts";
import type { Environment } from "./environment.ts";
import type { Node } from "./node-options.ts";
import { NotReady } from "./not-ready.ts";
import { type PodDirectory, podDirectory, removeRoots } from "./pod-directory.ts";
import { setUpPod } from "./pod-setup.ts";
import {
  containersOf,
  graceMsOf,
  initContainersOf,
  isLocalImage,
  mustRunToEnd,
  notEnforced,
  restartPolicyOf,
} from "./pod-spec.ts";
import { type ContainerRun, podStatus, runsFromStatus } from "./pod-status.ts";
import { createStatusPublisher } from "./status-publisher.ts";

/** Why a pod is stopped. */
export type StopCause =
  | { readonly kind: "deleted"; readonly graceMs: number }
  | { readonly kind: "deadline"; readonly graceMs: number }
  /** This process ends; the pod may go on under the next one. */
  | { readonly kind: "shutdown"; readonly graceMs: number };

/** What one pod's containers share while it runs. */
export type RunningPod = {
  readonly node: Node;
  readonly pod: KubeObject;
  readonly directory: PodDirectory;
  readonly containers: ReadonlyMap<string, ContainerRun>;
  readonly environments: ReadonlyMap<string, Environment>;
  readonly stopping: AbortSignal;
  readonly cause: () => StopCause | undefined;
  /** Called with the grace when the pod is stopped, at once when it is already; answers how to unsubscribe. */
  readonly onStop: (stop: (graceMs: number) => void) => () => void;
  /** Takes a container's new state over and publishes it. */
  readonly set: (container: ContainerRun) => void;
};

export type PodRun = {
  /** No process is left and the last status is written. Never rejects. */
  readonly ended: Promise<void>;
  readonly stop: (cause: StopCause) => void;
};

type Verdict = { readonly reason: string; readonly message: string };

const firstPauseMs = 250;
const longestPauseMs = 5_000;
const component = "kubelet";

/** Runs a pod that is bound to this node, from wherever an earlier kubelet left it. */
export function startPodRun(node: Node, pod: KubeObject): PodRun {
  const directory = podDirectory(node.stateDirectory, pod);
  const containers = runsFromStatus(pod);
  const environments = new Map<string, Environment>();
  const stopping = new AbortController();
  const stops = new Set<(graceMs: number) => void>();
  let cause: StopCause | undefined;
  const state: { notReady?: NotReady | undefined; failed?: Verdict | undefined; over: boolean } = {
    over: false,
  };
  const limits = limitsOf(node, pod);
  const publisher = createStatusPublisher(node, pod, (latest) =>
    podStatus(latest, { ...state, containers, limits }, node.clock.now()),
  );
  const run: RunningPod = {
    node,
    pod,
    directory,
    containers,
    environments,
    stopping: stopping.signal,
    cause: () => cause,
    onStop(stop) {
      stops.add(stop);
      if (cause !== undefined) stop(cause.graceMs);
      return () => stops.delete(stop);
    },
    set(container) {
      containers.set(container.name, container);
      publisher.publish();
    },
  };
  const stop = (next: StopCause) => {
    // The first cause counts, but a shorter grace is honoured: that is what --force asks for.
    if (cause !== undefined && next.graceMs >= cause.graceMs) return;
    cause = cause === undefined ? next : { ...cause, graceMs: next.graceMs };
    stopping.abort();
    for (const one of stops) one(cause.graceMs);
  };
  const main = async () => {
    const disarm = armDeadline(node, pod, stop);
    state.failed = refusalOf(node, pod);
    if (state.failed === undefined) {
      const made = await untilReady(run, (notReady) => {
        state.notReady = notReady;
        markWaiting(run, notReady);
        publisher.publish();
      });
      state.notReady = undefined;
      for (const [name, environment] of made ?? []) environments.set(name, environment);
      if (made !== undefined) await runAll(run);
    } else {
      for (const container of refusedContainers(node, pod, state.failed))
        containers.set(container.name, container);
    }
    disarm();
    state.failed ??= verdictOf(run);
    state.over = state.failed !== undefined || cause?.kind !== "shutdown" || endsWithNode(run);
    if (state.over) publisher.publish();
    await publisher.settled();
    if (state.over) await removeRoots(pod, directory);
  };
  const ended = main().catch((error: unknown) => {
    node.log("error", `pod ${pod.metadata.namespace}/${pod.metadata.name}: ${messageOf(error)}`);
    state.failed = { reason: "KubeletError", message: messageOf(error) };
    state.over = true;
    stop({ kind: "deadline", graceMs: 0 });
    publisher.publish();
    return publisher.settled();
  });
  return { ended, stop };
}

async function runAll(run: RunningPod): Promise<void> {
  for (const container of initContainersOf(run.pod)) {
    await runContainer(run, container, true);
    if (exitCodeOf(run.containers.get(textAt(container, "name"))) !== 0) return;
  }
  await Promise.all(containersOf(run.pod).map((container) => runContainer(run, container, false)));
}

/** Sets the pod up, again and again while something is missing; undefined when it was stopped first. */
async function untilReady(
  run: RunningPod,
  report: (notReady: NotReady) => void,
): Promise<ReadonlyMap<string, Environment> | undefined> {
  const { node, pod, stopping } = run;
  let pauseMs = firstPauseMs;
  let told = "";
  while (!stopping.aborted) {
    try {
      return await setUpPod(node, pod, run.directory);
    } catch (error) {
      const notReady = error instanceof NotReady ? error : new NotReady("volumes", messageOf(error), error);
      report(notReady);
      if (told !== notReady.message) await node.events(pod, component, eventOf(notReady));
      told = notReady.message;
    }
    await node.clock.sleep(pauseMs, stopping);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
  return undefined;
}

function eventOf(notReady: NotReady): { type: "Warning"; reason: string; message: string } {
  const reasons = { scheduling: "FailedScheduling", volumes: "FailedMount", config: "Failed" } as const;
  const message = notReady.stage === "config" ? `Error: ${notReady.message}` : notReady.message;
  return { type: "Warning", reason: reasons[notReady.stage], message };
}

function markWaiting(run: RunningPod, notReady: NotReady): void {
  const reason = notReady.stage === "config" ? "CreateContainerConfigError" : "ContainerCreating";
  for (const container of containersOf(run.pod)) {
    const name = textAt(container, "name");
    const seen = run.containers.get(name);
    // A container that ran before the restart of this process is not made to wait.
    if (seen !== undefined && seen.state.kind !== "waiting") continue;
    run.set({ name, restarts: 0, state: { kind: "waiting", reason, message: notReady.message } });
  }
}

function armDeadline(node: Node, pod: KubeObject, stop: (cause: StopCause) => void): () => void {
  const seconds = numberAt(pod, "spec", "activeDeadlineSeconds");
  if (seconds === undefined) return () => undefined;
  const started = Date.parse(textAt(pod, "status", "startTime")) || node.clock.now();
  const disarmed = new AbortController();
  void node.clock.sleep(started + seconds * 1_000 - node.clock.now(), disarmed.signal).then(() => {
    if (!disarmed.signal.aborted) stop({ kind: "deadline", graceMs: graceMsOf(pod) });
  });
  return () => disarmed.abort();
}

/** Why the pod as a whole has failed, beyond what its containers say. */
function verdictOf(run: RunningPod): Verdict | undefined {
  const cause = run.cause();
  if (cause?.kind === "deadline") {
    const message = "Pod was active on the node longer than the specified deadline";
    return { reason: "DeadlineExceeded", message };
  }
  const cut = containersOf(run.pod).some((one) => exitCodeOf(run.containers.get(textAt(one, "name"))) !== 0);
  if (cause?.kind === "shutdown" && cut && endsWithNode(run)) {
    return { reason: "Terminated", message: "Pod was terminated because the node was shut down." };
  }
  return undefined;
}

/** Whether a shutdown is the end of the pod: it has processes, some of it ran, and it may not run again. */
function endsWithNode(run: RunningPod): boolean {
  if (restartPolicyOf(run.pod) !== "Never") return false;
  return [...run.containers.values()].some((one) => one.state.kind === "terminated");
}

/** A pod that must run to an end cannot do so by name only. */
function refusalOf(node: Node, pod: KubeObject): Verdict | undefined {
  if (!mustRunToEnd(pod)) return undefined;
  const all = [...initContainersOf(pod), ...containersOf(pod)];
  const foreign = all.find((container) => !isLocalImage(textAt(container, "image"), node.images));
  if (foreign !== undefined) {
    const message = `container "${textAt(foreign, "name")}" wants the image ${textAt(foreign, "image")}: the embedded cluster has no container runtime and runs only ${node.images.join(", ")}, as a local process; run this on a cluster with nodes`;
    return { reason: "ForeignImage", message };
  }
  const sidecar = initContainersOf(pod).find(isSidecar);
  if (sidecar === undefined) return undefined;
  const message = `init container "${textAt(sidecar, "name")}" has restartPolicy Always, which the embedded cluster does not do: make it a container, or run this on another cluster`;
  return { reason: "NotSupported", message };
}

function refusedContainers(node: Node, pod: KubeObject, verdict: Verdict): readonly ContainerRun[] {
  const at = timestamp(node.clock.now());
  const terminated: JsonObject = { exitCode: 128, ...verdict, startedAt: at, finishedAt: at };
  return containersOf(pod).map((container) => ({
    name: textAt(container, "name"),
    restarts: 0,
    state: { kind: "terminated", terminated },
  }));
}

/** One sentence per thing that does not hold here, for the pod's condition. */
function limitsOf(node: Node, pod: KubeObject): string {
  const all = [...initContainersOf(pod), ...containersOf(pod)];
  const isLocal = (container: JsonObject) => isLocalImage(textAt(container, "image"), node.images);
  const byName = all.filter((one) => !isLocal(one)).map((one) => textAt(one, "name"));
  const ignored = new Set(all.filter(isLocal).flatMap((one) => notEnforced(pod, one)));
  return [
    byName.length === 0
      ? ""
      : `Runs by name only, without a process: ${byName.join(", ")}; its volumes are there as directories.`,
    ignored.size === 0 ? "" : `Not enforced for local processes: ${[...ignored].join(", ")}.`,
  ]
    .filter((text) => text !== "")
    .join(" ");
}
