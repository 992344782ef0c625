import { randomFillSync } from "node:crypto";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureRestic } from "../../scripts/ensure-restic.ts";
import { builtIn } from "../../src/api/built-in.ts";
import { resourceOf } from "../../src/api/kinds.ts";
import { connectKube, type KubeConnection } from "../../src/ports/kube/connect-kube.ts";
import { startLocalCluster } from "../../src/shells/local-cluster.ts";
import { type Bench, figure, inPairs, type Place } from "./bench.ts";
import { createObject } from "./create-object.ts";
import { timedProcess } from "./timed-process.ts";

const files = 20_000;
const bytesEach = Math.floor(2 ** 30 / files);
const password = "bench";

export const volumeBackup: Bench = {
  name: "volume-backup",
  about:
    "1 GiB in 20,000 files: the whole Job with its proof, against bare restic into the same kind of repository",
  async run({ home, built }) {
    await ensureRestic(() => undefined);
    fillVolume(join(home, "root/data"));
    const template = await emptyRepository(home);
    const stop = new AbortController();
    const cluster = await startLocalCluster({ state: join(home, "cluster"), signal: stop.signal });
    const kube = await connectKube({ kubeconfigPath: cluster.kubeconfigPath });
    try {
      await prepare(kube);
      const world = { home, built, template, kube, kubeconfigPath: cluster.kubeconfigPath };
      const { ours, floor } = await inPairs(
        3,
        () => byJob(world),
        () => byRestic(world),
      );
      const against = "restic backup";
      const walls = {
        ours: ours.map((one) => one.wallMs / 1000),
        floor: floor.map((one) => one.wallMs / 1000),
      };
      const cpu = { ours: ours.map((one) => one.cpuMs ?? 0), floor: floor.map((one) => one.cpuMs ?? 0) };
      return [
        figure("volume-backup", "s", walls, { against }),
        figure("volume-backup cpu", "ms", cpu, { against }),
      ];
    } finally {
      await kube.close();
      stop.abort();
      await cluster.close();
    }
  },
};

type World = Omit<Place, "objects"> & {
  /** An initialised restic repository with nothing in it. */
  readonly template: string;
  readonly kube: KubeConnection;
  readonly kubeconfigPath: string;
};

const resticEnvironment = { RESTIC_PASSWORD: password };
let runs = 0;

function fillVolume(folder: string): void {
  const content = Buffer.alloc(bytesEach);
  for (let file = 0; file < files; file += 1) {
    const place = join(folder, String(file % 200));
    if (file < 200) mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `${file}.bin`), randomFillSync(content));
  }
}

async function emptyRepository(home: string): Promise<string> {
  const template = join(home, "template");
  await timedProcess("restic", ["init", "-q", "-r", template], { env: resticEnvironment });
  return template;
}

async function byRestic({ home, template }: World) {
  const repository = join(home, "bare");
  rmSync(repository, { recursive: true, force: true });
  cpSync(template, repository, { recursive: true });
  const args = ["backup", "--json", "-q", "-r", repository, "--cache-dir", join(home, "cache-bare"), "."];
  const cost = await timedProcess("restic", args, { cwd: join(home, "root/data"), env: resticEnvironment });
  rmSync(join(home, "cache-bare"), { recursive: true, force: true });
  return cost;
}

/** `holdfast job workload-backup` as a pod would run it. */
async function byJob({ home, built, template, kube, kubeconfigPath }: World) {
  runs += 1;
  const [session, snapshot, directory] = [`bench-${runs}`, `volume-bench-${runs}`, `volume-${runs}`];
  const repository = join(home, "root/backend", directory, "repository/v1/often/dump");
  mkdirSync(join(repository, ".."), { recursive: true });
  cpSync(template, repository, { recursive: true });
  await prepareSession(kube, { session, snapshot, directory });
  const args = ["--namespace=vault", `--backupsession=${session}`, "--paths=/data"];
  const cost = await timedProcess(process.execPath, [built.entry, "job", "workload-backup", ...args], {
    env: { KUBECONFIG: kubeconfigPath, HOLDFAST_ROOT: join(home, "root"), COMPONENT_NAME: "dump" },
  });
  const done = await kube.get(resourceOf("Snapshot"), { namespace: "vault", name: snapshot });
  if (!JSON.stringify(done?.["status"]).includes('"phase":"Succeeded"'))
    throw new Error(`${snapshot} did not succeed`);
  rmSync(join(home, "root/backend"), { recursive: true, force: true });
  return cost;
}

async function prepare(kube: KubeConnection): Promise<void> {
  await createObject(kube, builtIn.Namespace, { metadata: { name: "vault" } });
  await createObject(kube, builtIn.Secret, {
    metadata: { namespace: "vault", name: "restic-key" },
    stringData: { RESTIC_PASSWORD: password },
  });
  await createObject(kube, resourceOf("BackupStorage"), {
    metadata: { namespace: "vault", name: "main" },
    spec: {
      storage: { provider: "local", local: { hostPath: { path: "/srv" }, mountPath: "/backend" } },
      usagePolicy: { allowedNamespaces: { from: "All" } },
    },
  });
}

type Names = { readonly session: string; readonly snapshot: string; readonly directory: string };

/** The objects that the controller makes before the Job. */
async function prepareSession(kube: KubeConnection, { session, snapshot, directory }: Names): Promise<void> {
  const appRef = { apiGroup: "na", name: "na" };
  await createObject(kube, resourceOf("Repository"), {
    metadata: { namespace: "vault", name: directory },
    spec: {
      appRef,
      storageRef: { name: "main" },
      path: `/${directory}`,
      encryptionSecret: { name: "restic-key" },
    },
  });
  await createObject(kube, resourceOf("BackupSession"), {
    metadata: { namespace: "vault", name: session },
    spec: {
      invoker: { apiGroup: "core.kubestash.com", kind: "BackupConfiguration", name: "bench" },
      session: "often",
    },
  });
  await createObject(kube, resourceOf("Snapshot"), {
    metadata: { namespace: "vault", name: snapshot },
    spec: {
      snapshotID: `01${snapshot}`,
      type: "FullBackup",
      version: "v1",
      repository: directory,
      session: "often",
      backupSession: session,
      appRef,
    },
  });
  const status = { snapshots: [{ name: snapshot, repository: directory }] };
  await kube.mergePatch(
    resourceOf("BackupSession"),
    { namespace: "vault", name: session },
    { status },
    { manager: "bench", subresource: "status" },
  );
}
