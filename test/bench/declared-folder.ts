import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type GitRepository, type GitServer, gitEnvironment, startGitServer } from "../support/git-remote.ts";
import { type Bench, figure, inPairs, median, type Place, rounded } from "./bench.ts";
import { authorised, countBytes } from "./git-bytes.ts";
import { runWorker, timedProcess } from "./timed-process.ts";

const files = 100_000;
const declared = 1_000;
const folder = "clusters/production";

export const declaredFolder: Bench = {
  name: "declared-folder",
  about:
    "a declared folder of 1,000 files out of a repository of 100,000, cold over HTTP, against git's own way",
  async run({ home, built }) {
    const server = await startGitServer({ filter: true });
    try {
      const bytes = countBytes(server);
      const repository = server.repository();
      fill(repository);
      const { ours, floor } = await inPairs(
        5,
        () => read({ home, built, server, bytes }, repository),
        () => byGit({ home, built, server, bytes }, repository),
      );
      const walls = { ours: ours.map((one) => one.wallMs), floor: floor.map((one) => one.wallMs) };
      const kib = (all: readonly { readonly bytes: number }[]) =>
        rounded(median(all.map((one) => one.bytes)) / 1024);
      const also = {
        downKiB: kib(ours),
        floorDownKiB: kib(floor),
        peakMiB: rounded(median(ours.map((one) => one.peakMiB))),
      };
      const against = "git clone --filter=blob:none --depth=1 --sparse, sparse-checkout of the folder";
      return [figure("declared-folder", "ms", walls, { against, also })];
    } finally {
      await server.close();
    }
  },
};

type Remote = Place & { readonly server: GitServer; readonly bytes: () => number };

function fill(repository: GitRepository): void {
  const texts = Array.from({ length: files }, (_, n) => {
    const path = n < declared ? `${folder}/team-${n % 20}/app-${n}.yaml` : `services/${n % 300}/src/${n}.ts`;
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-${n}\n  namespace: team\ndata:\n  n: "${n * 7_919}"\n`;
    return `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`;
  });
  const commit = "commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 0\n\n";
  repository.gitWith(commit + texts.join(""), "fast-import", "--quiet");
}

async function read({ home, built, server, bytes }: Remote, repository: GitRepository) {
  bytes();
  const { username, password } = server;
  const { answer, wallMs } = await runWorker<{ readonly files: number; readonly peakMiB: number }>(
    built.worker("declared-folder"),
    {
      remote: {
        url: repository.url,
        cacheDirectory: join(home, `cache-${randomBytes(4).toString("hex")}`),
        credentials: { username, password },
      },
      folder,
    },
  );
  if (answer.files !== declared) throw new Error(`${answer.files} files were read`);
  return { wallMs, bytes: bytes(), peakMiB: answer.peakMiB };
}

async function byGit({ home, server, bytes }: Remote, repository: GitRepository) {
  bytes();
  const place = join(home, `git-${randomBytes(4).toString("hex")}`);
  const env = gitEnvironment();
  const url = authorised(repository.url, server);
  const clone = ["clone", "-q", "--filter=blob:none", "--depth=1", "--sparse", url, place];
  const cloned = await timedProcess("git", clone, { env });
  const taken = await timedProcess("git", ["-C", place, "sparse-checkout", "set", folder], { env });
  return { wallMs: cloned.wallMs + taken.wallMs, bytes: bytes() };
}
