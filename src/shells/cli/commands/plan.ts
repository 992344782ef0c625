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
    const { hasChanges, inert, planJson, planMarkdown, planText } = await import("../render-plan.ts");
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
    const { manifestRestoresIn, plannedLines, previewPlanned } = await import("../plan-previews.ts");
    const { readerContext } = await import("../reader-context.ts");
    const restores = manifestRestoresIn(plan);
    const previews =
      restores.length === 0 ? [] : await previewPlanned(await readerContext(options, shell), restores);
    const lines = previews.flatMap(plannedLines);
    const json = () => ({
      ...planJson(plan, problems),
      ...(previews.length === 0 ? {} : { restores: previews }),
    });
    const text = {
      text: () => [planText(plan, problems), ...lines.map((line) => `${line}\n`)].join(""),
      markdown: () =>
        [planMarkdown(plan, problems), ...lines.map((line) => `- ${inert(line.trim())}\n`)].join(""),
      json: () => `${JSON.stringify(json(), null, 2)}\n`,
      yaml: () => dump(json(), { noRefs: true }),
    }[options.output]();
    process.stdout.write(text);
    if (problems.some((problem) => problem.severity === "error")) shell.setExitCode(ExitCode.failed);
    else if (options.exitCode === true && hasChanges(plan)) shell.setExitCode(ExitCode.planHasChanges);
  });
};
