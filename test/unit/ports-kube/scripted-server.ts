import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { onTestFinished } from "vitest";
import { jsonText } from "../../../src/base/exact-json.ts";
import {
  type ConnectOptions,
  connectKube,
  type KubeConnection,
} from "../../../src/ports/kube/connect-kube.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
};

export type Script = (asked: Asked, response: ServerResponse, count: number) => void | Promise<void>;

export type Scripted = {
  readonly url: string;
  readonly asked: readonly Asked[];
  readonly kube: KubeConnection;
};

/** An HTTP server that does what the test says, with a client of ours; both end with the test. */
export async function scriptedServer(script: Script, options: ConnectOptions = {}): Promise<Scripted> {
  const asked: Asked[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const url = new URL(request.url ?? "/", "http://server");
    const { method = "", headers } = request;
    const one = { method, path: url.pathname, query: url.searchParams, headers, body };
    asked.push(one);
    await script(one, response, asked.length);
  };
  const server = createServer(
    (request, response) => void answer(request, response).catch(() => response.destroy()),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  const kube = await connectKube({ kubeconfigText: kubeconfig(url), clock: hurriedClock(), ...options });
  onTestFinished(async () => {
    await kube.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url, asked, kube };
}

export function kubeconfig(server: string, user: Record<string, unknown> = {}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "home" } }],
    "current-context": "x",
  });
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(jsonText(body));
}

export function sendStatus(response: ServerResponse, code: number, reason: string, headers = {}): void {
  response.writeHead(code, { "content-type": "application/json", ...headers });
  response.end(
    JSON.stringify({ kind: "Status", status: "Failure", code, reason, message: `it is ${reason}` }),
  );
}

export const configMaps = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
};

export const settings = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace: "demo", resourceVersion: "7" },
};

export const named = { namespace: "demo", name: "settings" };
