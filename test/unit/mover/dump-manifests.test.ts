import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "js-yaml";
import { afterEach, beforeEach, expect, it } from "vitest";
import { jsonText } from "../../../src/base/exact-json.ts";
import { dumpManifests } from "../../../src/mover/manifests/dump-manifests.ts";
import { everything } from "../../../src/mover/manifests/manifest-filter.ts";
import { fileNameOf } from "../../../src/mover/manifests/manifest-tree.ts";
import { parseObject } from "../../../src/mover/storage/stored-document.ts";
import { connectKube, type KubeConnection } from "../../../src/ports/kube/connect-kube.ts";

/** Answers of an API server that misbehaves in ways that a real one can hardly be brought to. */
type Answers = (path: string, query: URLSearchParams) => { readonly code: number; readonly body: object };

let server: Server;
let kube: KubeConnection;
let tree: string;
let answers: Answers;

const types = [
  { name: "configmaps", kind: "ConfigMap", namespaced: true, verbs: ["list", "create"] },
  { name: "secrets", kind: "Secret", namespaced: true, verbs: ["list", "create"] },
  { name: "nodes", kind: "Node", namespaced: false, verbs: ["list", "create"] },
  { name: "componentstatuses", kind: "ComponentStatus", namespaced: false, verbs: ["list"] },
];

beforeEach(async () => {
  tree = join(await mkdtemp(join(tmpdir(), "holdfast-dump-")), "manifest");
  server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://x");
    const { code, body } = discovery(url.pathname) ?? answers(url.pathname, url.searchParams);
    response.writeHead(code, { "content-type": "application/json" });
    response.end(jsonText(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no port");
  const kubeconfigText = JSON.stringify({
    "current-context": "x",
    contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
    clusters: [{ name: "x", cluster: { server: `http://127.0.0.1:${address.port}` } }],
    users: [{ name: "x", user: {} }],
  });
  kube = await connectKube({ kubeconfigText, qps: 10_000, burst: 10_000, patienceMs: 1_000 });
});
afterEach(async () => {
  await kube.close();
  server.closeAllConnections();
  server.close();
  await rm(join(tree, ".."), { recursive: true });
});

function discovery(path: string) {
  switch (path) {
    case "/api":
      return { code: 200, body: { kind: "APIVersions", versions: ["v1"] } };
    case "/apis":
      return { code: 200, body: { kind: "APIGroupList", groups: [] } };
    case "/api/v1":
      return { code: 200, body: { kind: "APIResourceList", groupVersion: "v1", resources: types } };
    default:
      return undefined;
  }
}

const configMap = (name: string, fields: object = {}) => ({
  metadata: { name, namespace: "shop" },
  ...fields,
});
const page = (items: readonly object[], token?: string) => ({
  code: 200,
  body: {
    kind: "List",
    apiVersion: "v1",
    metadata: { resourceVersion: "1", ...(token ? { continue: token } : {}) },
    items,
  },
});
const refusal = (code: number, reason: string) => ({
  code,
  body: { kind: "Status", code, reason, message: `it is ${reason}` },
});
const empty = page([]);

const dump = async () =>
  await dumpManifests({ kube, filter: everything, tree, log: () => {}, signal: AbortSignal.timeout(20_000) });
const saved = async () => (await readdir(join(tree, "configmaps/namespaces/shop"))).toSorted();

it("begins a list again when its continue token expired, and keeps nothing of the first half", async () => {
  let lists = 0;
  answers = (path, query) => {
    if (path !== "/api/v1/configmaps") return empty;
    if (query.has("continue")) return lists === 1 ? refusal(410, "Expired") : page([configMap("c")]);
    lists += 1;
    return page(lists === 1 ? [configMap("gone-meanwhile"), configMap("a")] : [configMap("a")], "next");
  };
  expect(await dump()).toEqual({ objects: 2, missing: [] });
  expect(await saved()).toEqual(["a.yaml", "c.yaml"]);
});

it("names a type whose list expires again and again, and keeps what it had", async () => {
  answers = (path, query) => {
    if (path !== "/api/v1/configmaps") return empty;
    return query.has("continue") ? refusal(410, "Expired") : page([configMap("a")], "next");
  };
  expect(await dump()).toEqual({
    objects: 1,
    missing: [expect.stringMatching(/^configmaps: .*410 Expired/)],
  });
  expect(await saved()).toEqual(["a.yaml"]);
});

it("names a type that went away meanwhile, and saves the others", async () => {
  answers = (path) => (path === "/api/v1/secrets" ? refusal(404, "NotFound") : page([configMap("a")]));
  expect(await dump()).toEqual({ objects: 1, missing: [expect.stringMatching(/^secrets: .*404 NotFound/)] });
});

it("asks only for types that can be listed and created again, and never for nodes", async () => {
  const asked: string[] = [];
  answers = (path) => {
    asked.push(path);
    return empty;
  };
  expect(await dump()).toEqual({ objects: 0, missing: [] });
  expect(asked).toEqual(["/api/v1/configmaps", "/api/v1/secrets"]);
  expect(await readdir(tree)).toEqual([]);
});

it("writes nothing outside the tree, whatever an object is called", async () => {
  const names = ["..", ".", "../../escape", "a/b", ""];
  answers = (path) =>
    path === "/api/v1/configmaps" ? page([...names, "good"].map((name) => configMap(name))) : empty;
  const { objects, missing } = await dump();
  expect(objects).toBe(1);
  expect(missing).toHaveLength(names.length);
  expect(await saved()).toEqual(["good.yaml"]);
});

it("saves a whole number beyond 2^53 with all of its digits", async () => {
  const limits = [1, 9_007_199_254_740_993n, -(2n ** 63n), 1e300, 1e20, 0.1];
  answers = (path) =>
    path === "/api/v1/configmaps" ? page([configMap("big", { spec: { limits } })]) : empty;
  expect(await dump()).toEqual({ objects: 1, missing: [] });
  const file = join(tree, "configmaps/namespaces/shop/big.yaml");
  expect(parseObject(await readFile(file), "it")).toMatchObject({ spec: { limits } });
  expect(await readFile(file, "utf8")).toContain("- 9007199254740993\n    - -9223372036854775808\n");
});

it("keeps names with a colon, and shortens a file's name that no disk takes, but never the object's", async () => {
  const long = "x".repeat(253);
  answers = (path) =>
    path === "/api/v1/configmaps" ? page([configMap("system:a:b"), configMap(long)]) : empty;
  expect(await dump()).toEqual({ objects: 2, missing: [] });
  const [first, second = ""] = await saved();
  expect([first, second]).toEqual(["system:a:b.yaml", fileNameOf(long)]);
  expect(Buffer.byteLength(second)).toBe(255);
  const text = await readFile(join(tree, "configmaps/namespaces/shop", second), "utf8");
  expect(load(text)).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: long } });
  expect(fileNameOf(`${"x".repeat(252)}y`)).not.toBe(second);
});

it("names at most 50 missing parts and counts the rest", async () => {
  answers = (path) =>
    path === "/api/v1/configmaps" ? page(Array.from({ length: 80 }, () => configMap(".."))) : empty;
  const { missing } = await dump();
  expect(missing).toHaveLength(50);
  expect(missing.at(-1)).toBe("and 31 more");
});

it("gives up when the server is gone, for nothing more can be read", async () => {
  answers = () => {
    server.closeAllConnections();
    server.close();
    return empty;
  };
  await expect(dump()).rejects.toThrow(/127\.0\.0\.1/);
});
