import { beforeAll, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { path } from "./fixtures.ts";
import { kubeServers, type Server } from "./servers.ts";
import { crdOf, installWidgets, type Widgets } from "./widgets.ts";

const onEveryServer = kubeServers();

const contentType = "application/merge-patch+json";
const yaml = "application/apply-patch+yaml";

const installed = new Map<string, Promise<Widgets>>();

/** One kind for all groups of a server: a real one lets the first write to a new kind wait for two seconds. */
function kind(server: () => Server): () => Widgets {
  let widgets: Widgets | undefined;
  beforeAll(async () => {
    const { tag } = server();
    const installing = installed.get(tag) ?? installWidgets(server(), "shared");
    installed.set(tag, installing);
    widgets = await installing;
  });
  return () => {
    if (widgets === undefined) throw new Error("the kind is not installed");
    return widgets;
  };
}

onEveryServer("life of a CRD", (server) => {
  it("establishes a CRD, serves its kind, and stops when the CRD is deleted", async () => {
    const { raw, kube } = server();
    const { crdName, place, widget, resource } = await installWidgets(server(), "life");
    const crd = await raw.request("GET", path.crds(crdName));
    expect(crd.body.status).toMatchObject({
      acceptedNames: { plural: "widgets", kind: "Widget", shortNames: ["wd"] },
      storedVersions: ["v1"],
    });
    expect(crd.body.status.conditions).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: "NamesAccepted", status: "True" }),
        expect.objectContaining({ type: "Established", status: "True" }),
      ]),
    );
    const made = await raw.request("POST", place(), { body: widget("a") });
    expect(made).toMatchObject({ status: 201, body: { kind: "Widget", metadata: { generation: 1 } } });
    expect(await kube.get(resource, { namespace: server().namespace, name: "a" })).toEqual(made.body);
    expect((await raw.request("DELETE", path.crds(crdName))).status).toBe(200);
    await eventually(async () => {
      expect((await raw.request("GET", path.crds(crdName))).status).toBe(404);
      expect((await raw.request("GET", place())).status).toBe(404);
    });
  });

  it("deletes the objects with their CRD, and they do not come back with it", async () => {
    const { raw, tag } = server();
    const { crdName, place, widget } = await installWidgets(server(), "again");
    await raw.request("POST", place(), { body: widget("a") });
    await raw.request("DELETE", path.crds(crdName));
    await eventually(async () => expect((await raw.request("GET", path.crds(crdName))).status).toBe(404));
    await eventually(async () => {
      const { status } = await raw.request("POST", path.crds(), { body: crdOf(`again.${tag}.example.com`) });
      expect(status).toBe(201);
    });
    await eventually(async () => {
      const list = await raw.request("GET", place());
      expect(list).toMatchObject({ status: 200, body: { items: [] } });
    });
  });

  it("refuses a CRD whose name, schema or versions are wrong", async () => {
    const { raw, tag } = server();
    const create = (body: unknown) => raw.request("POST", path.crds(), { body });
    const group = `wrong.${tag}.example.com`;
    const misnamed = { ...crdOf(group), metadata: { name: `gadgets.${group}` } };
    expect(await create(misnamed)).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    const untyped = { schema: { openAPIV3Schema: { properties: { spec: { type: "object" } } } } };
    expect(await create(crdOf(group, untyped))).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    const stored = await create(crdOf(group, { storage: false }));
    expect(stored).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    expect(await create(crdOf(group, { schema: undefined }))).toMatchObject({ status: 422 });
    expect((await raw.request("GET", path.crds(`widgets.${group}`))).status).toBe(404);
  });
});

onEveryServer("objects of a CRD", (server) => {
  const widgets = kind(server);

  it("prunes unknown fields, keeps what the schema preserves, fills in defaults", async () => {
    const { raw } = server();
    const { place, widget } = widgets();
    const spec = {
      size: 2,
      unknown: "x",
      free: { any: { thing: [1] } },
      map: { a: "b" },
      parts: [{ name: "a", extra: true }],
      port: "http",
      note: null,
    };
    const made = await raw.request("POST", place(), { body: widget("pruned", { spec, unknown: 1 }) });
    expect(made.status).toBe(201);
    expect(made.body.unknown).toBeUndefined();
    expect(made.body.spec).toEqual({
      size: 2,
      color: "red",
      free: { any: { thing: [1] } },
      map: { a: "b" },
      parts: [{ name: "a", count: 1 }],
      port: "http",
      note: null,
    });
  });

  it.each([
    ["spec.size", "FieldValueRequired", {}],
    ["spec.size", "FieldValueInvalid", { size: 0 }],
    ["spec.size", "FieldValueInvalid", { size: 11 }],
    ["spec.size", "FieldValueTypeInvalid", { size: "two" }],
    ["spec.color", "FieldValueNotSupported", { size: 1, color: "blue" }],
    ["spec.code", "FieldValueInvalid", { size: 1, code: "ABC" }],
    ["spec.code", "FieldValueTooLong", { size: 1, code: "abcdef" }],
    ["spec.when", "FieldValueTypeInvalid", { size: 1, when: "yesterday" }],
    ["spec.parts[0].name", "FieldValueRequired", { size: 1, parts: [{ count: 1 }] }],
    ["spec.parts[1]", "FieldValueDuplicate", { size: 1, parts: [{ name: "a" }, { name: "a" }] }],
    ["spec.tags[1]", "FieldValueDuplicate", { size: 1, tags: ["a", "a"] }],
    ["spec.map.a", "FieldValueTypeInvalid", { size: 1, map: { a: 1 } }],
  ])("refuses %s with %s", async (field, reason, spec) => {
    const { place, widget } = widgets();
    const answer = await server().raw.request("POST", place(), { body: widget("refused", { spec }) });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({
      reason: "Invalid",
      code: 422,
      details: { kind: "Widget", name: "refused" },
    });
    expect(answer.body.details.causes).toContainEqual(expect.objectContaining({ field, reason }));
  });
});

