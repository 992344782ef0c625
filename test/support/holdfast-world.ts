import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ulid } from "ulid";
import { builtIn } from "../../src/api/built-in.ts";
import { findKind, type KindName, resourceOf } from "../../src/api/kinds.ts";
import { apiVersionOf, type KubeObject, type Resource } from "../../src/api/meta.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { startControllers } from "../../src/embedded/controllers/start-controllers.ts";
import { type PassPorts, type PassRequest, type PassResult, reconcile } from "../../src/pass/reconcile.ts";
import { openRemote } from "../../src/ports/git/open-remote.ts";
import { connectKube, type KubeConnection } from "../../src/ports/kube/connect-kube.ts";
import { openObjects } from "../../src/ports/objects/open-objects.ts";
import { controllerLoop } from "../../src/shells/controller/controller-loop.ts";
import { image } from "../../src/shells/image.ts";
import { installKinds } from "../../src/shells/install-kinds.ts";
import { startLocalCluster } from "../../src/shells/local-cluster.ts";
import { podKubeconfig } from "../../src/shells/pod-kubeconfig.ts";
import { type RunEnd, runToEnd } from "../../src/shells/run-to-end.ts";
import { version } from "../../src/shells/version.ts";
import { createGitopsRemote, type GitopsRemote } from "./gitops-remote.ts";
import { httpApi } from "./http-api.ts";
import { startKubeApiserver } from "./kube-apiserver.ts";
import { requireOrSkip } from "./real-parts.ts";

export type ClusterKind = "embedded" | "kube-apiserver";

/** A cluster, a remote and what a pass needs to work between the two. */
export type HoldfastWorld = {
  readonly kind: ClusterKind;
  /** Temporary folder of everything; gone after `close`. */
  readonly home: string;
  readonly kube: KubeConnection;
  readonly kubeconfigPath: string;
  readonly remote: GitopsRemote;
  readonly ports: PassPorts;
  readonly request: Omit<PassRequest, "flush" | "previous">;
  /** What went wrong in passes of the background controller. */
  readonly controllerErrors: unknown[];
  /** Passes until nothing is left, like `holdfast run`. */
  run(options?: { readonly timeoutMs?: number; readonly instance?: string }): Promise<RunEnd>;
  /** One pass. */
  pass(changes?: Partial<PassRequest>): Promise<PassResult>;
  /** Keeps passing in the background, like `holdfast controller`; answers how to stop it. */
  startController(changes?: Partial<PassRequest>): () => Promise<void>;
  create(object: KubeObject): Promise<KubeObject>;
  get(kind: string, namespace: string, name: string): Promise<KubeObject | undefined>;
  list(kind: string, namespace?: string): Promise<readonly KubeObject[]>;
  close(): Promise<void>;
};

/** Which clusters the whole flow can be tried on here; the real one with its own controllers and our kubelet. */
export const clusterKinds: readonly { readonly kind: ClusterKind; readonly runs: boolean }[] = [
  { kind: "embedded", runs: requireOrSkip("restic", "git") },
  {
    kind: "kube-apiserver",
    runs: requireOrSkip("restic", "git", "kube-apiserver", "etcd", "kube-controller-manager"),
  },
];

export type WorldOptions = {
  readonly kind?: ClusterKind;
  /** Time as the passes see it. */
  readonly clock?: Clock;
  /** Instead of a new one: the folder of an earlier world's remote. */
  readonly remote?: GitopsRemote;
  /** Address of that remote, instead of its folder. */
  readonly url?: string;
  /** Instead of a fresh one: the embedded cluster's state folder of an earlier world. */
  readonly state?: string;
};

