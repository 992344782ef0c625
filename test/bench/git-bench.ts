import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { countBytes } from "../support/count-bytes.ts";
import { type GitRepository, gitEnvironment, startGitServer } from "../support/git-remote.ts";
import { median, type Place, rounded } from "./bench.ts";
import { runWorker, timedProcess } from "./timed-process.ts";

/** `bytes`: what the server sent. */
export type Cost = { readonly wallMs: number; readonly bytes: number };

/** Runs git in a folder of its own that is not there yet; answers what it printed. */
export type Git = (args: readonly string[], input?: string) => Promise<string>;

/** A Git server over HTTP, and two who work on its repositories from a cold start: ours and the git command. */
export type GitBench = {
  repository(): GitRepository;
  /** A worker of this folder in a process of its own, with an empty cache. */
  byWorker<Answer>(
    name: string,
    repository: GitRepository,
    task: object,
  ): Promise<Cost & { readonly answer: Answer & { readonly peakMiB: number } }>;
  byGit(
    repository: GitRepository,
    work: (git: Git, at: { readonly place: string; readonly url: string }) => Promise<void>,
  ): Promise<Cost>;
  close(): Promise<void>;
};

export async function openGitBench({ home, built }: Place): Promise<GitBench> {
  const server = await startGitServer({ filter: true });
  const { username, password } = server;
  const bytes = countBytes(server);
  const fresh = (name: string) => join(home, `${name}-${randomBytes(4).toString("hex")}`);
  return {
    repository: () => server.repository(),
    async byWorker(name, { url }, task) {
      bytes();
      const remote = { url, cacheDirectory: fresh("cache"), credentials: { username, password } };
      const { answer, wallMs } = await runWorker<never>(built.worker(name), { remote, ...task });
      return { answer, wallMs, bytes: bytes() };
    },
    async byGit(repository, work) {
      bytes();
      const place = fresh("git");
      const who = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
      let wallMs = 0;
      const git: Git = async (args, input = "") => {
        const done = await timedProcess("git", args, { env: gitEnvironment(), input });
        wallMs += done.wallMs;
        return done.stdout.trim();
      };
      await work(git, { place, url: repository.url.replace("://", `://${who}@`) });
      return { wallMs, bytes: bytes() };
    },
    close: () => server.close(),
  };
}

export function wallsOf(costs: readonly Cost[]): readonly number[] {
  return costs.map(({ wallMs }) => wallMs);
}

export function medianKiB(costs: readonly Cost[]): number {
  return rounded(median(costs.map(({ bytes }) => bytes)) / 1024);
}
