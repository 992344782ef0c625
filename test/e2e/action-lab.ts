import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { dump, load } from "js-yaml";
import type { HoldfastWorld } from "../support/holdfast-world.ts";
import { pathOf } from "../support/real-parts.ts";
import type { S3Server } from "../support/s3.ts";
import { field, localStorage, retentionPolicy, secretObject, settle } from "./lab.ts";

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

const bucket = "backups";

/**
 * What a user would have: the lab's backups in an object store, which the runner must reach too, and the example's
 * workflow, for the cluster that it names.
 */
export async function commitWorkflow(world: HoldfastWorld, s3: S3Server): Promise<void> {
  await settle(world);
  await s3.createBucket(bucket);
  await world.create(
    secretObject("vault", "s3-credentials", {
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    }),
  );
  const { endpoint, region } = s3;
  const storage = {
    provider: "s3",
    s3: { endpoint, region, bucket, prefix: "lab", secretName: "s3-credentials" },
  };
  world.remote.commit("Plan pull requests, run what is merged", {
    "holdfast.yaml": "clusters:\n  demo:\n    path: clusters/lab\n",
    "clusters/lab/storage.yaml": [localStorage(world, { storage }), retentionPolicy()],
    [workflowPath]: workflow,
  });
}

/** A document beside restic's data, which a pass writes itself. */
export function repositoryDocument(s3: S3Server): string {
  return readFileSync(join(s3.directory, bucket, "lab/app/manifests/repository.yaml"), "utf8");
}

/** The cluster's kubeconfig with a credential plugin in place of the token, as clouds hand them out. */
export function pluginKubeconfig(world: HoldfastWorld): string {
  const config = Object(load(readFileSync(world.kubeconfigPath, "utf8")));
  const credential = join(world.home, "credential.json");
  const version = "client.authentication.k8s.io/v1";
  const token = field(config, "users", 0, "user", "token");
  writeFileSync(
    credential,
    JSON.stringify({ apiVersion: version, kind: "ExecCredential", status: { token } }),
  );
  const exec = { apiVersion: version, command: "cat", args: [credential], interactiveMode: "Never" };
  const name = field(config, "users", 0, "name");
  return dump({ ...config, users: [{ name, user: { exec } }] });
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
        HOLDFAST_KUBECONFIG: readFileSync(world.kubeconfigPath, "utf8"),
        HOLDFAST_PLAN_KUBECONFIG: pluginKubeconfig(world),
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
