import { ExitCode } from "../../../base/exit-code.ts";
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

type Options = RemoteOptions &
  KubeOptions &
  PassOptions &
  OutputOptions & { readonly exitCode?: boolean; readonly commit?: string };

export const addPlan: AddCommand = (program, shell) => {
  const command = program
    .command("plan")
    .description("show what a pass would do; nothing is changed and nothing that the commit brings is run")
    .option("--commit <id>", "plan what this commit declares instead of the branch's tip")
    .option("--exit-code", "end with 4 when there is something to do")
    .addHelpText(
      "after",
      "\nExample:\n  holdfast plan --remote https://git.example.com/ops.git --cluster production --output markdown",
    );
  withOutput(withPass(withKube(withRemote(command))), "yaml", "markdown").action(async (options: Options) => {
    const { dump } = await import("js-yaml");
    const { connect } = await import("../connect.ts");
    const { reconcile } = await import("../../../pass/reconcile.ts");
    const { hasChanges, planJson, planMarkdown, planText } = await import("../render-plan.ts");
    const { commitOf } = await import("../remote-options.ts");
    const commit = commitOf(options);
    const { ports, request } = await connect(options, shell.signal);
    const result = await reconcile(ports, {
      ...request,
      flush: false,
      planOnly: true,
      ...commit,
    });
    const { plan, problems } = result;
    const text = {
      text: () => planText(plan, problems),
      markdown: () => planMarkdown(plan, problems),
      json: () => `${JSON.stringify(planJson(plan, problems), null, 2)}\n`,
      yaml: () => dump(planJson(plan, problems), { noRefs: true }),
    }[options.output]();
    process.stdout.write(text);
    if (problems.some((problem) => problem.severity === "error")) shell.setExitCode(ExitCode.failed);
    else if (options.exitCode === true && hasChanges(plan)) shell.setExitCode(ExitCode.planHasChanges);
  });
};
