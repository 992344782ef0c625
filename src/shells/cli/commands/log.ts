import { HoldfastError } from "../../../base/errors.ts";
import { ExitCode } from "../../../base/exit-code.ts";
import { oneLine } from "../../../base/printable.ts";
import { type OutputOptions, type RemoteOptions, remoteOption, withOutput } from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

type Options = Pick<RemoteOptions, "remote"> &
  OutputOptions & { readonly limit: string; readonly record: string };

export const addLog: AddCommand = (program, shell) => {
  const command = program
    .command("log")
    .description("what happened, from the record in Git, newest first")
    .option("--limit <number>", "how many commits", "20")
    .option("--record <branch>", "branch of the record", "holdfast-record")
    .addHelpText("after", "\nExample:\n  holdfast log --remote https://git.example.com/ops.git --limit 5");
  withOutput(command.addOption(remoteOption())).action(async (options: Options) => {
    const { remoteOf } = await import("../connect.ts");
    const limit = Number(options.limit);
    if (!Number.isInteger(limit) || limit < 1)
      throw new HoldfastError("LimitInvalid", `--limit ${options.limit} is not a whole number above 0`, {
        disposition: "stall",
        next: "write it like 20, or leave it out",
        exitCode: ExitCode.usage,
      });
    const remote = remoteOf(options, shell.signal);
    const tip = await remote.tip(options.record, shell.signal);
    if (tip === undefined) {
      const clone =
        options.remote === undefined ? "  A clone need not have it: name the remote with --remote.\n" : "";
      process.stdout.write(
        options.output === "json"
          ? '{"commits":[]}\n'
          : `${remote.where} has no branch ${options.record}: nothing is on record there.\n${clone}`,
      );
      return;
    }
    const commits: { commit: string; time: string; message: string }[] = [];
    for await (const commit of remote.log(tip, { limit, signal: shell.signal })) {
      commits.push({
        commit: commit.oid,
        time: new Date(commit.committedAt).toISOString(),
        message: commit.message,
      });
    }
    if (options.output === "json") process.stdout.write(`${JSON.stringify({ commits }, null, 2)}\n`);
    else
      for (const { commit, time, message } of commits)
        process.stdout.write(
          `${commit.slice(0, 12)} ${time.slice(0, 19)}Z ${oneLine(message.split("\n", 1)[0] ?? "")}\n`,
        );
  });
};