export async function openWorld(options: WorldOptions = {}): Promise<HoldfastWorld> {
  const { kind = "embedded", clock = systemClock } = options;
  const home = await mkdtemp(join(tmpdir(), "holdfast-world-"));
  const stop = new AbortController();
  const cluster =
    kind === "embedded"
      ? await embeddedCluster(options.state ?? join(home, "cluster"), stop.signal)
      : await realCluster(join(home, "node"), stop.signal);
  const kube = await connectKube({ kubeconfigPath: cluster.kubeconfigPath, qps: 500, burst: 1000 });
  const remote = options.remote ?? createGitopsRemote(home);
  const ports: PassPorts = {
    kube,
    openObjects,
    version,
    clock,
    remote: openRemote({ url: options.url ?? remote.bare, cacheDirectory: join(home, "cache") }),
    signal: stop.signal,
  };
  const request = { cluster: "lab", branch: "main", instance: ulid(), image: image(), version };
  const stops: (() => Promise<void>)[] = [];
  const controllerErrors: unknown[] = [];
  return {
    kind,
    home,
    kube,
    kubeconfigPath: cluster.kubeconfigPath,
    remote,
    ports,
    request,
    controllerErrors,
    run: ({ timeoutMs = 120_000, instance = request.instance } = {}) =>
      runToEnd(ports, { ...request, instance }, { timeoutMs }),
    pass: (changes = {}) => reconcile(ports, { ...request, flush: false, ...changes }),
    startController(changes = {}) {
      const ending = new AbortController();
      const loop = controllerLoop(
        { ...ports, signal: AbortSignal.any([stop.signal, ending.signal]) },
        { ...request, ...changes },
        { onPass: () => undefined, onError: (error) => controllerErrors.push(error) },
      );
      const end = async () => {
        ending.abort();
        await loop;
      };
      stops.push(end);
      return end;
    },
    create: (object) => kube.create(resourceFor(object), object, { manager: "test" }),
    get: (name, namespace, object) =>
      kube.get(namedResource(name), namespace === "" ? { name: object } : { namespace, name: object }),
    async list(name, namespace) {
      const items: KubeObject[] = [];
      for await (const page of kube.list(namedResource(name), namespace === undefined ? {} : { namespace }))
        items.push(...page.items);
      return items;
    },
    async close() {
      await Promise.all(stops.map((end) => end()));
      stop.abort();
      await kube.close();
      await cluster.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

type Cluster = { readonly kubeconfigPath: string; close(): Promise<void> };

async function embeddedCluster(state: string, signal: AbortSignal): Promise<Cluster> {
  return startLocalCluster({ state, signal });
}

const entry = fileURLToPath(new URL("../../bin/holdfast.mjs", import.meta.url));

/** kube-apiserver and kube-controller-manager as they are; pods are run by our kubelet with their own accounts. */
async function realCluster(stateDirectory: string, signal: AbortSignal): Promise<Cluster> {
  const server = await startKubeApiserver({ controllers: true });
  const api = httpApi(server);
  const { registry, repository } = image();
  const controllers = await startControllers({
    api,
    stateDirectory,
    images: [`${registry}/${repository}`],
    command: [process.execPath, entry],
    credentials: (pod) => podKubeconfig(api, { url: server.url, certificate: server.ca }, pod),
    only: ["node", "kubelet", "volumes"],
    heartbeat: true,
  });
  const kube = await connectKube({ kubeconfigPath: server.kubeconfigPath });
  await installKinds(kube, systemClock, signal);
  await kube.close();
  return {
    kubeconfigPath: server.kubeconfigPath,
    async close() {
      await controllers.close();
      await api.close();
      await server.close();
    },
  };
}

export function namedResource(kind: string): Resource {
  const found = Object.values(builtIn).find((one) => one.kind === kind);
  return found ?? resourceOf(kind as KindName);
}

export function resourceFor(object: KubeObject): Resource {
  const found =
    findKind(object)?.resource ??
    Object.values(builtIn).find((one) => one.kind === object.kind && apiVersionOf(one) === object.apiVersion);
  if (found === undefined) throw new Error(`no resource is known for ${object.apiVersion} ${object.kind}`);
  return found;
}
