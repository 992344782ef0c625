import { HoldfastError } from "../../base/errors.ts";
import type { Declared } from "../../pass/declared/declared.ts";
import { readDeclared } from "../../pass/declared/read-declared.ts";
import type { FileChange, Remote } from "../../ports/git/remote.ts";
import { remoteOf } from "./remote-of.ts";
import { type RemoteOptions, requireCluster } from "./remote-options.ts";
import type { Shell } from "./shell.ts";

export type Branch = { readonly remote: Remote; readonly declared: Declared };

/** What the branch declares for the cluster now. */
export async function readBranch(options: RemoteOptions, shell: Shell): Promise<Branch> {
  const remote = remoteOf(options, shell.signal);
  const request = {
    cluster: requireCluster(options),
    branch: options.branch,
    ...(options.path ? { path: options.path } : {}),
  };
  return { remote, declared: await readDeclared(remote, request, shell.signal) };
}

export type Change = { readonly file: FileChange; readonly message: string };

const attempts = 5;

/**
 * Commits one file on top of the branch, by compare-and-swap: when the branch moved meanwhile, `make` looks at it
 * again. Answers the commit, or undefined when `make` found nothing to change.
 */
export async function commitChange(
  options: RemoteOptions,
  shell: Shell,
  make: (branch: Branch) => Promise<Change | undefined>,
): Promise<string | undefined> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const branch = await readBranch(options, shell);
    const change = await make(branch);
    if (change === undefined) return undefined;
    const result = await branch.remote.push(
      {
        branch: options.branch,
        expect: branch.declared.revision.commit,
        changes: [change.file],
        message: change.message,
        author: {
          name: process.env["GIT_AUTHOR_NAME"] ?? "Holdfast",
          email: process.env["GIT_AUTHOR_EMAIL"] ?? "holdfast@localhost",
        },
        at: Date.now(),
      },
      shell.signal,
    );
    if (result.kind === "pushed") return result.commit;
  }
  throw new HoldfastError("BranchContended", `${options.branch} moved ${attempts} times meanwhile`, {
    disposition: "retry",
    next: "run the command again",
  });
}
