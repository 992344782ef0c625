import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startControllers } from "../../../../src/embedded/controllers/start-controllers.ts";
import { startEmbedded } from "../../../../src/embedded/server.ts";
import { kubeconfigOf, startKubeApiserver } from "../../../support/kube-apiserver.ts";
import { rawKube } from "../../../support/raw-kube.ts";
import type { Stage } from "./session.ts";

type Access = { readonly url: string; readonly ca: string; readonly token: string };

export type Theatre = {
  /** A fresh namespace and folder on the real server and on the embedded one, in this order. */
  open(): Promise<readonly [Stage, Stage]>;
  close(): Promise<void>;
};

/** Both servers with the controllers of workloads and volumes and without a kubelet: pods are nowhere run. */
export async function openTheatre(): Promise<Theatre> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-kubectl-"));
  // `kubectl get all` tells of the whole cluster, so no other test may be on it.
  const real = await startKubeApiserver({ controllers: true });
  const server = await startEmbedded({ directory: join(directory, "state") });
  const controllers = await startControllers({
    api: server.api,
    stateDirectory: join(directory, "node"),
    images: [],
    command: [],
    credentials: () => Promise.reject(new Error("no pod is run here")),
    only: ["jobs", "cron-jobs", "replica-sets", "deployments", "stateful-sets", "daemon-sets", "volumes"],
  });
  const embedded: Access = { url: server.url, ca: server.certificate, token: server.token };
  const opened: (() => Promise<void>)[] = [];
  const openOn = async (access: Access): Promise<Stage> => {
    const tag = `t${randomBytes(4).toString("hex")}`;
    const namespace = `session-${tag}`;
    const home = await mkdtemp(join(directory, "home-"));
    const kubeconfigPath = join(home, "kubeconfig");
    await writeFile(kubeconfigPath, kubeconfigOf(access), { mode: 0o600 });
    const raw = rawKube(access);
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
    const { status } = await raw.request("POST", "/api/v1/namespaces", { body });
    opened.push(async () => {
      await raw.request("DELETE", `/api/v1/namespaces/${namespace}`);
      await raw.close();
    });
    if (status !== 201) throw new Error(`namespace ${namespace} was not created: ${status}`);
    return { url: access.url, kubeconfigPath, namespace, tag, home };
  };
  return {
    open: async () => [await openOn(real), await openOn(embedded)],
    close: async () => {
      for (const leave of opened) await leave();
      await controllers.close();
      await server.close();
      await real.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
