import type { KubeObject } from "../../../api/meta.ts";
import { messageOf } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { objectAt } from "../../value.ts";
import { isCode, targetOf } from "../client.ts";
import { resources } from "../resources.ts";
import { changesOf } from "../status.ts";
import type { Node } from "./node-options.ts";

export type StatusPublisher = {
  /** Something has changed; writes follow one after the other, the newest state last. */
  readonly publish: () => void;
  /** Resolves when what was true at the call is on the server, or the pod is gone, or the node stops. */
  readonly settled: () => Promise<void>;
};

const firstPauseMs = 100;
const longestPauseMs = 10_000;

/** Writes a pod's status until the server has it; a status must not get lost because a write failed. */
export function createStatusPublisher(
  node: Node,
  pod: KubeObject,
  statusOf: (pod: KubeObject) => JsonObject,
): StatusPublisher {
  let latest = pod;
  let dirty = false;
  let gone = false;
  let working: Promise<void> | undefined;

  const write = async () => {
    const patch = changesOf(objectAt(latest, "status"), statusOf(latest));
    if (Object.keys(patch).length === 0) return;
    latest = await node.client.patch(resources.pods, targetOf(latest), { status: patch }, "status");
  };
  const drain = async () => {
    let pauseMs = firstPauseMs;
    while (dirty && !gone) {
      dirty = false;
      try {
        await write();
        pauseMs = firstPauseMs;
      } catch (error) {
        // 409 is the uid of another pod of the same name, or a write that came between.
        if (isCode(error, 404, 409)) {
          const now = await node.client.get(resources.pods, targetOf(latest)).catch(() => latest);
          gone = now?.metadata.uid !== pod.metadata.uid;
          latest = now ?? latest;
        } else {
          node.log("warn", `cannot write the status of pod ${pod.metadata.name}: ${messageOf(error)}`);
        }
        dirty = !node.signal.aborted;
        await node.clock.sleep(pauseMs, node.signal);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    }
  };
  const publish = () => {
    dirty = true;
    working ??= drain().finally(() => {
      working = undefined;
      if (dirty && !gone && !node.signal.aborted) publish();
    });
  };
  return {
    publish,
    async settled() {
      while (working !== undefined) await working;
    },
  };
}
