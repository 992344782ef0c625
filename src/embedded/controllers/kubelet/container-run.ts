import { mkdir, rm, stat } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import type { JsonObject } from "../../../base/json.ts";
import { isObject, numberAt, textAt, textsAt } from "../../value.ts";
import { timestamp } from "../event-recorder.ts";
import { type ContainerProcess, type ProcessEnd, startProcess } from "./container-process.ts";
import { type Environment, expand } from "./environment.ts";
import { keepAsPrevious } from "./log-file.ts";
import type { RunningPod } from "./pod-run.ts";
import { isLocalImage, restartPolicyOf } from "./pod-spec.ts";
import type { ContainerRun } from "./pod-status.ts";
import { endProcesses, processesWith, signalProcess } from "./process-identity.ts";
import { readRecord, writeRecord } from "./process-record.ts";
import { terminationMessage } from "./termination-message.ts";

const component = "kubelet";
const firstBackOffMs = 10_000;
const longestBackOffMs = 300_000;

/** Runs one container until nothing will start it again. An init container is restarted on failure only. */
export async function runContainer(run: RunningPod, container: JsonObject, isInit: boolean): Promise<void> {
  const name = textAt(container, "name");
  if (!isLocalImage(textAt(container, "image"), run.node.images)) {
    await runByName(run, name, isInit);
    return;
  }
  const known = await recover(run, name);
  let { restarts, terminated } = known ?? { restarts: 0, terminated: undefined };
  for (;;) {
    if (terminated !== undefined) {
      const before = run.containers.get(name)?.lastTerminated;
      run.set(withLast({ name, restarts, state: { kind: "terminated", terminated } }, before));
      if (!restartsAfter(run, terminated, isInit)) return;
      await backOff(run, { name, restarts, terminated });
      if (run.stopping.aborted) return;
      restarts += 1;
    }
    if (run.stopping.aborted) return;
    terminated = await runOnce(run, container, { restarts, before: terminated });
  }
}

/** No process stands behind it: an init container is done at once, any other runs until the pod is deleted. */
async function runByName(run: RunningPod, name: string, isInit: boolean): Promise<void> {
  const seen = run.containers.get(name);
  const startedAt = seen?.state.kind === "running" ? seen.state.startedAt : now(run);
  const completed = (finishedAt: string) =>
    ({
      kind: "terminated",
      terminated: { exitCode: 0, reason: "Completed", startedAt, finishedAt },
    }) as const;
  if (isInit) {
    run.set({ name, restarts: 0, state: completed(startedAt) });
    return;
  }
  run.set({ name, restarts: 0, state: { kind: "running", startedAt } });
  if (!run.stopping.aborted) {
    await new Promise<void>((resolve) =>
      run.stopping.addEventListener("abort", () => resolve(), { once: true }),
    );
  }
  if (run.cause()?.kind !== "shutdown") run.set({ name, restarts: 0, state: completed(now(run)) });
}

function now(run: RunningPod): string {
  return timestamp(run.node.clock.now());
}

/** What an earlier kubelet left: its process is ended before anything else may start. */
async function recover(
  run: RunningPod,
  name: string,
): Promise<{ restarts: number; terminated: JsonObject } | undefined> {
  const path = run.directory.recordOf(name);
  const record = await readRecord(path);
  if (record === undefined) return undefined;
  const { restarts } = record;
  if (record.terminated !== undefined) return { restarts, terminated: record.terminated };
  const family = await processesWith("HOLDFAST_ROOT", run.directory.rootOf(name));
  await endProcesses(record.identity === undefined ? family : [record.identity, ...family]);
  const terminated = {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The kubelet was restarted while the container ran; its process was ended.",
    startedAt: record.startedAt || now(run),
    finishedAt: now(run),
  };
  await writeRecord(path, { ...record, terminated });
  return { restarts, terminated };
}

function restartsAfter(run: RunningPod, terminated: JsonObject, isInit: boolean): boolean {
  if (run.stopping.aborted) return false;
  const policy = restartPolicyOf(run.pod);
  if (policy === "Never") return false;
  return terminated["exitCode"] !== 0 || (policy === "Always" && !isInit);
}

/** The first restart is at once, then 10 s, doubled each time, at most 5 min: Kubernetes' CrashLoopBackOff. */
async function backOff(
  run: RunningPod,
  past: { readonly name: string; readonly restarts: number; readonly terminated: JsonObject },
): Promise<void> {
  const { name, restarts, terminated } = past;
  if (restarts === 0) return;
  const pauseMs = Math.min(firstBackOffMs * 2 ** Math.min(restarts - 1, 16), longestBackOffMs);
  const message = `back-off ${pauseMs / 1_000}s restarting failed container=${name} pod=${run.pod.metadata.name}`;
  run.set({
    name,
    restarts,
    lastTerminated: terminated,
    state: { kind: "waiting", reason: "CrashLoopBackOff", message },
  });
  await run.node.events(run.pod, component, { type: "Warning", reason: "BackOff", message });
  await run.node.clock.sleep(pauseMs, run.stopping);
  if (run.stopping.aborted) run.set({ name, restarts, state: { kind: "terminated", terminated } });
}

