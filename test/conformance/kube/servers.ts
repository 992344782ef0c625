import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { startEmbedded } from "../../../src/embedded/server.ts";
import { connectKube, type KubeConnection } from "../../../src/ports/kube/connect-kube.ts";
import { type RawKube, rawKube } from "../../support/raw-kube.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { sharedKube } from "../../support/shared-kube.ts";

/** One API server under test, with a namespace that belongs to the file that runs. */
export type Server = {
  readonly raw: RawKube;
  readonly kube: KubeConnection;
  readonly namespace: string;
  readonly kubeconfigPath: string;
  /** Unique in this run: for names of cluster-scoped objects and API groups. */
  readonly tag: string;
};

type Started = {
  readonly url: string;
  readonly ca?: string;
  readonly token?: string;
  readonly kubeconfigPath: string;
  close(): Promise<void>;
};

export type ServerName = "kube-apiserver" | "embedded server";

type Candidate = {
  readonly name: ServerName;
  readonly runs: boolean;
  readonly start: () => Promise<Started>;
};

const candidates: readonly Candidate[] = [
  {
    name: "kube-apiserver",
    runs: requireOrSkip("kube-apiserver", "etcd", "kube-controller-manager"),
    start: async () => ({ ...(await sharedKube({ controllers: true })), close: async () => {} }),
  },
  { name: "embedded server", runs: true, start: startEmbeddedServer },
];

/**
 * Both servers for the groups of one test file: the same cases against a real kube-apiserver (with its
 * controllers) and against the embedded server, or against one of them. `server()` is for use inside of cases.
 */
export function kubeServers(
  only?: ServerName,
): (title: string, cases: (server: () => Server) => void) => void {
  const running = new Map<string, Promise<{ readonly server: Server; close(): Promise<void> }>>();
  afterAll(async () => {
    for (const opened of running.values()) await (await opened).close();
  });
  return (title, cases) => {
    for (const { name, runs, start } of candidates) {
      if (only !== undefined && only !== name) continue;
      describe.runIf(runs)(`${title} (${name})`, () => {
        let server: Server | undefined;
        beforeAll(async () => {
          const opened = running.get(name) ?? start().then(open);
          running.set(name, opened);
          server = (await opened).server;
        });
        cases(() => {
          if (server === undefined) throw new Error("the server is not up");
          return server;
        });
      });
    }
  };
}

async function open(started: Started) {
  const raw = rawKube(started);
  const kube = await connectKube({ kubeconfigPath: started.kubeconfigPath, qps: 1000, burst: 1000 });
  const tag = `t${randomBytes(4).toString("hex")}`;
  const namespace = `conformance-${tag}`;
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
  const { status } = await raw.request("POST", "/api/v1/namespaces", { body });
  if (status !== 201) throw new Error(`namespace ${namespace} was not created: ${status}`);
  const close = async () => {
    await raw.request("DELETE", `/api/v1/namespaces/${namespace}`);
    await kube.close();
    await raw.close();
    await started.close();
  };
  const server: Server = { raw, kube, namespace, tag, kubeconfigPath: started.kubeconfigPath };
  return { server, close };
}

async function startEmbeddedServer(): Promise<Started> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-conformance-"));
  const running = await startEmbedded({ directory });
  const { url, token, certificate, kubeconfigPath } = running;
  const close = async () => {
    await running.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { url, ca: certificate, token, kubeconfigPath, close };
}
