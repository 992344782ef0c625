import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type GitRepository, type GitServer, gitEnvironment, startGitServer } from "../support/git-remote.ts";
import { type Bench, figure, inPairs, median, type Place, rounded } from "./bench.ts";
import { authorised, countBytes } from "./git-bytes.ts";
import { cluster, fillRecord, newEntry, recordBranch } from "./git-record.ts";
import { runWorker, timedProcess } from "./timed-process.ts";

const few = 1_000;
const many = 100_000;

export const recordAppend: Bench = {
  name: "record-append",
  about:
    "one entry more in a record of 100,000, from a cold start over HTTP, against one of 1,000 and git's own way",
  async run({ home, built }) {
    const server = await startGitServer({ filter: true });
    try {
      const bytes = countBytes(server);
      const [small, large] = [server.repository(), server.repository()];
      fillRecord(small, few);
      fillRecord(large, many);
      const remote = { home, built, server, bytes };
      const append = appender(remote);
      const own = await inPairs(
        5,
        () => append(large),
        () => append(small),
      );
      const peer = await inPairs(
        3,
        () => append(large),
        () => byGit(remote, large),
      );
      const walls = (all: readonly { readonly wallMs: number }[]) => all.map((one) => one.wallMs);
      const kib = (all: readonly { readonly bytes: number }[]) => median(all.map((one) => one.bytes)) / 1024;
      const also = {
        downKiB: rounded(kib(own.ours)),
        peakMiB: rounded(median(own.ours.map((one) => one.peakMiB))),
        floorDownKiB: rounded(kib(own.floor)),
      };
      return [
        figure(
          "record-append",
          "ms",
          { ours: walls(own.ours), floor: walls(own.floor) },
          { against: "a record of 1,000", also },
        ),
        figure(
          "record-append beside git",
          "ms",
          { ours: walls(peer.ours), floor: walls(peer.floor) },
          {
            against: "git clone --bare --filter=blob:none --depth=1, plumbing, push",
            also: { floorDownKiB: rounded(kib(peer.floor)) },
          },
        ),
      ];
    } finally {
      await server.close();
    }
  },
};

type Remote = Place & { readonly server: GitServer; readonly bytes: () => number };
type Cost = { readonly wallMs: number; readonly bytes: number; readonly peakMiB: number };

/** Reads the record and pushes one entry in a process of its own with an empty cache, then takes it back. */
function appender({ home, built, server, bytes }: Remote): (to: GitRepository) => Promise<Cost> {
  return async (repository) => {
    const before = repository.git("rev-parse", recordBranch).trim();
    bytes();
    const { username, password } = server;
    const { answer, wallMs } = await runWorker<{ readonly result: string; readonly peakMiB: number }>(
      built.worker("record-append"),
      {
        remote: {
          url: repository.url,
          cacheDirectory: join(home, `cache-${randomBytes(4).toString("hex")}`),
          credentials: { username, password },
        },
        target: { cluster, branch: recordBranch, folder: "" },
        entry: newEntry,
      },
    );
    if (answer.result !== "written") throw new Error(`the entry was not written: ${answer.result}`);
    if (repository.git("rev-parse", `${recordBranch}~1`).trim() !== before)
      throw new Error("the entry is not on top of the record");
    repository.git("update-ref", `refs/heads/${recordBranch}`, before);
    return { wallMs, bytes: bytes(), peakMiB: answer.peakMiB };
  };
}

/** The same with git's commands, as sparing as they can be. */
async function byGit(
  { home, server, bytes }: Remote,
  repository: GitRepository,
): Promise<{ readonly wallMs: number; readonly bytes: number }> {
  const before = repository.git("rev-parse", recordBranch).trim();
  bytes();
  const place = join(home, `git-${randomBytes(4).toString("hex")}`);
  const url = authorised(repository.url, server);
  let wallMs = 0;
  const git = async (args: readonly string[], input = "") => {
    const done = await timedProcess("git", args, { env: gitEnvironment(), input });
    wallMs += done.wallMs;
    return done.stdout.trim();
  };
  const at = (...args: readonly string[]) => ["--git-dir", place, ...args];
  await git([
    "clone",
    "-q",
    "--bare",
    "--filter=blob:none",
    "--depth=1",
    "--branch",
    recordBranch,
    url,
    place,
  ]);
  await git(at("read-tree", recordBranch));
  const blob = await git(at("hash-object", "-w", "--stdin"), JSON.stringify(newEntry.content));
  await git(at("update-index", "--add", "--cacheinfo", `100644,${blob},${newEntry.path}`));
  const tree = await git(at("write-tree", "--missing-ok"));
  const commit = await git(at("commit-tree", tree, "-p", before, "-m", "backup shop/orders: Succeeded"));
  await git(at("push", "-q", url, `${commit}:refs/heads/${recordBranch}`));
  repository.git("update-ref", `refs/heads/${recordBranch}`, before);
  return { wallMs, bytes: bytes() };
}
