import { describe, expect, it } from "vitest";
import type { Api } from "../../../src/embedded/api.ts";
import { ask, type Body, embedded, map, maps, settled, temporaryDirectory } from "./embedded-fixture.ts";

const merge = "application/merge-patch+json";

async function owned(api: Api, name: string, owner: string): Promise<void> {
  const { uid } = (await ask(api, "GET", maps(owner))).body.metadata;
  const ownerReferences = [
    { apiVersion: "v1", kind: "ConfigMap", name: owner, uid, blockOwnerDeletion: true },
  ];
  await ask(api, "POST", maps(), { body: map(name, {}, { ownerReferences }) });
}

async function names(api: Api): Promise<readonly string[]> {
  return (await ask(api, "GET", maps())).body.items.map((item: Body) => item.metadata.name);
}

async function family(): Promise<Api> {
  const { api } = await embedded();
  await ask(api, "POST", maps(), { body: map("owner") });
  await owned(api, "child", "owner");
  await owned(api, "grandchild", "child");
  return api;
}

describe("owner references", () => {
  it("take dependents along in the background, generation after generation", async () => {
    const api = await family();
    await ask(api, "DELETE", maps("owner"), { body: { propagationPolicy: "Background" } });
    await settled();
    expect(await names(api)).toEqual([]);
  });

  it("keep the owner until its dependents are gone, in the foreground", async () => {
    const api = await family();
    const body = { metadata: { finalizers: ["example.com/hold"] } };
    await ask(api, "PATCH", maps("grandchild"), { contentType: merge, body });
    const answer = await ask(api, "DELETE", maps("owner"), { body: { propagationPolicy: "Foreground" } });
    expect(answer.body.metadata.finalizers).toEqual(["foregroundDeletion"]);
    await settled();
    expect(await names(api)).toEqual(["child", "grandchild", "owner"]);
    await ask(api, "PATCH", maps("grandchild"), {
      contentType: merge,
      body: { metadata: { finalizers: null } },
    });
    await settled();
    expect(await names(api)).toEqual([]);
  });

  it("let dependents go when they are orphaned", async () => {
    const api = await family();
    await ask(api, "DELETE", maps("owner"), { query: { propagationPolicy: "Orphan" } });
    await settled();
    expect(await names(api)).toEqual(["child", "grandchild"]);
    expect((await ask(api, "GET", maps("child"))).body.metadata.ownerReferences).toBeUndefined();
  });

  it("that never led anywhere are collected; those to kinds that are not served are left alone", async () => {
    const { api } = await embedded();
    const to = (apiVersion: string, kind: string) => ({
      ownerReferences: [{ apiVersion, kind, name: "x", uid: "11111111-1111-1111-1111-111111111111" }],
    });
    await ask(api, "POST", maps(), { body: map("dangling", {}, to("v1", "ConfigMap")) });
    await ask(api, "POST", maps(), { body: map("unknown", {}, to("example.com/v1", "Thing")) });
    await settled();
    expect(await names(api)).toEqual(["unknown"]);
  });

  it("are carried out after a restart", async () => {
    const directory = await temporaryDirectory();
    const first = await embedded({ directory });
    await ask(first.api, "POST", maps(), { body: map("owner") });
    await owned(first.api, "child", "owner");
    await ask(first.api, "DELETE", maps("owner"));
    await first.close();
    const second = await embedded({ directory });
    await settled();
    expect(await names(second.api)).toEqual([]);
  });
});

