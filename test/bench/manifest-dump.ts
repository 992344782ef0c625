import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { startEmbedded } from "../../src/embedded/server.ts";
import { type Bench, figure, inPairs, median, rounded } from "./bench.ts";
import { runWorker } from "./timed-process.ts";

const namespaces = 100;
const each = 100;

export const manifestDump: Bench = {
  name: "manifest-dump",
  about: "10,000 objects written as the documented tree, against listing and discarding the same pages",
  async run({ home, built }) {
    const server = await startEmbedded({ directory: join(home, "api"), clock: systemClock });
    try {
      await fill(server.api);
      const { kubeconfigPath } = server;
      const { ours, floor } = await inPairs(
        5,
        () => {
          // A tree of its own: ext4 is slow to make files for a minute after as many were removed.
          const tree = mkdtempSync(join(home, "tree-"));
          return runWorker<Answer>(built.worker("manifest-dump"), { kubeconfigPath, tree });
        },
        () => runWorker<Answer>(built.worker("list-discard"), { kubeconfigPath }),
      );
      const [dumped = 0, listed = 0] = [ours[0]?.answer.objects, floor[0]?.answer.objects];
      if (dumped < namespaces * each || listed < dumped)
        throw new Error(`${dumped} objects were dumped and ${listed} listed`);
      const against = "Node.js that lists the same pages and discards them";
      const also = { objects: dumped, peakMiB: rounded(median(ours.map((one) => one.answer.peakMiB))) };
      const cpu = (all: typeof ours) => all.map((one) => one.cpuMs ?? 0);
      const wall = (all: typeof ours) => all.map((one) => one.wallMs);
      return [
        figure("manifest-dump", "ms", { ours: wall(ours), floor: wall(floor) }, { against, also }),
        figure("manifest-dump cpu", "ms", { ours: cpu(ours), floor: cpu(floor) }, { against }),
      ];
    } finally {
      await server.close();
    }
  },
};

type Answer = { readonly objects: number; readonly peakMiB: number };

async function fill(api: Awaited<ReturnType<typeof startEmbedded>>["api"]): Promise<void> {
  const create = async (path: string, body: object) => {
    const { status } = await api.request({ method: "POST", path, body });
    if (status !== 201) throw new Error(`POST ${path}: ${status}`);
  };
  for (let n = 0; n < namespaces; n += 1) {
    const name = `team-${n}`;
    await create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    for (let one = 0; one < each; one += 1)
      await create(`/api/v1/namespaces/${name}/configmaps`, {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: `settings-${one}`, labels: { app: `app-${one % 7}` } },
        data: { "app.yaml": `mode: "0644"\n${`line ${n} ${one}: some text of a setting\n`.repeat(70)}` },
      });
  }
}
