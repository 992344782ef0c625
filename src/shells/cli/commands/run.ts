import { parseGoDuration } from "../../../api/duration.ts";
import { HoldfastError } from "../../../base/errors.ts";
import { ExitCode } from "../../../base/exit-code.ts";
import type { PassResult } from "../../../pass/reconcile.ts";
import {
  type KubeOptions,
  type OutputOptions,
  type RemoteOptions,
  withKube,
  withOutput,
  withRemote,
} from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

type Options = RemoteOptions & KubeOptions & OutputOptions & { readonly timeout: string };

export const addRun: AddCommand = (program, shell) => {
  const command = program
    .command("run")
    .description("bring the cluster to what Git declares, wait for the Jobs, record the outcome, and end")
    .option("--timeout <duration>", "give up waiting after this long; Jobs go on in the cluster", "1h")
    .addHelpText(
      "after",
      "\nExample:\n  holdfast run --remote https://git.example.com/ops.git --cluster production --timeout 30m",
    );
  withOutput(withKube(withRemote(command))).action(async (options: Options) => {
    const { connect } = await import("../connect.ts");
    const { endSentence, runExitCode, runToEnd } = await import("../../run-to-end.ts");
    const { problemLines } = await import("../render-plan.ts");
    const { ports, request } = await connect(options, shell.signal);
    const json = options.output === "json";
    const told = new Set<string>();
    const onPass = (result: PassResult) => {
      if (json) return;
      for (const line of passLines(result)) process.stdout.write(`${line}\n`);
      for (const problem of result.problems) {
        const lines = problemLines(problem).join("\n");
        if (!told.has(lines)) process.stderr.write(`${lines}\n`);
        told.add(lines);
      }
    };
    const run = await runToEnd(ports, request, { timeoutMs: timeoutOf(options), onPass });
    const { end, passes, last, problems, failures } = run;
    if (json)
      process.stdout.write(
        `${JSON.stringify({ end, passes, revision: last.plan.revision, problems, failures, waiting: last.plan.waiting })}\n`,
      );
    else process.stdout.write(`${endSentence(run)}\n`);
    if (!json)
      for (const { object, phase, partial } of failures)
        process.stderr.write(`${object}: ${phase}${partial ? " (partial)" : ""}\n`);
    shell.setExitCode(runExitCode(run));
  });
};

function timeoutOf({ timeout }: Options): number {
  const ms = parseGoDuration(timeout);
  if (ms !== undefined && ms > 0) return ms;
  throw new HoldfastError("DurationInvalid", `--timeout ${timeout} is not a duration`, {
    disposition: "stall",
    next: "write it like 90s, 30m or 1h30m",
    exitCode: ExitCode.usage,
  });
}

/** What one pass did, a line each, and what it recorded; what only keeps statuses current is left out. */
export function passLines(result: PassResult): readonly string[] {
  const { recorded, plan } = result;
  if (recorded.kind !== "written") return doneLines(result);
  const said = plan.entries.flatMap((entry) => entry.summary ?? []);
  return [
    ...doneLines(result),
    `recorded ${recorded.commit.slice(0, 12)}: ${said.join("; ") || `status of ${recorded.entries} object(s)`}`,
  ];
}

/** The same without the record. */
export function doneLines({ outcome }: PassResult): readonly string[] {
  return outcome.results.flatMap(({ step, result }) => {
    if (step.kind === "status" || step.kind === "patch" || result === "unchanged" || result === "conflict")
      return [];
    const object = step.kind === "delete" ? step.ref : step.kind === "store" ? step.storage : step.object;
    const name =
      "metadata" in object
        ? `${object.metadata.namespace ?? ""}/${object.metadata.name}`
        : `${object.namespace ?? ""}/${object.name}`;
    return [`${result} ${object.kind} ${name.replace(/^\//, "")}: ${step.because}`];
  });
}
