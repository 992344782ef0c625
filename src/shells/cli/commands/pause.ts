import type { Command } from "commander";
import { withKube, withRemote } from "../remote-options.ts";
import type { PauseOptions } from "../set-paused.ts";
import type { AddCommand, Shell } from "../shell.ts";

export const addPause: AddCommand = (program, shell) => {
  const command = program
    .command("pause")
    .description("stop what an object starts by itself: in the file that declares it, or in the cluster")
    .addHelpText(
      "after",
      "\nExamples:\n  holdfast pause backupconfiguration/shop-data -n shop --cluster demo --commit\n  holdfast pause repository/shop-data -n shop",
    );
  pausing(command, shell, true);
};

export const addResume: AddCommand = (program, shell) => {
  const command = program
    .command("resume")
    .description("let an object that is paused go on: in the file that declares it, or in the cluster")
    .addHelpText(
      "after",
      "\nExample:\n  holdfast resume backupconfiguration/shop-data -n shop --cluster demo --commit",
    );
  pausing(command, shell, false);
};

function pausing(command: Command, shell: Shell, paused: boolean): void {
  command
    .argument("<kind/name>", "what, as kubectl names it: backupconfiguration/shop-data")
    .option("-n, --namespace <name>", "its namespace (where it is declared, or that of the context)")
    .option(
      "--commit",
      "commit the change to the branch; otherwise the file of the local checkout is written",
    )
    .option("--pr", "as a pull request: not in this release");
  withKube(withRemote(command)).action(
    async (object: string, options: PauseOptions & { readonly pr?: boolean }) => {
      const { usage } = await import("../usage.ts");
      const { pausableObject } = await import("../pausable-kind.ts");
      const { setPaused } = await import("../set-paused.ts");
      const which = pausableObject(object);
      if (options.pr === true)
        throw usage(
          "--pr is not supported in this release",
          "pass --commit, or change the file of a checkout, push a branch and open the pull request by hand",
        );
      process.stdout.write(`${await setPaused({ ...which, paused, options }, shell)}\n`);
    },
  );
}
