import { join } from "node:path";
import { ensureRestic } from "../../scripts/ensure-restic.ts";
import { builtIn } from "../../src/api/built-in.ts";
import { systemClock } from "../../src/base/clock.ts";
import { connectKube } from "../../src/ports/kube/connect-kube.ts";
import { startLocalCluster } from "../../src/shells/local-cluster.ts";
import { createGitopsRemote, type GitopsRemote } from "../support/gitops-remote.ts";
import { type Bench, type Figure, median, type Place, rounded } from "./bench.ts";
import { createObject } from "./create-object.ts";
import { runWorker } from "./timed-process.ts";

const passes = 7;
/** Few, because making one in a folder of the node is a Job. */
const repositories = 5;

/** Of one name, and each by itself, so that the figures of the small world do not wait for the large one. */
export const noopPasses: readonly Bench[] = [1_000, 10_000].map((count) => ({
  name: "noop-pass",
  about: `one pass over an unchanged world of ${count} BackupConfigurations, against listing it`,
  run: (place) => noopOf(place, count),
}));

type Taken = {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly requests: number;
  readonly writes: number;
};

type Answer = { readonly taken: readonly Taken[]; readonly settleS: number; readonly peakMiB: number };

async function noopOf({ home, built }: Place, count: number): Promise<readonly Figure[]> {
  await ensureRestic(() => undefined);
  const stop = new AbortController();
  const cluster = await startLocalCluster({ state: join(home, "cluster"), signal: stop.signal });
  try {
    const { kubeconfigPath } = cluster;
    const remote = createGitopsRemote(home);
    await prepare(kubeconfigPath);
    const pass = (times: number) =>
      runWorker<Answer>(built.worker("noop-pass"), {
        kubeconfigPath,
        remote: remote.bare,
        cacheDirectory: join(home, "cache"),
        passes: times,
      });
    // The first backups of these stand for those of all others.
    declare(remote, { home, count: repositories });
    await pass(0);
    declare(remote, { home, count });
    const { answer } = await pass(passes);
    const listed = await runWorker<{ readonly listCpuMs: readonly number[] }>(built.worker("list-kinds"), {
      kubeconfigPath,
      times: passes,
    });
    const of = (field: keyof Taken) => median(answer.taken.map((one) => one[field]));
    const [cpu, floor] = [of("cpuMs"), median(listed.answer.listCpuMs)];
    return [
      {
        name: `noop-pass ${count}`,
        median: rounded(cpu),
        unit: "ms",
        floor: rounded(floor),
        ratio: rounded(cpu / floor),
        against: "CPU of listing the same objects and discarding the pages",
        also: {
          wallMs: rounded(of("wallMs")),
          requests: of("requests"),
          writes: of("writes"),
          peakMiB: rounded(answer.peakMiB),
          /** Until the first pass that has nothing to do, with more requests per second than a real cluster is asked. */
          settleS: rounded(answer.settleS),
        },
      },
    ];
  } finally {
    stop.abort();
    await cluster.close();
  }
}

async function prepare(kubeconfigPath: string): Promise<void> {
  const kube = await connectKube({ kubeconfigPath });
  for (const name of ["vault", "app"]) await createObject(kube, builtIn.Namespace, { metadata: { name } });
  await createObject(kube, builtIn.ConfigMap, {
    metadata: { name: "settings", namespace: "app" },
    data: { mode: "x" },
  });
  await createObject(kube, builtIn.Secret, {
    metadata: { name: "restic-password", namespace: "vault" },
    stringData: { RESTIC_PASSWORD: `bench ${systemClock.now()}` },
  });
  await kube.close();
}

/** Each with a CronJob that is not due, so that the world comes to rest. */
function declare(
  remote: GitopsRemote,
  { home, count }: { readonly home: string; readonly count: number },
): void {
  const perFile = 50;
  const files = Object.fromEntries(
    Array.from({ length: Math.ceil(count / perFile) }, (_, file) => [
      `clusters/lab/configurations/${file}.yaml`,
      Array.from({ length: Math.min(perFile, count - file * perFile) }, (_one, n) =>
        configuration(file * perFile + n),
      ),
    ]),
  );
  remote.commit(`Declare ${count}`, { "clusters/lab/storage.yaml": storage(home), ...files });
}

function storage(home: string) {
  const usagePolicy = { allowedNamespaces: { from: "All" } };
  const local = {
    hostPath: { path: join(home, "backend"), type: "DirectoryOrCreate" },
    mountPath: "/backend",
  };
  return [
    {
      apiVersion: "storage.kubestash.com/v1alpha1",
      kind: "BackupStorage",
      metadata: { name: "store", namespace: "vault" },
      spec: { storage: { provider: "local", local }, usagePolicy },
    },
    {
      apiVersion: "storage.kubestash.com/v1alpha1",
      kind: "RetentionPolicy",
      metadata: { name: "keep", namespace: "vault" },
      spec: { successfulSnapshots: { last: 5 }, usagePolicy },
    },
  ];
}

function configuration(n: number) {
  return {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "BackupConfiguration",
    metadata: { name: `app-${n}`, namespace: "vault" },
    spec: {
      backends: [
        {
          name: "main",
          storageRef: { name: "store", namespace: "vault" },
          retentionPolicy: { name: "keep", namespace: "vault" },
        },
      ],
      sessions: [
        {
          name: "yearly",
          scheduler: { schedule: "0 0 29 2 *", jobTemplate: {} },
          repositories: [
            {
              name: `shared-${n % repositories}`,
              backend: "main",
              directory: `/app/${n % repositories}`,
              encryptionSecret: { name: "restic-password", namespace: "vault" },
            },
          ],
          addon: {
            name: "kubedump-addon",
            tasks: [{ name: "manifest-backup", params: { IncludeNamespaces: "app" } }],
          },
        },
      ],
    },
  };
}
