import type { Json, JsonObject } from "../../base/json.ts";
import { at, listAt, numberAt, textAt } from "../value.ts";
import { age } from "./duration.ts";

/** The cells of a pod: name, ready, status, restarts, age, and those of -o wide. */
export function podCells(pod: JsonObject, now: number): readonly Json[] {
  const statuses = listAt(pod, "status", "containerStatuses");
  const total = listAt(pod, "spec", "containers").length;
  const ready = statuses.filter((status) => at(status, "ready") === true).length;
  const gates = listAt(pod, "spec", "readinessGates");
  const met = gates.filter((gate) =>
    listAt(pod, "status", "conditions").some(
      (condition) =>
        textAt(condition, "type") === textAt(gate, "conditionType") && textAt(condition, "status") === "True",
    ),
  );
  return [
    textAt(pod, "metadata", "name"),
    `${ready}/${total}`,
    statusText(pod),
    restartsText(statuses, now),
    age(textAt(pod, "metadata", "creationTimestamp"), now),
    textAt(pod, "status", "podIP") || "<none>",
    textAt(pod, "spec", "nodeName") || "<none>",
    textAt(pod, "status", "nominatedNodeName") || "<none>",
    gates.length === 0 ? "<none>" : `${met.length}/${gates.length}`,
  ];
}

function restartsText(statuses: readonly Json[], now: number): string {
  let restarts = 0;
  let last = "";
  for (const status of statuses) {
    restarts += numberAt(status, "restartCount") ?? 0;
    const finished = textAt(status, "lastState", "terminated", "finishedAt");
    if (finished > last) last = finished;
  }
  return restarts === 0 || last === "" ? String(restarts) : `${restarts} (${age(last, now)} ago)`;
}

/** One word for what a pod is doing, as `kubectl get pods` says it. */
function statusText(pod: JsonObject): string {
  let reason = textAt(pod, "status", "reason") || textAt(pod, "status", "phase");
  const initial = initReason(pod);
  if (initial !== undefined) reason = initial;
  else {
    let running = false;
    for (const status of listAt(pod, "status", "containerStatuses").toReversed()) {
      const waiting = textAt(status, "state", "waiting", "reason");
      const ended = endReason(status);
      if (waiting !== "") reason = waiting;
      else if (ended !== undefined) reason = ended;
      else if (at(status, "ready") === true && at(status, "state", "running") !== undefined) running = true;
    }
    if (reason === "Completed" && running) reason = "Running";
  }
  if (textAt(pod, "metadata", "deletionTimestamp") === "") return reason;
  return textAt(pod, "status", "reason") === "NodeLost" ? "Unknown" : "Terminating";
}

function endReason(status: Json): string | undefined {
  const ended = at(status, "state", "terminated");
  if (ended === undefined) return undefined;
  const reason = textAt(ended, "reason");
  if (reason !== "") return reason;
  const signal = numberAt(ended, "signal") ?? 0;
  return signal === 0 ? `ExitCode:${numberAt(ended, "exitCode") ?? 0}` : `Signal:${signal}`;
}

/** Undefined once the init containers are through. */
function initReason(pod: JsonObject): string | undefined {
  const containers = listAt(pod, "spec", "initContainers");
  for (const [index, status] of listAt(pod, "status", "initContainerStatuses").entries()) {
    const ended = at(status, "state", "terminated");
    if (ended !== undefined && numberAt(ended, "exitCode") === 0) continue;
    const sidecar = textAt(containers[index], "restartPolicy") === "Always";
    if (sidecar && at(status, "started") === true) continue;
    if (ended !== undefined) return `Init:${endReason(status) ?? ""}`;
    const waiting = textAt(status, "state", "waiting", "reason");
    if (waiting !== "" && waiting !== "PodInitializing") return `Init:${waiting}`;
    return `Init:${index}/${containers.length}`;
  }
  return undefined;
}
