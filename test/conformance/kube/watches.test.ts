import { beforeEach, expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { configMap, configMaps, path, write } from "./fixtures.ts";
import { kubeServers, type Server } from "./servers.ts";

type Event = { readonly type: string; readonly object: KubeObject };

const brief = (events: readonly Event[]) =>
  events.map(({ type, object }) => `${type} ${object.metadata.name}`);

function actions(server: () => Server) {
  const collection = () => path.configMaps(server().namespace);
  const named = (name: string) => ({ namespace: server().namespace, name });
  return {
    collection,
    put: (name: string, metadata: Record<string, unknown> = {}) =>
      server().kube.create(configMaps, configMap(server().namespace, name, {}, metadata), write),
    patch: (name: string, body: Record<string, unknown>) =>
      server().kube.mergePatch(configMaps, named(name), body, write),
    remove: (name: string) => server().kube.delete(configMaps, named(name)),
    /** The collection's resourceVersion. */
    now: async () => {
      const { body } = await server().raw.request("GET", collection());
      return String(body.metadata.resourceVersion);
    },
  };
}

const onEveryServer = kubeServers();

onEveryServer("watches", (server) => {
  const { collection, put, patch, remove, now } = actions(server);
  let since = "";
  beforeEach(async () => {
    since = await now();
  });

  it("tells what happened after a resourceVersion, in order", async () => {
    const made = await put("told");
    const changed = await patch("told", { data: { a: "1" } });
    await remove("told");
    const events: Event[] = await server().raw.watch(collection(), { resourceVersion: since }, 3);
    expect(brief(events)).toEqual(["ADDED told", "MODIFIED told", "DELETED told"]);
    expect(events[0]?.object).toEqual(made);
    expect(events[1]?.object).toEqual(changed);
    expect(events[2]?.object).toMatchObject({
      kind: "ConfigMap",
      data: { a: "1" },
      metadata: { uid: made.metadata.uid },
    });
    const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(3);
  });

  it("tells what happens while it watches", async () => {
    const watching = server().raw.watch(collection(), { resourceVersion: since }, 2);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await put("live");
    await remove("live");
    expect(brief(await watching)).toEqual(["ADDED live", "DELETED live"]);
  });

  it("goes on from any event's resourceVersion without a gap", async () => {
    await put("resumed");
    const [first]: Event[] = await server().raw.watch(collection(), { resourceVersion: since }, 1);
    await patch("resumed", { data: { a: "1" } });
    const query = { resourceVersion: first?.object.metadata.resourceVersion ?? "" };
    const [second]: Event[] = await server().raw.watch(collection(), query, 1);
    expect(second).toMatchObject({ type: "MODIFIED", object: { data: { a: "1" } } });
    await remove("resumed");
  });

  it("shows an object that begins or ceases to match a selector as added or deleted", async () => {
    await put("moving");
    await patch("moving", { metadata: { labels: { in: "yes" } } });
    await patch("moving", { data: { a: "1" } });
    await patch("moving", { metadata: { labels: { in: null } } });
    await patch("moving", { data: { a: "2" } });
    const query = { resourceVersion: since, labelSelector: "in=yes", timeoutSeconds: "1" };
    const events: Event[] = await server().raw.watch(collection(), query, 4);
    expect(brief(events)).toEqual(["ADDED moving", "MODIFIED moving", "DELETED moving"]);
    await remove("moving");
  });
});

onEveryServer("the extent of a watch", (server) => {
  const { collection, put, remove, now } = actions(server);
  let since = "";
  beforeEach(async () => {
    since = await now();
  });

  it("watches one object by its name", async () => {
    await put("one");
    await put("another");
    await remove("one");
    const query = { resourceVersion: since, fieldSelector: "metadata.name=one", timeoutSeconds: "1" };
    expect(brief(await server().raw.watch(collection(), query, 3))).toEqual(["ADDED one", "DELETED one"]);
    await remove("another");
  });

  it("watches all namespaces at once", async () => {
    const { namespace } = server();
    await put("somewhere", { labels: { everywhere: namespace } });
    const query = { resourceVersion: since, labelSelector: `everywhere=${namespace}` };
    expect(brief(await server().raw.watch("/api/v1/configmaps", query, 1))).toEqual(["ADDED somewhere"]);
    await remove("somewhere");
  });

  it("begins with what is there when no resourceVersion is given", async () => {
    await put("already");
    const query = { fieldSelector: "metadata.name=already" };
    expect(brief(await server().raw.watch(collection(), query, 1))).toEqual(["ADDED already"]);
    await remove("already");
  });

  it("ends a watch after timeoutSeconds", async () => {
    const began = performance.now();
    const query = { resourceVersion: since, timeoutSeconds: "1", fieldSelector: "metadata.name=never" };
    expect(await server().raw.watch(collection(), query, 1)).toEqual([]);
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it("sends a bookmark to who asks for it", async () => {
    const query = {
      resourceVersion: since,
      allowWatchBookmarks: "true",
      timeoutSeconds: "4",
      fieldSelector: "metadata.name=never",
    };
    const watching = server().raw.watch(collection(), query, 1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await put("elsewhere");
    await remove("elsewhere");
    const [bookmark]: Event[] = await watching;
    expect(bookmark).toMatchObject({ type: "BOOKMARK", object: { kind: "ConfigMap", apiVersion: "v1" } });
    expect(Number(bookmark?.object.metadata.resourceVersion)).toBeGreaterThan(Number(since));
    await put("after");
    const resume = {
      resourceVersion: bookmark?.object.metadata.resourceVersion ?? "",
      fieldSelector: "metadata.name=after",
    };
    expect(brief(await server().raw.watch(collection(), resume, 1))).toEqual(["ADDED after"]);
    await remove("after");
  });
});
