import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import type { Api } from "../../../src/embedded/api.ts";
import { type Client, createClient } from "../../../src/embedded/controllers/client.ts";
import { type Controllers, startControllers } from "../../../src/embedded/controllers/start-controllers.ts";
import { startEmbedded } from "../../../src/embedded/server.ts";
import { httpApi } from "../../support/http-api.ts";
import { kubeconfigOf } from "../../support/kube-apiserver.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { sharedKube } from "../../support/shared-kube.ts";

/** An API server with our controllers: all of them on the embedded one, only the kubelet on a real one. */
export type World = {
  readonly client: Client;
  readonly namespace: string;
  readonly stateDirectory: string;
  readonly node: string;
  readonly controllers: () => Controllers;
  /** Ends the controllers, as a stop of the process does, and starts them again. */
  readonly restart: () => Promise<void>;
  readonly logs: string[];
};

export const image = "registry.test/worker";

const worker = fileURLToPath(new URL("./worker.mjs", import.meta.url));

type Started = {
  readonly api: Api;
  readonly kubeconfig: string;
  readonly real: boolean;
  readonly close: () => Promise<void>;
};

const kinds: readonly {
  readonly name: string;
  readonly runs: boolean;
  readonly start: () => Promise<Started>;
}[] = [
  {
    name: "embedded server",
    runs: true,
    start: async () => {
      const directory = await mkdtemp(join(tmpdir(), "holdfast-embedded-"));
      const server = await startEmbedded({ directory });
      return {
        api: server.api,
        kubeconfig: server.kubeconfig,
        real: false,
        close: async () => {
          await server.close();
          await rm(directory, { recursive: true, force: true });
        },
      };
    },
  },
  {
    name: "kube-apiserver",
    runs: requireOrSkip("kube-apiserver", "etcd", "kube-controller-manager"),
    start: async () => {
      const access = await sharedKube({ controllers: true });
      const api = httpApi(access);
      return { api, kubeconfig: kubeconfigOf(access), real: true, close: () => api.close() };
    },
  },
];

/** On the embedded server with all of our controllers and on a real one with its own and our kubelet. */
export function onEveryServer(title: string, cases: (world: () => World) => void): void {
  on(kinds, title, cases);
}

/** For what a real server leaves to others: volumes, and the controllers themselves. */
export function onEmbedded(title: string, cases: (world: () => World) => void): void {
  on(kinds.slice(0, 1), title, cases);
}

function on(servers: typeof kinds, title: string, cases: (world: () => World) => void): void {
  for (const { name, runs, start } of servers) {
    describe.runIf(runs)(`${title} (${name})`, () => {
      let started: Started | undefined;
      let world: World | undefined;
      beforeAll(async () => {
        started = await start();
        world = await open(started);
      });
      afterAll(async () => {
        if (world !== undefined) await leave(world);
        await started?.close();
      });
      cases(() => {
        if (world === undefined) throw new Error("the server is not up");
        return world;
      });
    });
  }
}

export const namespaces = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
} as const;

async function open(started: Started): Promise<World> {
  const stateDirectory = await mkdtemp(join(tmpdir(), "holdfast-node-"));
  const tag = randomBytes(4).toString("hex");
  const namespace = `controllers-${tag}`;
  const node = `node-${tag}`;
  const logs: string[] = [];
  const client = createClient(started.api);
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const begin = () =>
    startControllers({
      api: started.api,
      stateDirectory,
      node,
      images: [image],
      command: [process.execPath, worker],
      credentials: async () => started.kubeconfig,
      log: (level, message) => logs.push(`${level} ${message}`),
      ...(started.real
        ? {
            only: ["node", "kubelet"],
            heartbeat: true,
            accepts: (pod: KubeObject) => pod.metadata.namespace === namespace,
          }
        : {}),
    });
  let controllers = await begin();
  return {
    client,
    namespace,
    stateDirectory,
    node,
    logs,
    controllers: () => controllers,
    async restart() {
      await controllers.close();
      controllers = await begin();
    },
  };
}

async function leave(world: World): Promise<void> {
  await world.client.delete(namespaces, { name: world.namespace });
  await world.controllers().close();
  await world.client.delete(
    { group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false },
    { name: world.node },
  );
  await rm(world.stateDirectory, { recursive: true, force: true });
}
