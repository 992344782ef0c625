import type { GitRepository } from "../support/git-remote.ts";
import { type Bench, figure, inPairs, median, rounded } from "./bench.ts";
import { type GitBench, medianKiB, openGitBench, wallsOf } from "./git-bench.ts";

const files = 100_000;
const declared = 1_000;
const folder = "clusters/production";

export const declaredFolder: Bench = {
  name: "declared-folder",
  about:
    "a declared folder of 1,000 files out of a repository of 100,000, cold over HTTP, against git's own way",
  async run(place) {
    const bench = await openGitBench(place);
    try {
      const repository = bench.repository();
      fill(repository);
      const { ours, floor } = await inPairs(
        5,
        () => read(bench, repository),
        () => byGit(bench, repository),
      );
      const also = {
        downKiB: medianKiB(ours),
        floorDownKiB: medianKiB(floor),
        peakMiB: rounded(median(ours.map(({ answer }) => answer.peakMiB))),
      };
      const against = "git clone --filter=blob:none --depth=1 --sparse, sparse-checkout of the folder";
      const walls = { ours: wallsOf(ours), floor: wallsOf(floor) };
      return [figure("declared-folder", "ms", walls, { against, also })];
    } finally {
      await bench.close();
    }
  },
};

function fill(repository: GitRepository): void {
  const texts = Array.from({ length: files }, (_, n) => {
    const path = n < declared ? `${folder}/team-${n % 20}/app-${n}.yaml` : `services/${n % 300}/src/${n}.ts`;
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-${n}\n  namespace: team\ndata:\n  n: "${n * 7_919}"\n`;
    return `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`;
  });
  const commit = "commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 0\n\n";
  repository.gitWith(commit + texts.join(""), "fast-import", "--quiet");
}

async function read(bench: GitBench, repository: GitRepository) {
  const cost = await bench.byWorker<{ readonly files: number }>("declared-folder", repository, { folder });
  if (cost.answer.files !== declared) throw new Error(`${cost.answer.files} files were read`);
  return cost;
}

function byGit(bench: GitBench, repository: GitRepository) {
  return bench.byGit(repository, async (git, { place, url }) => {
    await git(["clone", "-q", "--filter=blob:none", "--depth=1", "--sparse", url, place]);
    await git(["-C", place, "sparse-checkout", "set", folder]);
  });
}
