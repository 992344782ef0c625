import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../base/clock.ts";
import { startControllers } from "../embedded/controllers/start-controllers.ts";
import { startEmbedded } from "../embedded/server.ts";
import { connectKube } from "../ports/kube/connect-kube.ts";
import { image } from "./image.ts";
import { installKinds } from "./install-kinds.ts";
import { podKubeconfig } from "./pod-kubeconfig.ts";

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
    credentials: (pod) => podKubeconfig(server.api, server, pod),
    clock: systemClock,
    log: (level, message) => {
      if (level !== "info") process.stderr.write(`embedded: ${message}\n`);
    },
  });
  server.serveLogs(controllers.podLog);
  const close = async () => {
    await controllers.close();
    await server.close();
  };
  try {
    const kube = await connectKube({ kubeconfigText: server.kubeconfig });
    await installKinds(kube, systemClock, signal);
    await kube.close();
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { url: server.url, kubeconfigPath: server.kubeconfigPath, close };
}