async function runOnce(
  run: RunningPod,
  container: JsonObject,
  attempt: { readonly restarts: number; readonly before: JsonObject | undefined },
): Promise<JsonObject> {
  const name = textAt(container, "name");
  const { directory } = run;
  const { restarts } = attempt;
  const environment = run.environments.get(name) ?? {};
  const root = directory.rootOf(name);
  const messagePath = join(root, posix.normalize(`/${messagePathOf(container)}`));
  await rm(messagePath, { force: true });
  await mkdir(dirname(messagePath), { recursive: true, mode: 0o700 });
  if (restarts > 0) await keepAsPrevious(directory.logOf(name));
  const startedAt = now(run);
  // Write-ahead: after this a kubelet that finds no end knows that a process may be running.
  await writeRecord(directory.recordOf(name), { restarts, startedAt });
  const started = await startProcess({
    argv: argvOf(run, container, environment),
    environment,
    cwd: await workingDirectory(root, container),
    logPath: directory.logOf(name),
  });
  const end = "ended" in started ? await follow(run, started, { name, startedAt, ...attempt }) : started;
  // What left the group of a process that was killed (restic has one of its own) ends with the container too.
  if (end.exitCode !== 0)
    for (const { pid } of await processesWith("HOLDFAST_ROOT", root)) signalProcess(pid, "SIGKILL");
  const message = await terminationMessage({
    path: messagePath,
    logPath: directory.logOf(name),
    fromLogs: end.exitCode !== 0 && textAt(container, "terminationMessagePolicy") === "FallbackToLogsOnError",
  });
  const terminated = terminatedState(run, end, { message, startedAt, name, restarts });
  await writeRecord(directory.recordOf(name), { restarts, startedAt, terminated });
  run.set(withLast({ name, restarts, state: { kind: "terminated", terminated } }, attempt.before));
  return terminated;
}

async function follow(
  run: RunningPod,
  started: ContainerProcess,
  about: {
    readonly name: string;
    readonly startedAt: string;
    readonly restarts: number;
    readonly before: JsonObject | undefined;
  },
): Promise<ProcessEnd> {
  const { name, restarts, startedAt, before } = about;
  await writeRecord(run.directory.recordOf(name), { restarts, startedAt, identity: started.identity });
  run.set(withLast({ name, restarts, state: { kind: "running", startedAt } }, before));
  const release = run.onStop((graceMs) => {
    started.terminate(graceMs);
    const message = `Stopping container ${name}`;
    void run.node.events(run.pod, component, { type: "Normal", reason: "Killing", message });
  });
  const message = `Started container ${name}`;
  void run.node.events(run.pod, component, { type: "Normal", reason: "Started", message });
  const end = await started.ended;
  release();
  return end;
}

function withLast(one: ContainerRun, before: JsonObject | undefined): ContainerRun {
  return before === undefined ? one : { ...one, lastTerminated: before };
}

function terminatedState(
  run: RunningPod,
  end: ProcessEnd,
  about: {
    readonly message: string;
    readonly startedAt: string;
    readonly name: string;
    readonly restarts: number;
  },
): JsonObject {
  const text = end.startError ?? about.message;
  return {
    exitCode: end.exitCode,
    ...(end.signal === undefined ? {} : { signal: end.signal }),
    reason: end.startError !== undefined ? "StartError" : end.exitCode === 0 ? "Completed" : "Error",
    ...(text === "" ? {} : { message: text }),
    startedAt: about.startedAt,
    finishedAt: now(run),
    containerID: `holdfast://${run.pod.metadata.uid}/${about.name}/${about.restarts}`,
  };
}

function messagePathOf(container: JsonObject): string {
  return textAt(container, "terminationMessagePath") || "/dev/termination-log";
}

function argvOf(run: RunningPod, container: JsonObject, environment: Environment): readonly string[] {
  const own = [...textsAt(container, "command"), ...textsAt(container, "args")];
  return [...run.node.command, ...own.map((word) => expand(word, environment))];
}

async function workingDirectory(root: string, container: JsonObject): Promise<string> {
  const wanted = textAt(container, "workingDir");
  if (wanted === "") return root;
  const path = join(root, posix.normalize(`/${wanted}`));
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) await mkdir(path, { recursive: true, mode: 0o755 });
  return path;
}

/** True for an init container that is meant to stay, which is not done here. */
export function isSidecar(container: unknown): boolean {
  return isObject(container) && textAt(container, "restartPolicy") === "Always";
}

export function exitCodeOf(run: ContainerRun | undefined): number | undefined {
  return run?.state.kind === "terminated" ? numberAt(run.state.terminated, "exitCode") : undefined;
}
