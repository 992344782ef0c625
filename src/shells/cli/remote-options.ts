import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { defaultOwnNamespace } from "../../api/own-namespace.ts";
import { HoldfastError } from "../../base/errors.ts";
import { ExitCode } from "../../base/exit-code.ts";
import { clusterName } from "../../pass/declared/cluster-name.ts";
import { isOid } from "../../ports/git/git-object.ts";

/** Options of every command that reads the remote; flags go over environment variables. */
export type RemoteOptions = {
  readonly remote?: string;
  readonly branch: string;
  readonly cluster?: string;
  readonly path?: string;
};

/** Options of every command that makes passes. */
export type PassOptions = {
  readonly ownNamespace?: string;
  readonly acceptRewritten?: readonly string[];
};

export function ownNamespaceOption(): Option {
  return new Option(
    "--own-namespace <name>",
    `namespace of Holdfast's notes and outbox (HOLDFAST_NAMESPACE, or ${defaultOwnNamespace})`,
  );
}

export function withPass(command: Command): Command {
  return command
    .addOption(ownNamespaceOption())
    .addOption(
      new Option(
        "--accept-rewritten <commit...>",
        "a branch's tip that is taken though its history was rewritten, as HistoryRewritten names it (HOLDFAST_ACCEPT_REWRITTEN)",
      ),
    );
}

export function ownNamespaceOf({ ownNamespace }: PassOptions): string {
  return ownNamespace || process.env["HOLDFAST_NAMESPACE"] || defaultOwnNamespace;
}

/** Tips are named by their whole ids, because an abbreviation is another commit tomorrow. */
export function acceptedOf({ acceptRewritten }: PassOptions): readonly string[] {
  const named = process.env["HOLDFAST_ACCEPT_REWRITTEN"] ?? "";
  const commits = acceptRewritten ?? named.split(/[\s,]+/).filter((one) => one !== "");
  const wrong = commits.find((commit) => !isOid(commit));
  if (wrong === undefined) return commits;
  throw new HoldfastError("CommitInvalid", `--accept-rewritten ${wrong} is not the whole id of a commit`, {
    disposition: "stall",
    next: "copy it from the error HistoryRewritten",
    exitCode: ExitCode.usage,
  });
}

export type KubeOptions = { readonly kubeconfig?: string; readonly context?: string };

export type OutputOptions = { readonly output: "text" | "json" | "yaml" | "markdown" };

export function remoteOption(): Option {
  return new Option(
    "--remote <url>",
    "Git repository: https, ssh or a local path (the one around this directory)",
  ).env("HOLDFAST_REMOTE");
}

export function clusterOption(description: string): Option {
  return new Option("--cluster <name>", description).env("HOLDFAST_CLUSTER");
}

export function withRemote(command: Command): Command {
  return command
    .addOption(remoteOption())
    .addOption(new Option("--branch <name>", "branch that declares").env("HOLDFAST_BRANCH").default("main"))
    .addOption(clusterOption("this cluster's name in holdfast.yaml"))
    .addOption(
      new Option("--path <folder>", "folder of the cluster, instead of what holdfast.yaml says").env(
        "HOLDFAST_PATH",
      ),
    );
}

export function withKube(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--kubeconfig <file>",
        "kubeconfig (otherwise KUBECONFIG, ~/.kube/config, or the pod's own account)",
      ),
    )
    .addOption(new Option("--context <name>", "context of the kubeconfig"));
}

export function withOutput(command: Command, ...formats: readonly string[]): Command {
  return command.addOption(
    new Option("-o, --output <format>", "how to print").choices(["text", "json", ...formats]).default("text"),
  );
}

/** The cluster's name, which becomes a folder: a flag, HOLDFAST_CLUSTER, or a usage error. */
export function requireCluster({ cluster }: Pick<RemoteOptions, "cluster">): string {
  if (cluster === undefined || cluster === "")
    throw new HoldfastError("ClusterRequired", "no cluster is named", {
      disposition: "stall",
      next: "pass --cluster NAME (a key of clusters in holdfast.yaml) or set HOLDFAST_CLUSTER",
      exitCode: ExitCode.usage,
    });
  if (new RegExp(clusterName).test(cluster)) return cluster;
  throw new HoldfastError("ClusterInvalid", `--cluster ${cluster} is not a DNS label`, {
    disposition: "stall",
    next: "use small letters, digits and dashes, as in production",
    exitCode: ExitCode.usage,
  });
}

/** The commit that `--commit` names, when it does. Abbreviations and names are another commit tomorrow. */
export function commitOf({ commit }: { readonly commit?: string }): { readonly commit?: string } {
  if (commit === undefined) return {};
  if (isOid(commit)) return { commit };
  throw new HoldfastError("CommitInvalid", `--commit ${commit} is not the whole id of a commit`, {
    disposition: "stall",
    next: `git rev-parse ${/^[\w./^~-]+$/.test(commit) ? commit : "NAME"} prints it`,
    exitCode: ExitCode.usage,
  });
}

/** The remote's address: a flag, HOLDFAST_REMOTE, or the repository around the working directory. */
export function remoteUrl({ remote }: Pick<RemoteOptions, "remote">): string {
  if (remote === undefined) return enclosingRepository(resolve("."));
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(remote) || /^[^/]+@[^/]+:/.test(remote);
  return address ? remote : resolve(remote);
}

/** The folder of the working copy that the remote is, when it is one on this machine. */
export function checkoutOf(options: Pick<RemoteOptions, "remote">): string | undefined {
  const url = remoteUrl(options);
  return isAbsolute(url) && existsSync(join(url, ".git")) ? url : undefined;
}

/** The folder that the remote is when it is one of this machine, named on purpose, and no Git repository. */
export function plainFolder(options: Pick<RemoteOptions, "remote">): string | undefined {
  if (options.remote === undefined) return undefined;
  const url = remoteUrl(options);
  if (!isAbsolute(url) || statSync(url, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  const repository =
    existsSync(join(url, ".git")) || (existsSync(join(url, "HEAD")) && existsSync(join(url, "objects")));
  return repository ? undefined : url;
}

/** The nearest folder upwards that holds `.git`; the folder itself when there is none, so that the error names it. */
function enclosingRepository(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (dirname(at) === at) return folder;
  }
}

/** Where objects of remotes are cached. */
export function cacheDirectory(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "holdfast", "git");
}
