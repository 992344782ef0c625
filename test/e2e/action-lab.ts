import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HoldfastWorld } from "../support/holdfast-world.ts";
import { pathOf } from "../support/real-parts.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const workflowPath = ".github/workflows/holdfast.yml";
const workflow = readFileSync(join(root, "examples/gitops-repo", workflowPath), "utf8");

/** The Action as a release tag holds it: its description and one built file, and nothing that it could load beside. */
export function releasedAction(world: HoldfastWorld): string {
  const folder = join(world.home, "action");
  mkdirSync(folder);
  cpSync(join(root, "action.yml"), join(folder, "action.yml"));
  execFileSync(process.execPath, [join(root, "scripts/build-action.ts"), join(folder, "dist/action")], {
    stdio: "pipe",
  });
  return folder;
}

/** Makes the world's remote a repository with the example's workflow, for the cluster that the workflow names. */
export function commitWorkflow(world: HoldfastWorld): void {
  world.remote.commit("Plan pull requests, run what is merged", {
    "holdfast.yaml": "clusters:\n  demo:\n    path: clusters/lab\n",
    [workflowPath]: workflow,
  });
}

/** Commits to a branch beside main and leaves the work tree on it, as a runner would be for its pull request. */
export function commitToBranch(
  world: HoldfastWorld,
  branch: string,
  files: Readonly<Record<string, string>>,
): void {
  const git = (...args: readonly string[]) =>
    execFileSync(
      "git",
      [
        "-C",
        world.remote.tree,
        "-c",
        "user.name=A Stranger",
        "-c",
        "user.email=stranger@example.com",
        ...args,
      ],
      { stdio: "pipe" },
    );
  git("checkout", "--quiet", "-B", branch, "main");
  for (const [path, content] of Object.entries(files)) writeFileSync(join(world.remote.tree, path), content);
  git("add", "--all");
  git("commit", "--quiet", "--message", `Propose ${branch}`);
  git("push", "--quiet", "--force", "origin", branch);
}

export type WorkflowRun = {
  readonly code: number | null;
  /** Without the name of the job before each line. */
  readonly log: string;
  output(name: string): string | undefined;
};

/** The workflow in the work tree as GitHub would run it for an event, on this machine. */
export async function runWorkflow(
  world: HoldfastWorld,
  action: string,
  { event, payload }: { readonly event: "push" | "pull_request"; readonly payload: unknown },
): Promise<WorkflowRun> {
  const eventFile = join(world.home, "event.json");
  writeFileSync(eventFile, JSON.stringify(payload));
  const kubeconfig = readFileSync(world.kubeconfigPath, "utf8");
  const { code, text } = await run(
    pathOf("act"),
    [
      event,
      "--platform=ubuntu-latest=-self-hosted",
      "--pull=false",
      "--no-cache-server",
      `--eventpath=${eventFile}`,
      `--action-cache-path=${join(world.home, "act")}`,
      `--local-repository=holdfast-dev/holdfast@v0.1.0=${action}`,
      `--env=HOLDFAST_REMOTE=${world.remote.bare}`,
      "--secret=HOLDFAST_KUBECONFIG",
      "--secret=HOLDFAST_PLAN_KUBECONFIG",
    ],
    {
      cwd: world.remote.tree,
      env: {
        ...process.env,
        HOME: world.home,
        // Actions run on the first node of PATH.
        PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`,
        HOLDFAST_KUBECONFIG: kubeconfig,
        HOLDFAST_PLAN_KUBECONFIG: kubeconfig,
      },
    },
  );
  const log = text.replace(/^\[holdfast\/\w+\] */gm, "");
  return {
    code,
    log,
    output: (name) => new RegExp(`::set-output:: ${name}=(.*)$`, "m").exec(log)?.[1],
  };
}

function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<{ readonly code: number | null; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, text }));
  });
}
