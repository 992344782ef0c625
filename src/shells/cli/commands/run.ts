import type { PassResult } from "../../../pass/reconcile.ts";
import type { RestoreEnd } from "../../restore-ends.ts";
import {
  type KubeOptions,
  type OutputOptions,
  type PassOptions,
  type RemoteOptions,
  withKube,
  withOutput,
  withPass,
  withRemote,
} from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

type Options = RemoteOptions & KubeOptions & PassOptions & OutputOptions & { readonly timeout: string };

export const addRun: AddCommand = (program, shell) => {
  const command = program
    .command("run")
    .description("bring the cluster to what Git declares, wait for the Jobs, record the outcome, and end")
    .option("--timeout <duration>", "give up waiting after this long; Jobs go on in the cluster", "1h")
    .addHelpText(
      "after",
      "\nExample:\n  holdfast run --remote https://git.example.com/ops.git --cluster production --timeout 30m",
    );
  withOutput(withPass(withKube(withRemote(command)))).action(async (options: Options) => {
    const { connect } = await import("../connect.ts");
    const { durationOption } = await import("../../duration-option.ts");
    const { runLog } = await import("../../run-log.ts");
    const { restoreEndsIn } = await import("../../restore-ends.ts");
    const { runExitCode, runToEnd } = await import("../../run-to-end.ts");
    const { ports, request } = await connect(options, shell.signal);
    const json = options.output === "json";
    const log = runLog(
      (line) => process.stdout.write(`${line}\n`),
      (line) => process.stderr.write(`${line}\n`),
    );
    const restores = new Map<string, RestoreEnd>();
    const noteRestores = (pass: PassResult) => {
      for (const end of restoreEndsIn(pass)) restores.set(end.object, end);
    };
    const run = await runToEnd(ports, request, {
      timeoutMs: durationOption(options.timeout, "--timeout"),
      onPass: json ? noteRestores : log.onPass,
    });
    const { end, passes, last, problems, failures } = run;
    if (json)
      process.stdout.write(
        `${JSON.stringify({ end, passes, revision: last.plan.revision, problems, failures, restores: [...restores.values()], waiting: last.plan.waiting })}\n`,
      );
    else log.end(run);
    shell.setExitCode(runExitCode(run));
  });
};
