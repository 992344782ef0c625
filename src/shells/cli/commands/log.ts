import { HoldfastError } from "../../../base/errors.ts";
import { ExitCode } from "../../../base/exit-code.ts";
import { oneLine } from "../../../base/printable.ts";
import type { GitCommit } from "../../../ports/git/remote.ts";
import {
  clusterOption,
  type OutputOptions,
  type RemoteOptions,
  remoteOption,
  requireCluster,
  withOutput,
} from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

type Options = Pick<RemoteOptions, "remote" | "cluster"> &
  OutputOptions & { readonly limit: string; readonly record: string; readonly namespace?: string };

export const addLog: AddCommand = (program, shell) => {
  const command = program
    .command("log")
    .description("what happened, from the record in Git, newest first")
    .option("--limit <number>", "how many commits", "20")
    .option("--record <branch>", "branch of the record", "holdfast-record")
    .option("-n, --namespace <name>", "only what the commits' messages tell of this namespace")
    .addHelpText(
      "after",
      "\n-n goes by the messages, and these name no object of which only the status changed, and no Snapshot beside a session; git log -- PATH in the record shows every commit.\n\nExample:\n  holdfast log --remote https://git.example.com/ops.git --limit 5",
    );
  command.addOption(remoteOption()).addOption(clusterOption("only what this cluster wrote"));
  withOutput(command).action(async (options: Options) => {
    const { remoteOf } = await import("../remote-of.ts");
    const { toldBy } = await import("../record-commit.ts");
    const limit = limitOf(options);
    const cluster = options.cluster ? requireCluster(options) : undefined;
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
    const { namespace } = options;
    const all = cluster === undefined && namespace === undefined;
    const found: Found[] = [];
    for await (const commit of remote.log(tip, { ...(all && { limit }), signal: shell.signal })) {
      const told = toldBy(commit.message, { cluster, namespace });
      if (told.length > 0) found.push({ commit, told });
      if (found.length === limit) break;
    }
    process.stdout.write(options.output === "json" ? inJson(found) : inText(found));
  });
};

type Found = { readonly commit: GitCommit; readonly told: readonly string[] };

function inJson(found: readonly Found[]): string {
  const commits = found.map(({ commit: { oid, committedAt, message } }) => ({
    commit: oid,
    time: new Date(committedAt).toISOString(),
    message,
  }));
  return `${JSON.stringify({ commits }, null, 2)}\n`;
}

function inText(found: readonly Found[]): string {
  const lines = found.map(({ commit, told }) => {
    const time = new Date(commit.committedAt).toISOString().slice(0, 19);
    return `${commit.oid.slice(0, 12)} ${time}Z ${oneLine(told.join("; "))}\n`;
  });
  return lines.join("");
}

function limitOf(options: Options): number {
  const limit = Number(options.limit);
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new HoldfastError("LimitInvalid", `--limit ${options.limit} is not a whole number above 0`, {
    disposition: "stall",
    next: "write it like 20, or leave it out",
    exitCode: ExitCode.usage,
  });
}
