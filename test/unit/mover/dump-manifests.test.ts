import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "js-yaml";
import { afterEach, beforeEach, expect, it } from "vitest";
import { jsonText } from "../../../src/base/exact-json.ts";
import {
  type DumpProgress,
  type DumpRequest,
  dumpManifests,
} from "../../../src/mover/manifests/dump-manifests.ts";
import { everything } from "../../../src/mover/manifests/manifest-filter.ts";
import { fileNameOf } from "../../../src/mover/manifests/manifest-tree.ts";
import { parseObject } from "../../../src/mover/storage/stored-document.ts";
import { connectKube, type KubeConnection } from "../../../src/ports/kube/connect-kube.ts";
import type { DiscoveredResource, Kube, ListPage } from "../../../src/ports/kube/kube.ts";
import { KubeError } from "../../../src/ports/kube/kube-error.ts";

/** Answers of an API server that misbehaves in ways that a real one can hardly be brought to. */
type Answers = (path: string, query: URLSearchParams) => { readonly code: number; readonly body: object };

let server: Server;
let kube: KubeConnection;
let tree: string;
let answers: Answers;

const types = [
  { name: "configmaps", kind: "ConfigMap", namespaced: true, verbs: ["list", "create"] },
  { name: "secrets", kind: "Secret", namespaced: true, verbs: ["list", "create"] },
  { name: "events", kind: "Event", namespaced: true, verbs: ["list", "create"] },
  { name: "pods", kind: "Pod", namespaced: true, verbs: ["list", "create"] },
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

function typeOf(plural: string, group: string): DiscoveredResource {
  const verbs = ["list", "create"];
  return {
    group,
    version: "v1",
    kind: "Thing",
    plural,
    namespaced: true,
    verbs,
    shortNames: [],
    preferred: true,
  };
}
const configMaps = typeOf("configmaps", "");

async function* failing(error: KubeError): AsyncGenerator<ListPage> {
  yield* [];
  throw error;
}

const dump = async (request: Partial<DumpRequest> = {}) =>
  await dumpManifests({
    kube,
    filter: everything,
    tree,
    log: () => {},
    signal: AbortSignal.timeout(20_000),
    ...request,
  });
const saved = async () => (await readdir(join(tree, "configmaps/namespaces/shop"))).toSorted();

it("begins a list again when its continue token expired, and keeps nothing of the first half", async () => {
  let lists = 0;
  answers = (path, query) => {
    if (path !== "/api/v1/configmaps") return empty;
    if (query.has("continue")) return lists === 1 ? refusal(410, "Expired") : page([configMap("c")]);
    lists += 1;
    return page(lists === 1 ? [configMap("gone-meanwhile"), configMap("a")] : [configMap("a")], "next");
  };
  expect(await dump()).toMatchObject({ files: 2, missing: [] });
  expect(await saved()).toEqual(["a.yaml", "c.yaml"]);
});

it("names a type whose list expires again and again, and keeps what it had", async () => {
  answers = (path, query) => {
    if (path !== "/api/v1/configmaps") return empty;
    return query.has("continue") ? refusal(410, "Expired") : page([configMap("a")], "next");
  };
  expect(await dump()).toMatchObject({
    files: 1,
    missing: [expect.stringMatching(/^configmaps: .*410 Expired/)],
  });
  expect(await saved()).toEqual(["a.yaml"]);
});

it("goes on with the server's own token when a list expires a third time, and says so", async () => {
  let lists = 0;
  const expired = refusal(410, "Expired");
  const offer = { ...expired, body: { ...expired.body, metadata: { continue: "later" } } };
  answers = (path, query) => {
    if (path !== "/api/v1/configmaps") return empty;
    if (query.get("continue") === "next") return offer;
    if (query.has("continue")) return page([configMap("z")]);
    lists += 1;
    return page([configMap("a")], "next");
  };
  const said: string[] = [];
  expect(await dump({ log: (line) => said.push(line) })).toMatchObject({ files: 2, missing: [] });
  expect(lists).toBe(3);
  expect(said).toEqual([expect.stringMatching(/^configmaps: .* parts are of different moments$/)]);
  expect(await saved()).toEqual(["a.yaml", "z.yaml"]);
});

it("does not ask for ever where a token of the server expires as soon as it is used", async () => {
  let asked = 0;
  const expired = refusal(410, "Expired");
  const offer = { ...expired, body: { ...expired.body, metadata: { continue: "later" } } };
  answers = (path, query) => {
    if (path !== "/api/v1/configmaps") return empty;
    asked += 1;
    return query.has("continue") ? offer : page([configMap("a")], "next");
  };
  expect(await dump()).toMatchObject({ files: 1, missing: [expect.stringContaining("410 Expired")] });
  expect(asked).toBe(7);
});

it("forgets what was missing of a half that it dropped", async () => {
  let lists = 0;
  answers = (path, query) => {
    if (path !== "/api/v1/configmaps") return empty;
    if (query.has("continue")) return lists === 1 ? refusal(410, "Expired") : page([configMap("c")]);
    lists += 1;
    return page(lists === 1 ? [configMap("..")] : [configMap("a")], "next");
  };
  expect(await dump()).toMatchObject({ files: 2, missing: [] });
});

it("names a type that went away meanwhile, and saves the others", async () => {
  answers = (path) => {
    if (path === "/api/v1/secrets") return refusal(404, "NotFound");
    return path === "/api/v1/configmaps" ? page([configMap("a")]) : empty;
  };
  expect(await dump()).toMatchObject({
    files: 1,
    missing: [expect.stringMatching(/^secrets: .*404 NotFound/)],
  });
});

it("asks only for types that can be listed and created again, and never for nodes", async () => {
  const asked: string[] = [];
  answers = (path) => {
    asked.push(path);
    return empty;
  };
  expect(await dump()).toMatchObject({ files: 0, missing: [] });
  const plurals = ["configmaps", "events", "pods", "secrets"];
  expect(asked).toEqual(plurals.map((plural) => `/api/v1/${plural}`));
  expect(await readdir(tree)).toEqual([]);
});

it("writes nothing outside the tree, whatever an object is called", async () => {
  const names = ["..", ".", "../../escape", "a/b", ""];
  answers = (path) =>
    path === "/api/v1/configmaps" ? page([...names, "good"].map((name) => configMap(name))) : empty;
  const { files, missing } = await dump();
  expect(files).toBe(1);
  expect(missing).toHaveLength(names.length);
  expect(await saved()).toEqual(["good.yaml"]);
});

it("saves a whole number beyond 2^53 with all of its digits", async () => {
  const limits = [1, 9_007_199_254_740_993n, -(2n ** 63n), 1e300, 1e20, 0.1];
  answers = (path) =>
    path === "/api/v1/configmaps" ? page([configMap("big", { spec: { limits } })]) : empty;
  expect(await dump()).toMatchObject({ files: 1, missing: [] });
  const file = join(tree, "configmaps/namespaces/shop/big.yaml");
  expect(parseObject(await readFile(file), "it")).toMatchObject({ spec: { limits } });
  expect(await readFile(file, "utf8")).toContain("- 9007199254740993\n    - -9223372036854775808\n");
});

it("keeps names with a colon, and shortens a file's name that no disk takes, but never the object's", async () => {
  const long = "x".repeat(253);
  answers = (path) =>
    path === "/api/v1/configmaps" ? page([configMap("system:a:b"), configMap(long)]) : empty;
  expect(await dump()).toMatchObject({ files: 2, missing: [] });
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

it("leaves out what is being deleted and what a node runs from a file, without calling it missing", async () => {
  const mirror = { "kubernetes.io/config.mirror": "digest" };
  answers = (path) => {
    if (path === "/api/v1/pods")
      return page([{ metadata: { name: "mirror", namespace: "shop", annotations: mirror } }]);
    if (path !== "/api/v1/configmaps") return empty;
    const going = { name: "going", namespace: "shop", deletionTimestamp: "2026-01-01T00:00:00Z" };
    return page([configMap("a"), { metadata: going }]);
  };
  expect(await dump()).toMatchObject({ files: 1, leaving: 1, missing: [] });
  expect(await saved()).toEqual(["a.yaml"]);
});

it("counts files and not writes, and those of types that change by themselves", async () => {
  answers = (path, query) => {
    if (path === "/api/v1/events") return page([configMap("one"), configMap("two")]);
    if (path !== "/api/v1/configmaps") return empty;
    return query.has("continue") ? page([configMap("a"), configMap("b")]) : page([configMap("a")], "next");
  };
  expect(await dump()).toMatchObject({ files: 4, restless: { events: 2 } });
});

it.each([
  ["metrics.k8s.io", [], []],
  ["shop.example.com", [], [expect.stringMatching(/^API group shop.example.com\/v1: it is down/)]],
  ["shop.example.com", [{ verbs: ["get", "list"] }], []],
  ["shop.example.com", [{ verbs: ["list", "create"] }], [expect.stringMatching(/^API group shop/)]],
])("names the API group %s that is down, and that served %j, only if it may hide objects", async (...row) => {
  const [group, served, expected] = row;
  const resources = served.map(({ verbs }) => ({ ...typeOf("things", group), verbs, stale: true as const }));
  const failures = [{ groupVersion: `${group}/v1`, message: "it is down" }];
  expect(
    (await dump({ kube: { ...kube, discover: async () => ({ resources, failures }) } })).missing,
  ).toEqual(expected);
});

it("lists namespace by namespace where it may not list everywhere at once", async () => {
  const asked: string[] = [];
  answers = (path) => {
    asked.push(path);
    if (path === "/api/v1/configmaps") return refusal(403, "Forbidden");
    if (path === "/api/v1/namespaces/shop/configmaps") return page([configMap("a")]);
    const elsewhere = { metadata: { name: "b", namespace: "other" } };
    return path === "/api/v1/secrets" ? page([configMap("s"), elsewhere]) : empty;
  };
  const namespaces = ["shop", ...Array.from({ length: 199 }, (_, n) => `n${n}`)];
  const filter = { ...everything, includeNamespaces: new Set(namespaces) };
  expect(await dump({ filter })).toMatchObject({ files: 2, missing: [] });
  expect(asked.filter((path) => path.endsWith("/configmaps"))).toHaveLength(201);
  expect(asked.filter((path) => path.endsWith("/secrets"))).toEqual(["/api/v1/secrets"]);
});

it("gives up a server that leaves lists of two groups in a row without an answer", async () => {
  const resources = [typeOf("configmaps", ""), typeOf("deployments", "apps")];
  const silent: Kube = {
    ...kube,
    discover: async () => ({ resources, failures: [] }),
    list: (type) => failing(new KubeError("ApiServerTimeout", `${type.plural}: no answer`, { code: 0 })),
  };
  await expect(dump({ kube: silent })).rejects.toThrow("deployments: no answer");
  const one: Kube = {
    ...silent,
    list: (type, options) => (type.group === "" ? silent.list(type) : kube.list(configMaps, options)),
  };
  answers = () => empty;
  expect((await dump({ kube: one })).missing).toEqual(["configmaps: configmaps: no answer"]);
});

it("tells how far it is", async () => {
  const told: DumpProgress[] = [];
  answers = (path) => (path === "/api/v1/configmaps" ? page([configMap("a")]) : empty);
  await dump({ onProgress: (progress) => told.push(progress) });
  expect(told[0]).toEqual({ files: 1, done: 0, of: 4, reading: "configmaps" });
  expect(told.at(-1)).toEqual({ files: 1, done: 3, of: 4, reading: "secrets" });
});

it("asks for the first page of the next type while it writes the last of this one", async () => {
  const order: string[] = [];
  const list = kube.list;
  const watched: Kube = {
    ...kube,
    list(type, options) {
      order.push(`asked for ${type.plural}`);
      return list(type, options);
    },
  };
  answers = (path) => (path === "/api/v1/configmaps" ? page([configMap("a")]) : empty);
  await dump({ kube: watched, onProgress: ({ files }) => files === 1 && order.push("written") });
  expect(order.indexOf("asked for events")).toBeLessThan(order.indexOf("written"));
});

it("gives up when the server is gone, for nothing more can be read", async () => {
  answers = () => {
    server.closeAllConnections();
    server.close();
    return empty;
  };
  await expect(dump()).rejects.toThrow(/127\.0\.0\.1/);
});