onEveryServer("status of a CRD's objects", (server) => {
  const widgets = kind(server);

  it("keeps status apart and counts generations for the spec", async () => {
    const { raw } = server();
    const { place, widget } = widgets();
    const body = widget("apart", { spec: { size: 1 }, status: { phase: "Early" } });
    const made = await raw.request("POST", place(), { body });
    expect(made.body.status).toBeUndefined();
    const patch = { spec: { size: 5 }, status: { phase: "Ready" } };
    const reported = await raw.request("PATCH", `${place("apart")}/status`, { contentType, body: patch });
    expect(reported.body).toMatchObject({
      spec: { size: 1 },
      status: { phase: "Ready" },
      metadata: { generation: 1 },
    });
    const changed = await raw.request("PATCH", place("apart"), {
      contentType,
      body: { spec: { size: 6 }, status: { phase: "No" } },
    });
    expect(changed.body).toMatchObject({
      spec: { size: 6 },
      status: { phase: "Ready" },
      metadata: { generation: 2 },
    });
    const invalid = {
      status: {
        conditions: [
          { type: "A", status: "True" },
          { type: "A", status: "False" },
        ],
      },
    };
    const refused = await raw.request("PATCH", `${place("apart")}/status`, { contentType, body: invalid });
    expect(refused.status).toBe(422);
  });
});

onEveryServer("patches of a CRD's objects", (server) => {
  const widgets = kind(server);

  it("applies to list-maps and sets of the schema", async () => {
    const { raw } = server();
    const { place, widget } = widgets();
    const apply = (fieldManager: string, spec: unknown) =>
      raw.request("PATCH", place("applied"), {
        contentType: yaml,
        query: { fieldManager },
        body: widget("applied", { spec }),
      });
    await apply("a", { size: 1, parts: [{ name: "one", count: 1 }], tags: ["a"] });
    const second = await apply("b", { size: 1, parts: [{ name: "two" }], tags: ["b"] });
    expect(second.status).toBe(200);
    expect(second.body.spec).toMatchObject({
      parts: [
        { name: "one", count: 1 },
        { name: "two", count: 1 },
      ],
      tags: ["a", "b"],
    });
    const conflict = await apply("b", { size: 1, parts: [{ name: "one", count: 2 }] });
    expect(conflict).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    expect(conflict.body.details.causes[0].field).toBe('.spec.parts[name="one"].count');
    const left = await apply("b", { size: 1 });
    expect(left.body.spec).toMatchObject({ parts: [{ name: "one", count: 1 }], tags: ["a"] });
  });

  it("lets a status be reported by apply, one condition per owner", async () => {
    const { raw, kube, namespace } = server();
    const { place, widget, resource, apiVersion } = widgets();
    await raw.request("POST", place(), { body: widget("conditions") });
    const report = (manager: string, type: string) =>
      kube.apply(
        resource,
        {
          apiVersion,
          kind: "Widget",
          metadata: { name: "conditions", namespace },
          status: { conditions: [{ type, status: "True" }] },
        },
        { manager, force: true, subresource: "status" },
      );
    await report("a", "A");
    const both = await report("b", "B");
    expect(both["status"]).toEqual({
      conditions: [
        { type: "A", status: "True" },
        { type: "B", status: "True" },
      ],
    });
    expect(both.metadata.generation).toBe(1);
  });
});

onEveryServer("limits of a CRD's objects", (server) => {
  const widgets = kind(server);

  it("takes nothing from the path that the body of a custom kind leaves out", async () => {
    const { raw } = server();
    const { kind: _, ...kindless } = widgets().widget("kindless");
    const { apiVersion: __, ...versionless } = widgets().widget("versionless");
    for (const body of [kindless, versionless]) {
      const refused = await raw.request("POST", widgets().place(), { body });
      expect(refused).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
    }
  });

  it("has no strategic merge for custom kinds", async () => {
    const { raw } = server();
    const { place, widget } = widgets();
    await raw.request("POST", place(), { body: widget("strategic") });
    const answer = await raw.request("PATCH", place("strategic"), {
      contentType: "application/strategic-merge-patch+json",
      body: { spec: { size: 2 } },
    });
    expect(answer).toMatchObject({ status: 415, body: { reason: "UnsupportedMediaType" } });
  });

  it("serves a kind without a status subresource as one object", async () => {
    const { raw, tag, namespace } = server();
    const group = `plain.${tag}.example.com`;
    const made = await raw.request("POST", path.crds(), { body: crdOf(group, { subresources: undefined }) });
    expect(made.status).toBe(201);
    const collection = `/apis/${group}/v1/namespaces/${namespace}/widgets`;
    const body = {
      apiVersion: `${group}/v1`,
      kind: "Widget",
      metadata: { name: "plain" },
      spec: { size: 1 },
      status: { phase: "Kept" },
    };
    const created = await eventually(async () => {
      const answer = await raw.request("POST", collection, { body });
      expect(answer.status).toBe(201);
      return answer;
    });
    expect(created.body.status).toEqual({ phase: "Kept" });
    expect((await raw.request("GET", `${collection}/plain/status`)).status).toBe(404);
  });
});
