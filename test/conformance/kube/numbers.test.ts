import { expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { write } from "./fixtures.ts";
import { kubeServers } from "./servers.ts";
import { installWidgets } from "./widgets.ts";

const onEveryServer = kubeServers();

const largest = 2n ** 63n - 1n;
const odd = 9_007_199_254_740_993n;
const numbers = [odd, largest, -(2n ** 63n), 2 ** 53, -(2 ** 53), 1e20, 1e21, 1e300, 1e-7, 0.1, 1, 0];

onEveryServer("a whole number beyond 2^53", (server) => {
  it("keeps every digit through each way of writing and reading", async () => {
    const { kube } = server();
    const { resource, widget } = await installWidgets(server(), "numbers");
    const parts = [{ name: "a", count: largest }];
    const object = widget("n", { spec: { size: 1, free: { numbers }, parts } }) as KubeObject;
    const name = { namespace: server().namespace, name: "n" };
    expect(await kube.create(resource, object, write)).toMatchObject(object);
    expect(await kube.get(resource, name)).toMatchObject(object);
    for await (const { items } of kube.list(resource, { namespace: name.namespace })) {
      expect(items).toMatchObject([object]);
    }
    await kube.mergePatch(resource, name, { spec: { free: { patched: odd } } }, write);
    const applied = widget("n", {
      spec: { size: 1, free: { applied: -odd }, parts: [{ name: "b", count: odd }] },
    });
    await kube.apply(resource, applied as KubeObject, { ...write, manager: "other", force: true });
    expect((await kube.get(resource, name))?.["spec"]).toMatchObject({
      free: { numbers, patched: odd, applied: -odd },
      parts: [...parts, { name: "b", count: odd }],
    });
  });

  it("means in a body of YAML what it means to a server", async () => {
    const { kube, raw, namespace } = server();
    const { resource, place, apiVersion } = await installWidgets(server(), "yaml");
    const body = `apiVersion: ${apiVersion}
kind: Widget
metadata: {name: text, namespace: ${namespace}}
spec:
  size: 1
  free: {a: 9007199254740993, b: 0o17, c: 0644, d: 1e3, e: 08, f: 12:30:45, g: yes, h: 1_000, i: "0644"}
`;
    const query = { fieldManager: "text", force: "true" };
    const contentType = "application/apply-patch+yaml";
    expect((await raw.request("PATCH", place("text"), { query, body, contentType })).status).toBe(201);
    expect(await kube.get(resource, { namespace, name: "text" })).toMatchObject({
      spec: { free: { a: odd, b: 15, c: 420, d: 1000, e: 8, f: "12:30:45", g: true, h: 1000, i: "0644" } },
    });
  });

  it("is told apart from its neighbours, so that a write of one changes the object", async () => {
    const { kube } = server();
    const { resource, widget } = await installWidgets(server(), "neighbours");
    const of = (count: bigint | number) => widget("n", { spec: { size: 1, free: { count } } }) as KubeObject;
    const first = await kube.apply(resource, of(2 ** 53), { ...write, force: true });
    const second = await kube.apply(resource, of(odd), { ...write, force: true });
    expect(second.metadata.generation).toBe(2);
    expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
    const third = await kube.apply(resource, of(odd), { ...write, force: true });
    expect(third.metadata.resourceVersion).toBe(second.metadata.resourceVersion);
  });
});
