import { expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { configMap, path } from "./fixtures.ts";
import { kubeServers } from "./servers.ts";
import { installWidgets } from "./widgets.ts";

const onEveryServer = kubeServers();

const contentType = "application/merge-patch+json";

onEveryServer("namespaces", (server) => {
  const place = (name?: string) => (name === undefined ? "/api/v1/namespaces" : `/api/v1/namespaces/${name}`);
  const create = (name: string) =>
    server().raw.request("POST", place(), {
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name } },
    });
  const gone = (where: string) =>
    eventually(async () => expect((await server().raw.request("GET", where)).status).toBe(404));

  it("has the namespaces that every cluster has", async () => {
    for (const name of ["default", "kube-system", "kube-public"]) {
      const { status, body } = await server().raw.request("GET", place(name));
      expect(status).toBe(200);
      expect(body).toMatchObject({ kind: "Namespace", status: { phase: "Active" } });
      expect(body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it("labels a namespace with its name and holds it by a finalizer of its spec", async () => {
    const name = `made-${server().tag}`;
    const { body } = await create(name);
    expect(body).toMatchObject({
      metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
    await server().raw.request("DELETE", place(name));
  });

  it.concurrent("empties a namespace that is deleted, custom objects too, and then it is gone", async () => {
    const { raw, tag } = server();
    const name = `emptied-${tag}`;
    await create(name);
    const widgets = await installWidgets(server(), "emptied");
    const widgetPlace = `/apis/${widgets.apiVersion}/namespaces/${name}/widgets`;
    const widget = {
      apiVersion: widgets.apiVersion,
      kind: "Widget",
      metadata: { name: "w" },
      spec: { size: 1 },
    };
    expect((await raw.request("POST", widgetPlace, { body: widget })).status).toBe(201);
    await raw.request("POST", path.configMaps(name), { body: configMap(name, "a") });
    const answer = await raw.request("DELETE", place(name));
    expect(answer).toMatchObject({
      status: 200,
      body: { kind: "Namespace", status: { phase: "Terminating" } },
    });
    await gone(place(name));
    expect((await raw.request("GET", widgetPlace)).body.items).toEqual([]);
    expect((await create(name)).status).toBe(201);
    expect((await raw.request("GET", path.configMaps(name, "a"))).status).toBe(404);
    await raw.request("DELETE", place(name));
  });

  it.concurrent("lets nothing new into a namespace that is being deleted, and waits for finalizers in it", async () => {
    const { raw, tag } = server();
    const name = `held-${tag}`;
    await create(name);
    const held = configMap(name, "held", {}, { finalizers: ["example.com/hold"] });
    await raw.request("POST", path.configMaps(name), { body: held });
    await raw.request("DELETE", place(name));
    const late = await raw.request("POST", path.configMaps(name), { body: configMap(name, "late") });
    expect(late).toMatchObject({ status: 403, body: { reason: "Forbidden" } });
    await eventually(async () => {
      const { body } = await raw.request("GET", path.configMaps(name, "held"));
      expect(body.metadata.deletionTimestamp).toBeDefined();
    });
    expect((await raw.request("GET", place(name))).body.status.phase).toBe("Terminating");
    const body = { metadata: { finalizers: null } };
    await raw.request("PATCH", path.configMaps(name, "held"), { contentType, body });
    await gone(place(name));
  });
});
