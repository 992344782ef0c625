import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { dump } from "js-yaml";
import type { KubeObject } from "../../src/api/meta.ts";

/** A bare Git repository with a work tree beside it: what a user pushes and what Holdfast reads and writes. */
export type GitopsRemote = {
  /** Path of the bare repository. */
  readonly bare: string;
  readonly tree: string;
  /** Writes files (text, objects, or null to remove one), commits and pushes; answers the commit. */
  commit(
    message: string,
    files: Readonly<Record<string, string | KubeObject | readonly KubeObject[] | null>>,
  ): string;
  /** Output of git on the bare repository. */
  git(...args: readonly string[]): string;
  /** What the record's commits tell, newest first: their subjects, or the list in the body where there are several. */
  recordLog(): readonly string[];
  recordTip(): string | undefined;
  /** Text of a file at the record's tip. */
  recordFile(path: string): string | undefined;
};

export const clusterFolder = "clusters/lab";

export function createGitopsRemote(home: string): GitopsRemote {
  const bare = join(home, "remote.git");
  const tree = join(home, "tree");
  mkdirSync(tree, { recursive: true });
  const run = (cwd: string, args: readonly string[]) =>
    execFileSync(
      "git",
      [
        "-c",
        "user.name=Tester",
        "-c",
        "user.email=tester@example.com",
        "-c",
        "maintenance.auto=false",
        ...args,
      ],
      {
        cwd,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
  const git = (...args: readonly string[]) => run(bare, args);
  const attempt = (...args: readonly string[]) => {
    try {
      return git(...args);
    } catch {
      return undefined;
    }
  };
  run(home, ["init", "--quiet", "--bare", "--initial-branch=main", bare]);
  run(tree, ["init", "--quiet", "--initial-branch=main"]);
  run(tree, ["remote", "add", "origin", bare]);
  const remote: GitopsRemote = {
    bare,
    tree,
    commit(message, files) {
      for (const [path, content] of Object.entries(files)) {
        const file = join(tree, path);
        if (content === null) rmSync(file, { force: true, recursive: true });
        else {
          mkdirSync(dirname(file), { recursive: true });
          writeFileSync(file, textOf(content));
        }
      }
      run(tree, ["add", "--all"]);
      run(tree, ["commit", "--quiet", "--allow-empty", "--message", message]);
      run(tree, ["push", "--quiet", "origin", "main"]);
      return run(tree, ["rev-parse", "HEAD"]).trim();
    },
    git,
    recordLog: () =>
      (attempt("log", "--format=%B%x00", "holdfast-record") ?? "").split("\0").flatMap((message) => {
        const lines = message.trim().split("\n");
        const told = lines.filter((line) => line.startsWith("- ")).map((line) => line.slice(2));
        return told.length > 0 ? told : lines.slice(0, 1).filter((line) => line !== "");
      }),
    recordTip: () => attempt("rev-parse", "--verify", "--quiet", "holdfast-record")?.trim(),
    recordFile: (path) => attempt("show", `holdfast-record:${path}`),
  };
  remote.commit("Declare a cluster", { "holdfast.yaml": `clusters:\n  lab:\n    path: ${clusterFolder}\n` });
  return remote;
}

function textOf(content: string | KubeObject | readonly KubeObject[]): string {
  if (typeof content === "string") return content;
  const objects = Array.isArray(content) ? content : [content];
  return objects.map((object) => dump(object, { noRefs: true })).join("---\n");
}
