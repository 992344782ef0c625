import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ulid } from "ulid";
import { builtIn } from "../../../src/api/built-in.ts";
import { resourceOf } from "../../../src/api/kinds.ts";
import type { KubeObject, Resource } from "../../../src/api/meta.ts";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { startControllers } from "../../../src/embedded/controllers/start-controllers.ts";
import { startEmbedded } from "../../../src/embedded/server.ts";
import { type PassPorts, type PassResult, reconcile } from "../../../src/pass/reconcile.ts";
import { openRemote } from "../../../src/ports/git/open-remote.ts";
import { connectKube, type KubeConnection } from "../../../src/ports/kube/connect-kube.ts";
import { openObjects } from "../../../src/ports/objects/open-objects.ts";
import { image } from "../../../src/shells/image.ts";
import { installKinds } from "../../../src/shells/install-kinds.ts";
import { podKubeconfig } from "../../../src/shells/pod-kubeconfig.ts";
import { type RunEnd, runToEnd } from "../../../src/shells/run-to-end.ts";
import { version } from "../../../src/shells/version.ts";
import { createGitopsRemote, type GitopsRemote } from "../../support/gitops-remote.ts";
import { namedResource, resourceFor } from "../../support/holdfast-world.ts";
import { pathOf } from "../../support/real-parts.ts";
import { type Reaper, startReaper } from "../../support/reaper.ts";
import { type ReverseProxy, startReverseProxy } from "../../support/reverse-proxy.ts";
import { type S3Server, startS3 } from "../../support/s3.ts";

export const entry = fileURLToPath(new URL("../../../bin/holdfast.mjs", import.meta.url));
export const bucket = "backups";

/**
 * An embedded cluster, an S3 server and a remote, with a place between each two where a fault can be put: every
 * request of a Job and of `holdfast run` to the API server and to S3 goes through a proxy, the remote has hooks,
 * and `restic` is found through a script.
 */
export type FaultWorld = {
  readonly home: string;
  readonly s3: S3Server;
  /** What the storage holds, as files. */
  readonly backend: string;
  /** Where Jobs and passes find S3. */
  readonly store: ReverseProxy;
  /** Where Jobs and `holdfast run` find the API server. */
  readonly api: ReverseProxy;
  /** Of `holdfast run`: through the proxy. */
  readonly kubeconfigPath: string;
  readonly remote: GitopsRemote;
  /** Holds `restic`, the script that looks for orders. */
  readonly bin: string;
  readonly kube: KubeConnection;
  run(options?: { readonly timeoutMs?: number; readonly aheadMs?: number }): Promise<RunEnd>;
  pass(options?: { readonly aheadMs?: number }): Promise<PassResult>;
  create(object: KubeObject): Promise<KubeObject>;
  get(kind: string, namespace: string, name: string): Promise<KubeObject | undefined>;
  list(kind: string, namespace?: string): Promise<readonly KubeObject[]>;
  /** Processes of Jobs: their pids, by what they run. */
  movers(): readonly number[];
  restics(): readonly number[];
  /** Of what a test starts beside the world. */
  readonly reaper: Pick<Reaper, "watchProcess">;
  close(): Promise<void>;
};

export type FaultWorldOptions = {
  /** Called with the folder in which pods and their scratch volumes will be. */
  readonly beforeStart?: (podsFolder: string, home: string) => void;
  /** Below the world's home, instead of S3. */
  readonly backend?: string;
};

