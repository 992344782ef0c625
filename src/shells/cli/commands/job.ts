import type { AddCommand } from "../shell.ts";

export const addJob: AddCommand = (program, shell) => {
  program
    .command("job")
    .description("the work inside a Job of Holdfast; started by the cluster, not by people")
    .argument("<name>", "what to do")
    .argument("[flags...]", "--flag=value of the job")
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (name: string, flags: readonly string[]) => {
      const { runJobProcess } = await import("../../job-process.ts");
      shell.setExitCode(await runJobProcess(name, flags, shell.signal));
    });
};
