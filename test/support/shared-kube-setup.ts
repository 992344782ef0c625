import { createServer, type ServerResponse } from "node:http";
import type { TestProject } from "vitest/node";
import { type KubeApiserver, startKubeApiserver } from "./kube-apiserver.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where test files ask for the API server that they share. */
    readonly kubeBroker: string;
  }
}

/**
 * One API server for all test files of a project, started when the first one asks for it
 * (`sharedKube` in shared-kube.ts), so that runs which need none pay nothing.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let server: Promise<KubeApiserver> | undefined;
  const answer = async (path: string | undefined, response: ServerResponse) => {
    try {
      server ??= startKubeApiserver();
      const running = await server;
      if (path === "/controllers") await running.startControllers();
      const { url, ca, token, kubeconfig, kubeconfigPath } = running;
      response.end(JSON.stringify({ url, ca, token, kubeconfig, kubeconfigPath }));
    } catch (error) {
      response.statusCode = 500;
      response.end(error instanceof Error ? error.message : String(error));
    }
  };
  const broker = createServer((request, response) => void answer(request.url, response));
  await new Promise<void>((resolve) => broker.listen(0, "127.0.0.1", resolve));
  const address = broker.address();
  if (typeof address !== "object" || address === null) throw new Error("the broker has no port");
  project.provide("kubeBroker", `http://127.0.0.1:${address.port}`);
  return async () => {
    broker.closeAllConnections();
    broker.close();
    await (await server?.catch(() => undefined))?.close();
  };
}
