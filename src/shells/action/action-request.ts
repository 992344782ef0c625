import { readFile } from "node:fs/promises";
import { clusterName } from "../../pass/declared/cluster-name.ts";
import { isOid } from "../../ports/git/git-object.ts";
import { durationOption } from "../duration-option.ts";
import { fieldOf } from "../field-of.ts";
import { type Inputs, type Mode, readInputs, usageError } from "./inputs.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export type ActionRequest = {
  readonly mode: Mode;
  readonly cluster: string;
  /** Address of the workflow's own repository. */
  readonly remote: string;
  /** For that address only; without it the command line's own variables decide. */
  readonly token?: string;
  /** The branch that declares. */
  readonly branch: string;
  /** What `validate` and `plan` read; `run` reads the branch's tip. */
  readonly commit?: string;
  readonly path?: string;
  /** The kubeconfig itself, not its path. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly timeoutMs: number;
};

/**
 * What the step's inputs, the variables of the command line and the event say together, in this order.
 * Throws usage errors (stall) before anything is asked of anybody.
 */
export async function readRequest(env: Environment): Promise<ActionRequest> {
  const inputs = readInputs(env);
  const { mode, kubeconfig, context } = inputs;
  const branch = inputs.branch ?? env["HOLDFAST_BRANCH"] ?? (await usualBranch(env));
  const path = inputs.path ?? env["HOLDFAST_PATH"];
  if (mode === "run") refuseUnmerged(env, branch);
  return {
    mode,
    cluster: clusterOf(inputs, env),
    branch,
    ...remoteOf(inputs, env),
    ...(mode === "run" ? {} : { commit: commitOf(inputs, env) }),
    ...(path === undefined ? {} : { path }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    timeoutMs: durationOption(inputs.timeout ?? "1h", "the input timeout"),
  };
}

function clusterOf({ cluster }: Inputs, env: Environment): string {
  const name = cluster ?? env["HOLDFAST_CLUSTER"] ?? "";
  if (new RegExp(clusterName).test(name)) return name;
  const wrong =
    name === "" ? "the input cluster is missing" : `the input cluster is ${name}, not a DNS label`;
  throw usageError("ClusterInvalid", wrong, "Give a key of clusters in holdfast.yaml.");
}

/** The token goes to the server that issued it and to no other. */
function remoteOf({ token }: Inputs, env: Environment): Pick<ActionRequest, "remote" | "token"> {
  const named = env["HOLDFAST_REMOTE"] ?? "";
  if (named !== "") return { remote: named };
  const { GITHUB_SERVER_URL: server = "", GITHUB_REPOSITORY: repository = "" } = env;
  if (server === "" || repository === "")
    throw usageError(
      "RepositoryUnknown",
      "GITHUB_SERVER_URL and GITHUB_REPOSITORY are not set",
      "Run this as a step of a workflow; elsewhere use the command holdfast.",
    );
  return { remote: `${server}/${repository}`, ...(token === undefined ? {} : { token }) };
}

/** The branch that a pull request goes to; otherwise the repository's default branch, as the event names it. */
async function usualBranch(env: Environment): Promise<string> {
  const base = env["GITHUB_BASE_REF"] ?? "";
  if (base !== "") return base;
  const event = env["GITHUB_EVENT_PATH"] ?? "";
  const payload: unknown = event === "" ? undefined : JSON.parse(await readFile(event, "utf8"));
  const usual = fieldOf(payload, "repository", "default_branch");
  if (typeof usual === "string" && usual !== "") return usual;
  const ref = env["GITHUB_REF"] ?? "";
  if (ref.startsWith(heads)) return ref.slice(heads.length);
  throw usageError("BranchRequired", "the event names no branch", "Give the input branch.");
}

const heads = "refs/heads/";

/** A run carries out what is merged, never what is only proposed. */
function refuseUnmerged(env: Environment, branch: string): void {
  const { GITHUB_EVENT_NAME: event = "", GITHUB_REF: ref = "" } = env;
  if (event.startsWith("pull_request") || ref.startsWith("refs/pull/"))
    throw usageError(
      "RunOnPullRequest",
      "mode run on a pull request",
      "Use mode plan there, and mode run on pushes to the branch that declares.",
    );
  if (event === "push" && ref !== `${heads}${branch}`)
    throw usageError(
      "RunOnOtherBranch",
      `${ref} was pushed, and ${branch} is the branch that declares`,
      `Limit the workflow with on.push.branches: [${branch}], or give the input branch.`,
    );
}

/** The commit that the workflow runs for: of a pull request, what the merge would make. */
function commitOf({ commit }: Inputs, env: Environment): string {
  if (commit === undefined && env["GITHUB_EVENT_NAME"] === "pull_request_target")
    throw usageError(
      "CommitRequired",
      "on pull_request_target the workflow's own commit is the one before the merge",
      "Use on.pull_request, or give the input commit.",
    );
  const oid = commit ?? env["GITHUB_SHA"] ?? "";
  if (isOid(oid)) return oid;
  throw usageError(
    "CommitInvalid",
    oid === "" ? "the event names no commit" : `the input commit is ${oid}, not the whole id of a commit`,
    "Give all 40 hex digits.",
  );
}
