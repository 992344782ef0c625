import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { KubeObject } from "../../../api/meta.ts";
import { objectAt, textAt } from "../../value.ts";
import { isCode, targetOf } from "../client.ts";
import { type Controller, type Key, keyOfObject, targetOfKey } from "../controller.ts";
import { fitsNode } from "../node-affinity.ts";
import { isTerminal, isTerminating } from "../owned-pods.ts";
import { resources } from "../resources.ts";
import { conditionOf, conditionsOf, withCondition, writeStatus } from "../status.ts";
import type { Node } from "./node-options.ts";
import { podDirectory } from "./pod-directory.ts";
import { type PodRun, startPodRun } from "./pod-run.ts";
import { graceMsOf } from "./pod-spec.ts";
import { endProcesses, processesWith } from "./process-identity.ts";

type Held = { readonly key: Key; readonly run: PodRun; over: boolean };

const shutdownGraceMs = 5_000;
const unschedulableMs = 10_000;

/**
 * Runs the pods of its node: binds those that have none, starts and stops their containers, and writes their
 * status. See `NodeOptions` for what a container is here.
 */
export function createKubelet(node: Node): Controller {
  const held = new Map<string, Held>();
  let poke: (key: Key) => void = () => undefined;
  return {
    name: "kubelet",
    watches: [{ resource: resources.pods, keys: (pod) => [keyOfObject(pod)] }],
    start(wake) {
      poke = wake;
      return removeLeftovers(node);
    },
    async reconcile(key) {
      const pod = await node.client.get(resources.pods, targetOfKey(key));
      for (const [uid, one] of held) {
        if (one.key === key && uid !== pod?.metadata.uid) await abandon(node, held, uid, one);
      }
      if (pod === undefined) return undefined;
      const nodeName = textAt(pod, "spec", "nodeName");
      if (nodeName === "") return bind(node, pod);
      if (nodeName !== node.nodeName) return undefined;
      return look(node, held, pod, poke);
    },
    async stop() {
      const runs = [...held.values()];
      for (const { run } of runs) run.stop({ kind: "shutdown", graceMs: shutdownGraceMs });
      await Promise.all(runs.map(({ run }) => run.ended));
    },
  };
}

async function look(
  node: Node,
  held: Map<string, Held>,
  pod: KubeObject,
  poke: (key: Key) => void,
): Promise<number | undefined> {
  const uid = pod.metadata.uid ?? "";
  const one = held.get(uid);
  if (isTerminating(pod)) {
    if (one !== undefined && !one.over) {
      one.run.stop({ kind: "deleted", graceMs: graceMsOf(pod) });
      return undefined;
    }
    if (one === undefined) await endStrays(node, pod);
    await node.client.delete(resources.pods, targetOf(pod), { graceSeconds: 0 });
    return undefined;
  }
  if (one !== undefined) return undefined;
  if (isTerminal(pod)) {
    // Of an earlier kubelet; held so that its directory goes with it.
    held.set(uid, {
      key: keyOfObject(pod),
      run: { ended: Promise.resolve(), stop: () => undefined },
      over: true,
    });
    return undefined;
  }
  if (node.accepts?.(pod) === false) return undefined;
  const key = keyOfObject(pod);
  const fresh: Held = { key, run: startPodRun(node, pod), over: false };
  held.set(uid, fresh);
  void fresh.run.ended.then(() => {
    fresh.over = true;
    poke(key);
  });
  return undefined;
}

/** The pod is gone from the server: its processes end and its directory goes. */
async function abandon(node: Node, held: Map<string, Held>, uid: string, one: Held): Promise<void> {
  one.run.stop({ kind: "deleted", graceMs: one.over ? 0 : shutdownGraceMs });
  // Its end pokes this key again.
  if (!one.over) return;
  held.delete(uid);
  await removePod(node, uid);
}

async function bind(node: Node, pod: KubeObject): Promise<number | undefined> {
  if (isTerminating(pod) || isTerminal(pod) || node.accepts?.(pod) === false) return undefined;
  const self = await node.client.get(resources.nodes, { name: node.nodeName });
  if (!fitsNode(pod["spec"], self, node.nodeName)) {
    await refuseToSchedule(node, pod);
    return unschedulableMs;
  }
  try {
    await node.client.post(resources.pods, targetOf(pod), "binding", {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
      target: { apiVersion: "v1", kind: "Node", name: node.nodeName },
    });
  } catch (error) {
    // Bound or deleted meanwhile; the next event says which.
    if (!isCode(error, 404, 409)) throw error;
    return undefined;
  }
  const message = `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to ${node.nodeName}`;
  await node.events(pod, "default-scheduler", { type: "Normal", reason: "Scheduled", message });
  return undefined;
}

async function refuseToSchedule(node: Node, pod: KubeObject): Promise<void> {
  const message = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
  const words = { type: "PodScheduled", status: "False", reason: "Unschedulable", message } as const;
  const conditions = withCondition(conditionsOf(pod), words, node.clock.now());
  if (textAt(conditionOf(pod, "PodScheduled"), "message") === message) return;
  await writeStatus(node.client, resources.pods, pod, {
    ...objectAt(pod, "status"),
    conditions: [...conditions],
  });
  await node.events(pod, "default-scheduler", { type: "Warning", reason: "FailedScheduling", message });
}

/** A pod that this kubelet never started may still have processes of an earlier one. */
async function endStrays(node: Node, pod: KubeObject): Promise<void> {
  await removeProcesses(podDirectory(node.stateDirectory, pod).path);
}

async function removeProcesses(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  const roots = names
    .filter((name) => name === "root" || name.startsWith("root."))
    .map((name) => join(directory, name));
  for (const root of roots) await endProcesses(await processesWith("HOLDFAST_ROOT", root));
}

async function removePod(node: Node, uid: string): Promise<void> {
  await rm(join(node.stateDirectory, "pods", uid), { recursive: true, force: true, maxRetries: 3 });
}

/** Directories of pods that vanished while no kubelet ran. */
async function removeLeftovers(node: Node): Promise<void> {
  const directories = await readdir(join(node.stateDirectory, "pods")).catch(() => []);
  if (directories.length === 0) return;
  const { items } = await node.client.list(resources.pods);
  const alive = new Set(items.map((pod) => pod.metadata.uid));
  for (const uid of directories) {
    if (alive.has(uid)) continue;
    await removeProcesses(join(node.stateDirectory, "pods", uid));
    await removePod(node, uid);
  }
}
