import type { GitRepository } from "../support/git-remote.ts";
import { type Bench, figure, inPairs, median, rounded } from "./bench.ts";
import { type Cost, type GitBench, medianKiB, openGitBench, wallsOf } from "./git-bench.ts";
import { cluster, fillRecord, newEntry, recordBranch } from "./git-record.ts";

const few = 1_000;
const many = 100_000;

export const recordAppend: Bench = {
  name: "record-append",
  about:
    "one entry more in a record of 100,000, from a cold start over HTTP, against one of 1,000 and git's own way",
  async run(place) {
    const bench = await openGitBench(place);
    try {
      const [small, large] = [bench.repository(), bench.repository()];
      fillRecord(small, few);
      fillRecord(large, many);
      const own = await inPairs(
        5,
        () => append(bench, large),
        () => append(bench, small),
      );
      const peer = await inPairs(
        3,
        () => append(bench, large),
        () => byGit(bench, large),
      );
      const also = {
        downKiB: medianKiB(own.ours),
        peakMiB: rounded(median(own.ours.map(({ answer }) => answer.peakMiB))),
        floorDownKiB: medianKiB(own.floor),
      };
      return [
        figure(
          "record-append",
          "ms",
          { ours: wallsOf(own.ours), floor: wallsOf(own.floor) },
          { against: "a record of 1,000", also },
        ),
        figure(
          "record-append beside git",
          "ms",
          { ours: wallsOf(peer.ours), floor: wallsOf(peer.floor) },
          {
            against: "git clone --bare --filter=blob:none --depth=1, plumbing, push",
            also: { floorDownKiB: medianKiB(peer.floor) },
          },
        ),
      ];
    } finally {
      await bench.close();
    }
  },
};

/** Reads the record and pushes one entry, then takes it back. */
async function append(bench: GitBench, repository: GitRepository) {
  const before = repository.git("rev-parse", recordBranch).trim();
  const target = { cluster, branch: recordBranch, folder: "" };
  const cost = await bench.byWorker<{ readonly result: string }>("record-append", repository, {
    target,
    entry: newEntry,
  });
  if (cost.answer.result !== "written") throw new Error(`the entry was not written: ${cost.answer.result}`);
  if (repository.git("rev-parse", `${recordBranch}~1`).trim() !== before)
    throw new Error("the entry is not on top of the record");
  repository.git("update-ref", `refs/heads/${recordBranch}`, before);
  return cost;
}

/** The same with git's commands, as sparing as they can be. */
async function byGit(bench: GitBench, repository: GitRepository): Promise<Cost> {
  const before = repository.git("rev-parse", recordBranch).trim();
  const cost = await bench.byGit(repository, async (git, { place, url }) => {
    const at = (...args: readonly string[]) => ["--git-dir", place, ...args];
    const sparing = ["--bare", "--filter=blob:none", "--depth=1", "--branch", recordBranch];
    await git(["clone", "-q", ...sparing, url, place]);
    await git(at("read-tree", recordBranch));
    const blob = await git(at("hash-object", "-w", "--stdin"), JSON.stringify(newEntry.content));
    await git(at("update-index", "--add", "--cacheinfo", `100644,${blob},${newEntry.path}`));
    const tree = await git(at("write-tree", "--missing-ok"));
    const commit = await git(at("commit-tree", tree, "-p", before, "-m", "backup shop/orders: Succeeded"));
    await git(at("push", "-q", url, `${commit}:refs/heads/${recordBranch}`));
  });
  repository.git("update-ref", `refs/heads/${recordBranch}`, before);
  return cost;
}
