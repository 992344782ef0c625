import { pino } from "pino";
import { nameOf, refOf } from "../../api/meta.ts";
import type { Step } from "../../pass/plan/step.ts";
import type { PassPorts, PassRequest, PassResult } from "../../pass/reconcile.ts";
import { controllerLoop, type LoopEvents } from "./controller-loop.ts";

/** The loop with a log: one JSON line for each thing done, recorded or newly wrong. */
export async function runController(
  ports: PassPorts,
  request: Omit<PassRequest, "flush" | "previous">,
  onReady: LoopEvents["onReady"] = () => undefined,
): Promise<void> {
  const log = pino({ base: { cluster: request.cluster } }, pino.destination(2));
  let told = new Set<string>();
  let away = false;
  log.info({ remote: ports.remote.where, branch: request.branch }, "controller starts");
  await controllerLoop(ports, request, {
    onReady,
    onPass: (result) => {
      logSteps(log, result);
      const now = new Set<string>();
      for (const problem of result.problems) {
        const key = JSON.stringify(problem);
        now.add(key);
        if (!told.has(key)) log[problem.severity === "error" ? "error" : "warn"](problem, "problem");
      }
      told = now;
      if (away && result.memory.state.away === undefined) log.info("the remote is back");
      away = result.memory.state.away !== undefined;
    },
    onError: (error, retryMs) =>
      log.error(
        {
          reason: error.reason,
          disposition: error.disposition,
          detail: error.message,
          next: error.next,
          retryMs,
        },
        "pass failed",
      ),
  });
  log.info("controller ends");
}

function logSteps(log: pino.Logger, { outcome, recorded, plan }: PassResult): void {
  for (const { step, result } of outcome.results) {
    if (step.kind === "status" || step.kind === "note" || result === "unchanged") continue;
    log.info({ step: step.kind, object: objectName(step), result, because: step.because }, "step");
  }
  if (recorded.kind === "written")
    log.info(
      {
        commit: recorded.commit,
        entries: recorded.entries,
        summaries: plan.entries.flatMap((entry) => entry.summary ?? []),
      },
      "recorded",
    );
}

function objectName(step: Step): string {
  if (step.kind === "apply" || step.kind === "create" || step.kind === "note")
    return nameOf(refOf(step.object));
  return nameOf(step.kind === "store" ? refOf(step.storage) : step.ref);
}
