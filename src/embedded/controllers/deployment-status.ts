import type { KubeObject } from "../../api/meta.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { at, numberAt, objectAt, textAt } from "../value.ts";
import { timestamp } from "./event-recorder.ts";
import { type ConditionWords, conditionOf, conditionsOf, withCondition } from "./status.ts";
import { replicasOf } from "./workload-pods.ts";

export type RollingBounds = { readonly surge: number; readonly unavailable: number };

/** maxSurge rounds up, maxUnavailable down; both zero would never move, so one pod may then be away. */
export function rollingBounds(deployment: KubeObject): RollingBounds {
  const replicas = replicasOf(deployment);
  const surge = amount(at(deployment, "spec", "strategy", "rollingUpdate", "maxSurge"), replicas, Math.ceil);
  const away = at(deployment, "spec", "strategy", "rollingUpdate", "maxUnavailable");
  const unavailable = amount(away, replicas, Math.floor);
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

/** A number, or a percentage of the replicas; 25% where it is absent. */
export function amount(value: Json | undefined, replicas: number, round: (value: number) => number): number {
  if (typeof value === "number") return value;
  const percent = typeof value === "string" && /^\d+%$/.test(value) ? Number(value.slice(0, -1)) : 25;
  return round((percent / 100) * replicas);
}

export type ReplicaSetsView = { readonly current: KubeObject; readonly all: readonly KubeObject[] };

function sum(sets: readonly KubeObject[], field: string): number {
  return sets.reduce((total, set) => total + (numberAt(set, "status", field) ?? 0), 0);
}

/** A Deployment's status from those of its ReplicaSets, with conditions Available and Progressing. */
export function deploymentStatus(deployment: KubeObject, sets: ReplicaSetsView, nowMs: number): JsonObject {
  const wanted = replicasOf(deployment);
  const total = sum(sets.all, "replicas");
  const updated = numberAt(sets.current, "status", "replicas") ?? 0;
  const available = sum(sets.all, "availableReplicas");
  const ready = sum(sets.all, "readyReplicas");
  const status: Record<string, Json> = { observedGeneration: deployment.metadata.generation ?? 0 };
  const collisionCount = objectAt(deployment, "status")["collisionCount"];
  if (collisionCount !== undefined) status["collisionCount"] = collisionCount;
  if (total > 0) status["replicas"] = total;
  if (updated > 0) status["updatedReplicas"] = updated;
  if (ready > 0) status["readyReplicas"] = ready;
  if (available > 0) status["availableReplicas"] = available;
  if (Math.max(wanted, total) > available)
    status["unavailableReplicas"] = Math.max(wanted, total) - available;
  const complete = updated === wanted && total === wanted && available === wanted;
  const enough = available >= wanted - rollingBounds(deployment).unavailable;
  const words: ConditionWords[] = [
    enough
      ? {
          type: "Available",
          status: "True",
          reason: "MinimumReplicasAvailable",
          message: "Deployment has minimum availability.",
        }
      : {
          type: "Available",
          status: "False",
          reason: "MinimumReplicasUnavailable",
          message: "Deployment does not have minimum availability.",
        },
    progress(deployment, sets.current, complete, nowMs),
  ];
  const extra = { lastUpdateTime: timestamp(nowMs) };
  const conditions = words.reduce(
    (list, one) => withCondition(list, one, nowMs, extra),
    conditionsOf(deployment),
  );
  return { ...status, conditions: [...conditions] };
}

function progress(
  deployment: KubeObject,
  current: KubeObject,
  complete: boolean,
  nowMs: number,
): ConditionWords {
  const { name } = current.metadata;
  const type = "Progressing";
  if (complete) {
    const message = `ReplicaSet "${name}" has successfully progressed.`;
    return { type, status: "True", reason: "NewReplicaSetAvailable", message };
  }
  if (at(deployment, "spec", "paused") === true) {
    return { type, status: "Unknown", reason: "DeploymentPaused", message: "Deployment is paused" };
  }
  const message = `ReplicaSet "${name}" is progressing.`;
  const before = conditionOf(deployment, type);
  const deadline = (numberAt(deployment, "spec", "progressDeadlineSeconds") ?? 600) * 1_000;
  const since = Date.parse(textAt(before, "lastUpdateTime"));
  const stuck = textAt(before, "reason") === "ReplicaSetUpdated" && textAt(before, "message") === message;
  const late =
    textAt(before, "reason") === "ProgressDeadlineExceeded" &&
    textAt(before, "message").includes(`"${name}"`);
  if (late || (stuck && nowMs - since > deadline)) {
    return {
      type,
      status: "False",
      reason: "ProgressDeadlineExceeded",
      message: `ReplicaSet "${name}" has timed out progressing.`,
    };
  }
  return { type, status: "True", reason: "ReplicaSetUpdated", message };
}
