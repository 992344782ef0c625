import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { type EmbeddedServer, startEmbedded } from "../../../src/embedded/server.ts";
import type { ObjectOutcome } from "../../../src/mover/manifests/object-outcome.ts";
import { connectKube, type KubeConnection } from "../../../src/ports/kube/connect-kube.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";
import { type Exchange, type ReverseProxy, startReverseProxy } from "../../support/reverse-proxy.ts";
import { configMap, configMaps, deployment, deployments } from "../kube/fixtures.ts";
import { type Dumped, restoring } from "./restoring.ts";

let directory: string;
let embedded: EmbeddedServer;
let proxy: ReverseProxy;
let kube: KubeConnection;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-lost-"));
  embedded = await startEmbedded({ directory });
  proxy = await startReverseProxy(embedded.url, embedded.certificate);
  const kubeconfigText = JSON.stringify({
    "current-context": "x",
    contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
    clusters: [{ name: "x", cluster: { server: proxy.url } }],
    users: [{ name: "x", user: { token: embedded.token } }],
  });
  kube = await connectKube({ kubeconfigText, qps: 10_000, burst: 10_000, clock: hurriedClock() });
});
afterEach(() => {
  proxy.intercept = undefined;
  proxy.seen.length = 0;
});
afterAll(async () => {
  await kube.close();
  await proxy.close();
  await embedded.close();
  await rm(directory, { recursive: true });
});

const owner = { apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: "of-the-old-cluster" };

/** A bare namespace, an owner, and two that are owned. */
function dumpOf(namespace: string): readonly Dumped[] {
  const owned = { ownerReferences: [owner] };
  return [
    [configMaps, configMap(namespace, "first", { a: "1" }, owned)],
    [configMaps, configMap(namespace, "second", {}, owned)],
    [deployments, deployment(namespace, "web")],
  ];
}

async function expectWhole(namespace: string): Promise<void> {
  const web = await kube.get(deployments, { namespace, name: "web" });
  for (const name of ["first", "second"]) {
    const object = await kube.get(configMaps, { namespace, name });
    expect(object?.metadata.ownerReferences).toEqual([{ ...owner, uid: web?.metadata.uid }]);
  }
}

const everyCreated = {
  "configmaps/first": { did: "created" },
  "configmaps/second": { did: "created" },
  "deployments.apps/web": { did: "created" },
};

const faults: Readonly<Record<string, (exchange: Exchange) => Promise<void>>> = {
  "is reset before the server sees it": async ({ response }) => void response.destroy(),
  "is carried out and its answer is lost": async ({ carryOut, response }) => {
    await carryOut();
    response.destroy();
  },
};

describe.each(Object.keys(faults))("a request that %s", (fault) => {
  // The order of requests that go side by side does not matter: each of them is met once.
  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])("does not end the restore: number %i", async (unlucky) => {
    const namespace = `lost-${Object.keys(faults).indexOf(fault)}-${unlucky}`;
    let count = 0;
    proxy.intercept = async (exchange) => {
      count += 1;
      if (count - 1 === unlucky) await faults[fault]?.(exchange);
      else exchange.pass();
    };
    const outcomes = await restoring(kube, dumpOf(namespace));
    expect(outcomes).toMatchObject(everyCreated);
    expect(count).toBeGreaterThan(unlucky);
    proxy.intercept = undefined;
    await expectWhole(namespace);
  });
});

describe.each(["before", "after"])("a restore that is killed %s a request is carried out", (when) => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])("is made whole by the next one: number %i", async (last) => {
    const namespace = `killed-${when}-${last}`;
    const killed = new AbortController();
    let count = 0;
    proxy.intercept = async (exchange) => {
      count += 1;
      if (count - 1 < last) return exchange.pass();
      if (count - 1 === last && when === "after") await exchange.carryOut();
      killed.abort();
      exchange.response.destroy();
    };
    await expect(restoring(kube, dumpOf(namespace), { signal: killed.signal })).rejects.toThrow(
      /given up|aborted/,
    );
    proxy.intercept = undefined;
    const outcomes = await restoring(kube, dumpOf(namespace));
    const ends = Object.values(outcomes).map(({ did }) => did);
    expect(ends.filter((did) => did !== "created" && did !== "same")).toEqual([]);
    await expectWhole(namespace);
  });
});

it("tells of what it created, and once, when it is ended before the owners are set", async () => {
  const killed = new AbortController();
  proxy.intercept = (exchange) => {
    if (exchange.method === "PATCH") killed.abort();
    exchange.pass();
  };
  const told: ObjectOutcome[] = [];
  const options = { signal: killed.signal, onOutcome: (outcome: ObjectOutcome) => void told.push(outcome) };
  await expect(restoring(kube, dumpOf("ended"), options)).rejects.toThrow(/given up|aborted/);
  const before = told.length;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(told).toHaveLength(before);
  const ends = Object.fromEntries(
    told.map(({ type, name, did, notes }) => [`${type}/${name}`, { did, notes }]),
  );
  expect(Object.keys(ends)).toHaveLength(before);
  const bare = { did: "created", notes: ["its owners were not set"] };
  expect(ends).toMatchObject({
    "configmaps/first": bare,
    "configmaps/second": bare,
    "deployments.apps/web": { did: "created" },
  });
});

