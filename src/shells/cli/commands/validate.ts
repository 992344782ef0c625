import { ExitCode } from "../../../base/exit-code.ts";
import { oneLine } from "../../../base/printable.ts";
import { type OutputOptions, type RemoteOptions, withOutput, withRemote } from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

type Options = RemoteOptions & OutputOptions & { readonly commit?: string };

export const addValidate: AddCommand = (program, shell) => {
  const command = program
    .command("validate")
    .description("check what a commit declares, without a cluster")
    .option("--commit <id>", "check this commit instead of the branch's tip")
    .addHelpText("after", "\nExample:\n  holdfast validate --remote . --branch my-change --cluster demo");
  withOutput(withRemote(command)).action(async (options: Options) => {
    const { remoteOf } = await import("../remote-of.ts");
    const { commitOf, requireCluster } = await import("../remote-options.ts");
    const { readDeclared } = await import("../../../pass/declared/read-declared.ts");
    const { problemLines } = await import("../render-plan.ts");
    const request = {
      cluster: requireCluster(options),
      branch: options.branch,
      ...(options.path ? { path: options.path } : {}),
      ...commitOf(options),
    };
    const { documents, problems, revision, others } = await readDeclared(
      remoteOf(options, shell.signal),
      request,
      shell.signal,
    );
    const objects = documents.map(({ object, path, line }) => ({
      kind: object.kind,
      namespace: object.metadata.namespace ?? "",
      name: object.metadata.name,
      path,
      line,
    }));
    if (options.output === "json")
      process.stdout.write(
        `${JSON.stringify({ commit: revision.commit, objects, problems, others }, null, 2)}\n`,
      );
    else {
      for (const problem of problems) process.stdout.write(`${problemLines(problem).join("\n")}\n`);
      const left = Object.entries(others).map(([kind, count]) => `${count} ${kind}`);
      if (left.length > 0)
        process.stdout.write(`not Holdfast's to apply, and left alone: ${oneLine(left.join(", "))}\n`);
      process.stdout.write(
        `${objects.length} object(s) declared at ${revision.commit.slice(0, 12)}, ${problems.length} problem(s).\n`,
      );
    }
    if (problems.some((problem) => problem.severity === "error")) shell.setExitCode(ExitCode.failed);
  });
};
