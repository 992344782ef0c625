import { HoldfastError } from "../../base/errors.ts";
import { ExitCode } from "../../base/exit-code.ts";
import type { Environment } from "./kubeconfig.ts";

export type RequestRate = {
  /** Requests per second. */
  readonly qps: number;
  /** How many may come at once. */
  readonly burst: number;
};

const defaultQps = 50;

/** From `HOLDFAST_KUBE_QPS` and `HOLDFAST_KUBE_BURST`; throws `RequestRateInvalid` (stall) for what is no rate. */
export function requestRateOf(env: Environment): RequestRate {
  const qps = numberIn(env, "HOLDFAST_KUBE_QPS", /^\d+(\.\d+)?$/) ?? defaultQps;
  // A bucket that cannot hold one token lets nobody through.
  const burst = numberIn(env, "HOLDFAST_KUBE_BURST", /^\d+$/) ?? Math.max(1, Math.ceil(2 * qps));
  return { qps, burst };
}

function numberIn(env: Environment, name: string, form: RegExp): number | undefined {
  const text = env[name]?.trim() ?? "";
  if (text === "") return undefined;
  if (form.test(text) && Number(text) > 0) return Number(text);
  throw new HoldfastError(
    "RequestRateInvalid",
    `${name} is ${JSON.stringify(text)}, which is no number above 0`,
    {
      disposition: "stall",
      next: `Set ${name} to ${name.endsWith("QPS") ? "requests per second, such as 20" : "a whole number of requests, such as 40"}, or leave it out.`,
      exitCode: ExitCode.usage,
    },
  );
}