it("tells what became of every object when the server goes away for good", async () => {
  let writes = 0;
  proxy.intercept = (exchange) => {
    if (exchange.method === "POST") writes += 1;
    if (writes > 3) exchange.response.destroy();
    else exchange.pass();
  };
  const many = Array.from(
    { length: 60 },
    (_, index): Dumped => [configMaps, configMap("gone", `c-${String(index).padStart(2, "0")}`)],
  );
  const outcomes = await restoring(kube, many);
  const told = Object.values(outcomes);
  expect(told.filter(({ did }) => did === "created").map(({ type }) => type)).toHaveLength(3);
  const failed = told.filter(({ did }) => did === "failed");
  expect(failed).toHaveLength(58);
  for (const { reason } of failed) expect(reason).toMatch(/socket|ECONNRESET|other side|not tried/i);
  // Neither are all tried that cannot be answered, nor all passes made.
  expect(writes).toBeLessThan(60);
});

it("sets the owners of objects that exist and lack them, where the owner is part of the restore", async () => {
  const namespace = "again";
  const owned = { ownerReferences: [owner] };
  await restoring(kube, [[deployments, deployment(namespace, "web")]]);
  const bare: readonly Dumped[] = [[configMaps, configMap(namespace, "first", { a: "1" }, owned)]];
  expect((await restoring(kube, bare))["configmaps/first"]).toMatchObject({ did: "created" });
  const left = await kube.get(configMaps, { namespace, name: "first" });
  expect(left?.metadata.ownerReferences).toBeUndefined();
  const theirs = configMap(namespace, "second", { other: "x" });
  await kube.create(configMaps, theirs, { manager: "somebody" });
  const outcomes = await restoring(kube, dumpOf(namespace));
  expect(outcomes).toMatchObject({
    "configmaps/first": { did: "same", notes: ["its owners were set again"] },
    "configmaps/second": { did: "conflict" },
    "deployments.apps/web": { did: "same" },
  });
  const web = await kube.get(deployments, { namespace, name: "web" });
  const first = await kube.get(configMaps, { namespace, name: "first" });
  expect(first?.metadata.ownerReferences).toEqual([{ ...owner, uid: web?.metadata.uid }]);
  const second = await kube.get(configMaps, { namespace, name: "second" });
  expect(second?.metadata.ownerReferences).toBeUndefined();
});

it("asks once per owner, and sets owners with one request against the version that the create gave", async () => {
  await restoring(kube, dumpOf("cheap"));
  const ofObjects = proxy.seen.filter((request) => /configmaps|deployments/.test(request));
  expect(ofObjects.map((request) => request.replace(/\?.*/, "")).toSorted()).toEqual([
    "GET /apis/apps/v1/namespaces/cheap/deployments/web",
    "PATCH /api/v1/namespaces/cheap/configmaps/first",
    "PATCH /api/v1/namespaces/cheap/configmaps/second",
    "POST /api/v1/namespaces/cheap/configmaps",
    "POST /api/v1/namespaces/cheap/configmaps",
    "POST /apis/apps/v1/namespaces/cheap/deployments",
  ]);
});

it("waits for the Namespace of the dump rather than making it without its labels", async () => {
  const namespace: KubeObject = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "labelled", labels: { team: "a" } },
  };
  let first = true;
  proxy.intercept = (exchange) => {
    const isNamespace = exchange.method === "POST" && /\/namespaces(\?|$)/.test(exchange.path);
    if (isNamespace && first) exchange.response.destroy();
    else exchange.pass();
    if (isNamespace) first = false;
  };
  const outcomes = await restoring(kube, [
    [builtIn.Namespace, namespace],
    [configMaps, configMap("labelled", "a")],
  ]);
  expect(outcomes).toMatchObject({
    "namespaces/labelled": { did: "created" },
    "configmaps/a": { did: "created" },
  });
  const live = await kube.get(builtIn.Namespace, { name: "labelled" });
  expect(live?.metadata.labels).toMatchObject({ team: "a" });
});

it("pauses longer and longer when others write the same object", async () => {
  const waits: number[] = [];
  await restoring(kube, [[configMaps, configMap("contended", "a", { a: "1" })]]);
  let puts = 0;
  proxy.intercept = async (exchange) => {
    if (exchange.method === "PUT" && puts < 4) {
      puts += 1;
      await kube.mergePatch(
        configMaps,
        { namespace: "contended", name: "a" },
        { data: { b: String(puts) } },
        { manager: "somebody" },
      );
    }
    exchange.pass();
  };
  const outcomes = await restoring(kube, [[configMaps, configMap("contended", "a", { a: "2" })]], {
    override: true,
    clock: hurriedClock(waits),
  });
  expect(outcomes["configmaps/a"]).toMatchObject({ did: "updated" });
  expect(waits).toHaveLength(4);
  expect(waits.at(-1)).toBeGreaterThan(2 * (waits[0] ?? 0));
});
