import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { connectKube, type KubeConnection } from "../../../src/ports/kube/connect-kube.ts";
import type { Kube } from "../../../src/ports/kube/kube.ts";
import { configMap, configMaps } from "../kube/fixtures.ts";
import { type Dumped, restoring } from "./restoring.ts";

let server: Server;
let kube: KubeConnection;

/** An API server that takes everything and keeps nothing: the objects that are alive are those of the restore. */
beforeAll(async () => {
  let version = 0;
  const discovery: Readonly<Record<string, object>> = {
    "/api": { kind: "APIVersions", versions: ["v1"] },
    "/apis": { kind: "APIGroupList", groups: [] },
    "/api/v1": {
      kind: "APIResourceList",
      resources: [{ name: "configmaps", kind: "ConfigMap", namespaced: true, verbs: ["create"] }],
    },
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = new URL(request.url ?? "/", "http://x").pathname;
    const known = discovery[path] ?? { kind: "Namespace", metadata: { name: "big", uid: "n" } };
    version += 1;
    const body = request.method === "POST" ? ((await json(request)) as KubeObject) : undefined;
    const metadata = { ...body?.metadata, uid: `u-${version}`, resourceVersion: String(version) };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(body === undefined ? known : { ...body, metadata }));
  };
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no port");
  const kubeconfigText = JSON.stringify({
    "current-context": "x",
    contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
    clusters: [{ name: "x", cluster: { server: `http://127.0.0.1:${address.port}` } }],
    users: [{ name: "x", user: {} }],
  });
  kube = await connectKube({ kubeconfigText, qps: 100_000, burst: 100_000 });
});
afterAll(async () => {
  await kube.close();
  server.closeAllConnections();
  server.close();
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** How many objects and answers are alive when the last object of so many is sent. */
async function aliveAtTheEnd(count: number): Promise<number> {
  const owner = { apiVersion: "v1", kind: "ConfigMap", name: "nobody", uid: "u" };
  const dumped = function* (): Generator<Dumped> {
    for (let index = 0; index < count; index += 1) {
      const metadata = { ownerReferences: [owner] };
      yield [configMaps, configMap("big", `c-${index}`, { a: "x".repeat(200) }, metadata)];
    }
  };
  const seen: WeakRef<object>[] = [];
  let alive = 0;
  const watched: Kube = {
    ...kube,
    create: async (resource, object, options) => {
      const answer = await kube.create(resource, object, options);
      if (seen.push(new WeakRef(object), new WeakRef(answer)) === 2 * count) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        collectGarbage();
        alive = seen.filter((one) => one.deref() !== undefined).length;
      }
      return answer;
    },
  };
  await restoring(watched, dumped());
  expect(seen).toHaveLength(2 * count);
  return alive;
}

it("a restore keeps no object that is done, however many there are", { timeout: 240_000 }, async () => {
  expect(await aliveAtTheEnd(1000)).toBeLessThan(64);
  expect(await aliveAtTheEnd(20_000)).toBeLessThan(64);
});
