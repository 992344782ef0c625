import { HoldfastError } from "../../../base/errors.ts";
import { textAt } from "../../value.ts";
import type { Client } from "../client.ts";
import { resources } from "../resources.ts";
import { maxLogBytes, tailOfLog } from "./log-file.ts";
import { podDirectory } from "./pod-directory.ts";
import { containersOf, initContainersOf } from "./pod-spec.ts";

export type PodLogOptions = {
  /** The run before the last restart. */
  readonly previous?: boolean;
  readonly tailLines?: number;
  /** From the end; 20 MiB at most and by default. */
  readonly limitBytes?: number;
};

/**
 * The text of a container's log, the first container's by default. A container without a process has an
 * empty log. Throws a HoldfastError with reason `NotFound` or `BadRequest`, in Kubernetes' words.
 */
export type PodLog = (
  namespace: string,
  pod: string,
  container?: string,
  options?: PodLogOptions,
) => Promise<string>;

export function createPodLog(client: Client, stateDirectory: string): PodLog {
  return async (namespace, name, container, options = {}) => {
    const pod = await client.get(resources.pods, { namespace, name });
    if (pod === undefined) throw new HoldfastError("NotFound", `pods "${name}" not found`, { disposition: "stall" });
    const names = [...containersOf(pod), ...initContainersOf(pod)].map((one) => textAt(one, "name"));
    const wanted = container === undefined || container === "" ? names[0] : container;
    if (wanted === undefined || !names.includes(wanted)) {
      throw new HoldfastError("BadRequest", `container ${wanted} is not valid for pod ${name}`, {
        disposition: "stall",
        next: `Name one of ${names.join(", ")}.`,
      });
    }
    const path = podDirectory(stateDirectory, pod).logOf(wanted);
    const limit = Math.min(options.limitBytes ?? 2 * maxLogBytes, 2 * maxLogBytes);
    const text = await tailOfLog(options.previous === true ? `${path}.previous` : path, limit);
    return options.tailLines === undefined ? text : lastLines(text, options.tailLines);
  };
}

function lastLines(text: string, count: number): string {
  const lines = text.endsWith("\n") ? text.slice(0, -1).split("\n") : text.split("\n");
  const kept = count <= 0 ? [] : lines.slice(-count);
  return kept.length === 0 ? "" : `${kept.join("\n")}${text.endsWith("\n") ? "\n" : ""}`;
}
