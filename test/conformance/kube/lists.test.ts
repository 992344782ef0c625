import { beforeAll, expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import type { ListOptions } from "../../../src/ports/kube/kube.ts";
import { configMap, configMaps, path, write } from "./fixtures.ts";
import { kubeServers, type Server } from "./servers.ts";

const many = Array.from({ length: 7 }, (_, n) => `item-${n}`);

async function names(server: Server, options: ListOptions): Promise<string[]> {
  const items: KubeObject[] = [];
  for await (const page of server.kube.list(configMaps, options)) items.push(...page.items);
  return items.map((item) => item.metadata.name);
}

const mine = { labelSelector: "suite=lists" };

async function makeItems({ kube, namespace }: Server): Promise<void> {
  for (const [n, name] of many.entries()) {
    const parity = n % 2 === 0 ? "even" : "odd";
    const labels = { suite: "lists", parity, ...(n === 3 ? { special: "" } : {}) };
    await kube.apply(configMaps, configMap(namespace, name, {}, { labels }), { ...write, force: true });
  }
}

const onEveryServer = kubeServers();

onEveryServer("lists and pages", (server) => {
  beforeAll(() => makeItems(server()));

  it("lists a namespace in the order of names, with the list's own kind and version", async () => {
    const { raw, namespace } = server();
    const { status, body } = await raw.request("GET", path.configMaps(namespace), { query: mine });
    expect(status).toBe(200);
    expect(body).toMatchObject({ apiVersion: "v1", kind: "ConfigMapList" });
    expect(body.metadata.resourceVersion).toMatch(/^[1-9][0-9]*$/);
    expect(body.items.map((item: KubeObject) => item.metadata.name)).toEqual(many);
    // Items of built-in kinds do not repeat the kind of the list; our client gives it to them.
    expect(body.items[0].kind).toBeUndefined();
    for await (const page of server().kube.list(configMaps, { namespace, ...mine })) {
      for (const item of page.items) expect(item).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
    }
  });

  it("lists all namespaces at once", async () => {
    const { kube, namespace } = server();
    const found: string[] = [];
    for await (const page of kube.list(configMaps, { labelSelector: "suite=lists" })) {
      found.push(
        ...page.items.filter((item) => item.metadata.namespace === namespace).map((i) => i.metadata.name),
      );
    }
    expect(found).toEqual(many);
  });

  it("answers an empty list where nothing is", async () => {
    const { raw, tag } = server();
    const { status, body } = await raw.request("GET", path.configMaps(`no-${tag}`));
    expect(status).toBe(200);
    expect(body.items).toEqual([]);
  });

  it("pages with limit and continue, and every page is of one moment", async () => {
    const { raw, kube, namespace } = server();
    const query = { ...mine, limit: "3" };
    const first = (await raw.request("GET", path.configMaps(namespace), { query })).body;
    expect(first.items).toHaveLength(3);
    expect(first.metadata.continue).toMatch(/./);
    const between = configMap(namespace, "item-3a", {}, { labels: { suite: "lists" } });
    await kube.create(configMaps, between, write);
    const seen = [...first.items];
    let token: string | undefined = first.metadata.continue;
    while (token !== undefined) {
      const { body } = await raw.request("GET", path.configMaps(namespace), {
        query: { ...query, continue: token },
      });
      expect(body.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      seen.push(...body.items);
      token = body.metadata.continue;
    }
    expect(seen.map((item: KubeObject) => item.metadata.name)).toEqual(many);
    await kube.delete(configMaps, { namespace, name: "item-3a" });
  });

  it("gives our client the same objects with pages of any size", async () => {
    const { kube, namespace } = server();
    for (const limit of [1, 2, 7, 500]) {
      expect(await names(server(), { namespace, ...mine, limit })).toEqual(many);
    }
    const pages: number[] = [];
    for await (const page of kube.list(configMaps, { namespace, ...mine, limit: 3 }))
      pages.push(page.items.length);
    expect(pages).toEqual([3, 3, 1]);
  });

  it("says how many are left where no selector hides it", async () => {
    const { raw, namespace } = server();
    const { body } = await raw.request("GET", path.configMaps(namespace), { query: { limit: "2" } });
    expect(body.metadata.remainingItemCount).toBeGreaterThanOrEqual(5);
  });
});

onEveryServer("the rest of a list", (server) => {
  beforeAll(() => makeItems(server()));

  it("goes on for our client from a token, also without the moment of the first page", async () => {
    const { raw, namespace } = server();
    const query = { ...mine, limit: "3" };
    const token = (await raw.request("GET", path.configMaps(namespace), { query })).body.metadata.continue;
    const rest = many.slice(3);
    expect(await names(server(), { namespace, ...mine, continueToken: token })).toEqual(rest);
    const { v, start } = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (v === undefined) return;
    // As a kube-apiserver offers it with 410: the remainder, as it is now.
    const later = Buffer.from(JSON.stringify({ v, rv: -1, start })).toString("base64url");
    expect(await names(server(), { namespace, ...mine, continueToken: later })).toEqual(rest);
  });

  it("tells the names of a page alone, and the same way on", async () => {
    const { raw, namespace } = server();
    const accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    const place = path.configMaps(namespace);
    const first = (await raw.request("GET", place, { query: { ...mine, limit: "1" }, accept })).body;
    expect(first.items.map((item: KubeObject) => item.metadata.name)).toEqual(["item-0"]);
    expect(first.items[0].data).toBeUndefined();
    const next = { ...mine, limit: "1", continue: first.metadata.continue };
    const { body } = await raw.request("GET", place, { query: next });
    expect(body.items.map((item: KubeObject) => item.metadata.name)).toEqual(["item-1"]);
  });
});

onEveryServer("selectors", (server) => {
  beforeAll(() => makeItems(server()));

  it.each([
    ["parity=even", ["item-0", "item-2", "item-4", "item-6"]],
    ["parity==odd", ["item-1", "item-3", "item-5"]],
    ["parity!=even", ["item-1", "item-3", "item-5"]],
    ["parity in (even,odd),special", ["item-3"]],
    ["parity notin (even)", ["item-1", "item-3", "item-5"]],
    ["special", ["item-3"]],
    ["special=", ["item-3"]],
    ["!special,parity=odd", ["item-1", "item-5"]],
    ["parity=none", []],
  ])("selects by label: %s", async (labelSelector, expected) => {
    const { namespace } = server();
    expect(await names(server(), { namespace, labelSelector: `suite=lists,${labelSelector}` })).toEqual(
      expected,
    );
  });

  it("selects by the fields metadata.name and metadata.namespace", async () => {
    const { namespace } = server();
    expect(await names(server(), { namespace, fieldSelector: "metadata.name=item-2" })).toEqual(["item-2"]);
    const not = { namespace, ...mine, fieldSelector: "metadata.name!=item-2" };
    expect(await names(server(), not)).toEqual(many.filter((name) => name !== "item-2"));
    const everywhere = { fieldSelector: `metadata.namespace=${namespace},metadata.name=item-1` };
    expect(await names(server(), everywhere)).toEqual(["item-1"]);
  });

  it("selects pods by phase and node", async () => {
    const { raw, namespace } = server();
    const spec = { nodeName: "nowhere", containers: [{ name: "app", image: "example.com/app:1" }] };
    const body = { apiVersion: "v1", kind: "Pod", metadata: { name: "placed" }, spec };
    expect((await raw.request("POST", path.pods(namespace), { body })).status).toBe(201);
    const select = async (fieldSelector: string) => {
      const answer = await raw.request("GET", path.pods(namespace), { query: { fieldSelector } });
      return answer.body.items.map((item: KubeObject) => item.metadata.name);
    };
    expect(await select("status.phase=Pending")).toEqual(["placed"]);
    expect(await select("status.phase=Running")).toEqual([]);
    expect(await select("spec.nodeName=nowhere")).toEqual(["placed"]);
    await raw.request("DELETE", path.pods(namespace, "placed"), { query: { gracePeriodSeconds: "0" } });
  });

  it.each([
    [{ fieldSelector: "data.a=1" }],
    [{ fieldSelector: "metadata.name" }],
    [{ labelSelector: "a in (b" }],
    [{ labelSelector: "=x" }],
    [{ limit: "many" }],
    [{ resourceVersion: "new" }],
    [{ limit: "3", continue: "made-up" }],
  ])("refuses a query that it cannot answer: %o", async (query) => {
    const { raw, namespace } = server();
    const { status, body } = await raw.request("GET", path.configMaps(namespace), { query });
    expect(status).toBe(400);
    expect(body.reason).toBe("BadRequest");
  });
});