export async function openFaultWorld(options: FaultWorldOptions = {}): Promise<FaultWorld> {
  const home = mkdtempSync(join(tmpdir(), "holdfast-faults-"));
  const reaper = startReaper();
  reaper.watchDirectory(home);
  const stop = new AbortController();
  const s3 = await startS3();
  await s3.createBucket(bucket);
  const store = await startReverseProxy(s3.endpoint);
  const state = join(home, "cluster");
  options.beforeStart?.(join(state, "pods"), home);
  const server = await startEmbedded({ directory: join(state, "api"), clock: systemClock });
  const api = await startReverseProxy(server.url, server.certificate);
  const bin = resticScript(home);
  const { registry, repository } = image();
  const controllers = await startControllers({
    api: server.api,
    stateDirectory: state,
    images: [`${registry}/${repository}`],
    command: [process.execPath, entry],
    credentials: (pod) => podKubeconfig(server.api, { url: api.url, certificate: server.certificate }, pod),
    environment: { PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`, ...compiledOnce(home) },
  });
  server.serveLogs(controllers.podLog);
  const kube = await connectKube({ kubeconfigText: server.kubeconfig, qps: 500, burst: 1000 });
  await installKinds(kube, systemClock, stop.signal);
  const kubeconfigPath = join(home, "kubeconfig");
  writeFileSync(kubeconfigPath, server.kubeconfig.replaceAll(server.url, api.url), { mode: 0o600 });
  const remote = createGitopsRemote(home);
  const sleep = lightSleeper(kube, stop.signal);
  const ports = (aheadMs: number): PassPorts => ({
    kube,
    openObjects,
    version,
    clock: { ...systemClock, now: () => systemClock.now() + aheadMs, sleep },
    remote: openRemote({ url: remote.bare, cacheDirectory: join(home, "cache") }),
    signal: stop.signal,
  });
  // Runs are of different processes, single passes of one: a claim belongs to who made it.
  const place = { cluster: "lab", branch: "main", image: image(), version };
  const request = (instance = ulid()) => ({ ...place, instance });
  const passing = ulid();
  return {
    home,
    s3,
    backend: options.backend === undefined ? join(s3.directory, bucket, "lab") : join(home, options.backend),
    store,
    api,
    kubeconfigPath,
    remote,
    bin,
    kube,
    run: ({ timeoutMs = 120_000, aheadMs = 0 } = {}) => runToEnd(ports(aheadMs), request(), { timeoutMs }),
    pass: ({ aheadMs = 0 } = {}) => reconcile(ports(aheadMs), { ...request(passing), flush: true }),
    create: (object) => kube.create(resourceFor(object), object, { manager: "test" }),
    get: (kind, namespace, name) =>
      kube.get(namedResource(kind), namespace === "" ? { name } : { namespace, name }),
    async list(kind, namespace) {
      const items: KubeObject[] = [];
      for await (const page of kube.list(namedResource(kind), namespace === undefined ? {} : { namespace }))
        items.push(...page.items);
      return items;
    },
    movers: () => processesBelow(state, (argv) => argv[1] === entry),
    reaper,
    restics: () => processesBelow(state, (argv) => argv[0]?.endsWith("/restic") === true),
    async close() {
      stop.abort();
      await kube.close();
      await controllers.close();
      await server.close();
      await Promise.all([api.close(), store.close()]);
      await s3.stop();
      await reaper.close();
    },
  };
}

/**
 * `restic` as Jobs find it. An order is a file named after one of restic's commands beside the script: it is
 * taken once, and says who dies as that command begins: restic itself, its `parent`, or the parent's `group`.
 */
function resticScript(home: string): string {
  const bin = join(home, "bin");
  mkdirSync(join(bin, "orders"), { recursive: true });
  const script = `#!/bin/sh
for word; do
  if [ -e "${bin}/orders/$word" ] && mv "${bin}/orders/$word" "${bin}/orders/taken-$word" 2>/dev/null; then
    case "$(cat "${bin}/orders/taken-$word")" in
      parent) kill -9 $PPID ;;
      group) kill -9 -$PPID ;;
      *) kill -9 $$ ;;
    esac
  fi
done
exec ${pathOf("restic")} "$@"
`;
  writeFileSync(join(bin, "restic"), script);
  chmodSync(join(bin, "restic"), 0o755);
  return bin;
}

/** Sleeps for a second, or until a Job has changed something: a pass before that costs time and finds nothing. */
function lightSleeper(kube: KubeConnection, signal: AbortSignal): Clock["sleep"] {
  let wake = () => {};
  const follow = async (resource: Resource) => {
    for await (const _change of kube.follow(resource, { signal })) wake();
  };
  for (const resource of [builtIn.Job, resourceOf("Snapshot"), resourceOf("RestoreSession")])
    void follow(resource);
  return async () => {
    const awake = new AbortController();
    wake = () => awake.abort();
    await systemClock.sleep(1_000, AbortSignal.any([signal, awake.signal]));
  };
}

/** Processes of Node.js compile the sources once for all of them: half of what it costs to start one. */
export function compiledOnce(home: string): { readonly NODE_COMPILE_CACHE: string } {
  return { NODE_COMPILE_CACHE: join(home, "compiled") };
}

/** Processes that were given a folder below this one as their root. */
function processesBelow(folder: string, fits: (argv: readonly string[]) => boolean): readonly number[] {
  if (!existsSync("/proc")) return [];
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const environment = readFileSync(`/proc/${name}/environ`, "utf8");
      if (!environment.includes(`HOLDFAST_ROOT=${folder}`)) return [];
      return fits(readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0")) ? [Number(name)] : [];
    } catch {
      // Gone meanwhile.
      return [];
    }
  });
}
