import { createServer } from "node:http";
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
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let server: Promise<KubeApiserver> | undefined;
  const broker = createServer(async (request, response) => {
    try {
      server ??= startKubeApiserver();
      const { startControllers, close: _, ...access } = await server;
      if (request.url === "/controllers") await startControllers();
      response.end(JSON.stringify(access));
    } catch (error) {
      response.statusCode = 500;
      response.end(error instanceof Error ? error.message : String(error));
    }
  });
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