describe("a namespace", () => {
  const namespaces = "/api/v1/namespaces";
  const inside = `${namespaces}/room/configmaps`;

  async function room(): Promise<Api> {
    const { api } = await embedded();
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: "room" } };
    await ask(api, "POST", namespaces, { body });
    await settled();
    return api;
  }

  it("has a default service account and a label with its name", async () => {
    const api = await room();
    const { body } = await ask(api, "GET", `${namespaces}/room`);
    expect(body.metadata.labels).toEqual({ "kubernetes.io/metadata.name": "room" });
    expect(await ask(api, "GET", `${namespaces}/room/serviceaccounts/default`)).toMatchObject({
      status: 200,
    });
  });

  it("ends when everything in it has ended, and takes nothing new meanwhile", async () => {
    const api = await room();
    await ask(api, "POST", inside, { body: map("held", {}, { finalizers: ["example.com/hold"] }) });
    await ask(api, "POST", inside, { body: map("free") });
    const deleted = await ask(api, "DELETE", `${namespaces}/room`);
    expect(deleted.body.status.phase).toBe("Terminating");
    await settled();
    const left = (await ask(api, "GET", inside)).body.items.map((item: Body) => item.metadata.name);
    expect(left).toEqual(["held"]);
    const late = await ask(api, "POST", inside, { body: map("late") });
    expect(late).toMatchObject({
      status: 403,
      body: { details: { causes: [{ reason: "NamespaceTerminating" }] } },
    });
    const body = { metadata: { finalizers: [] } };
    await ask(api, "PATCH", `${inside}/held`, { contentType: merge, body });
    await settled();
    expect(await ask(api, "GET", `${namespaces}/room`)).toMatchObject({ status: 404 });
  });

  it("that the cluster needs is not deleted", async () => {
    const api = await room();
    expect(await ask(api, "DELETE", `${namespaces}/kube-system`)).toMatchObject({ status: 403 });
  });
});

describe("a custom resource definition", () => {
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const things = "/apis/example.com/v1/things";
  const version = (name: string, storage: boolean, properties: object) => ({
    name,
    served: true,
    storage,
    subresources: { status: {} },
    schema: { openAPIV3Schema: { type: "object", properties } },
  });
  const definition = (versions: readonly object[]) => ({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "things.example.com" },
    spec: { group: "example.com", scope: "Cluster", names: { kind: "Thing", plural: "things" }, versions },
  });
  const spec = { type: "object", properties: { size: { type: "integer", default: 3 } } };
  const thing = (apiVersion: string) => ({ apiVersion, kind: "Thing", metadata: { name: "t" }, spec: {} });

  it("serves its kind at once, in all of its versions, over restarts, and ends with its objects", async () => {
    const directory = await temporaryDirectory();
    const first = await embedded({ directory });
    const body = definition([version("v1", true, { spec }), version("v1beta1", false, { spec })]);
    await ask(first.api, "POST", definitions, { body });
    const made = await ask(first.api, "POST", "/apis/example.com/v1beta1/things", {
      body: thing("example.com/v1beta1"),
    });
    expect(made.body).toMatchObject({ apiVersion: "example.com/v1beta1", spec: { size: 3 } });
    await first.close();
    const { api } = await embedded({ directory });
    expect((await ask(api, "GET", `${things}/t`)).body.apiVersion).toBe("example.com/v1");
    const group = (await ask(api, "GET", "/apis/example.com")).body;
    expect(group.preferredVersion.version).toBe("v1");
    await ask(api, "DELETE", `${definitions}/things.example.com`);
    await settled();
    expect(await ask(api, "GET", things)).toMatchObject({ status: 404 });
    await ask(api, "POST", definitions, { body });
    expect((await ask(api, "GET", things)).body.items).toEqual([]);
  });

  it("gives older objects the defaults and fields of its newest schema when they are read", async () => {
    const { api } = await embedded();
    await ask(api, "POST", definitions, { body: definition([version("v1", true, { spec })]) });
    await ask(api, "POST", things, { body: thing("example.com/v1") });
    const color = { ...spec, properties: { color: { type: "string", default: "red" } } };
    const body = { spec: { versions: [version("v1", true, { spec: color })] } };
    await ask(api, "PATCH", `${definitions}/things.example.com`, { contentType: merge, body });
    expect((await ask(api, "GET", `${things}/t`)).body.spec).toEqual({ color: "red" });
  });

  it("is not established when its names are taken", async () => {
    const { api } = await embedded();
    await ask(api, "POST", definitions, { body: definition([version("v1", true, { spec })]) });
    const other = definition([version("v1", true, { spec })]);
    const names = { kind: "Thing", plural: "stuff" };
    const body = { ...other, metadata: { name: "stuff.example.com" }, spec: { ...other.spec, names } };
    await ask(api, "POST", definitions, { body });
    const { conditions } = (await ask(api, "GET", `${definitions}/stuff.example.com`)).body.status;
    expect(conditions.map((condition: Body) => [condition.type, condition.status])).toEqual([
      ["NamesAccepted", "False"],
      ["Established", "False"],
    ]);
  });
});
