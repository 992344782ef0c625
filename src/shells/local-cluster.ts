import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dump } from "js-yaml";
import type { KubeObject } from "../api/meta.ts";
import { systemClock } from "../base/clock.ts";
import { HoldfastError } from "../base/errors.ts";
import { startControllers } from "../embedded/controllers/start-controllers.ts";
import { type EmbeddedServer, startEmbedded } from "../embedded/server.ts";
import { connectKube } from "../ports/kube/connect-kube.ts";
import { fieldOf } from "./cli/list-kind.ts";
import { image } from "./image.ts";
import { installKinds } from "./install-kinds.ts";

export type LocalCluster = {
  readonly url: string;
  readonly kubeconfigPath: string;
  /** Ends the pods' processes, then the server. */
  close(): Promise<void>;
};

export type LocalClusterOptions = {
  /** Folder of everything that the cluster keeps; made when absent. */
  readonly state: string;
  readonly port?: number;
  readonly signal: AbortSignal;
};

const entry = fileURLToPath(new URL("../../bin/holdfast.mjs", import.meta.url));

/** The embedded Kubernetes with its controllers and our kinds, reached over HTTP like any other cluster. */
export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { state, port, signal } = options;
  await mkdir(state, { recursive: true, mode: 0o700 });
  const server = await startEmbedded({
    directory: join(state, "api"),
    clock: systemClock,
    ...(port === undefined ? {} : { port }),
  });
  const { registry, repository } = image();
  const controllers = await startControllers({
    api: server.api,
    stateDirectory: state,
    images: [`${registry}/${repository}`],
    command: [process.execPath, entry],
    credentials: (pod) => podKubeconfig(server, pod),
    clock: systemClock,
  });
  server.serveLogs(controllers.podLog);
  const close = async () => {
    await controllers.close();
    await server.close();
  };
  try {
    await installKinds(await connectKube({ kubeconfigText: server.kubeconfig }), systemClock, signal);
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { url: server.url, kubeconfigPath: server.kubeconfigPath, close };
}

/** A kubeconfig with a token of the pod's own service account. */
async function podKubeconfig(server: EmbeddedServer, pod: KubeObject): Promise<string> {
  const { namespace = "default" } = pod.metadata;
  const spec = pod["spec"];
  const account =
    typeof spec === "object" && spec !== null && "serviceAccountName" in spec
      ? String(spec.serviceAccountName)
      : "default";
  const { status, body } = await server.api.request({
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 86_400 },
    },
  });
  const token = fieldOf(body, "status", "token");
  if (status >= 300 || typeof token !== "string") {
    const next = `create the ServiceAccount ${namespace}/${account}`;
    throw new HoldfastError(
      "TokenRefused",
      `no token for the account ${account} of pod ${namespace}/${pod.metadata.name}`,
      { disposition: "stall", next },
    );
  }
  return dump({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "pod",
    clusters: [
      {
        name: "embedded",
        cluster: {
          server: server.url,
          "certificate-authority-data": Buffer.from(server.certificate).toString("base64"),
        },
      },
    ],
    contexts: [{ name: "pod", context: { cluster: "embedded", user: "pod", namespace } }],
    users: [{ name: "pod", user: { token } }],
  });
}
