import { randomUUID } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import type { RawAnswer } from "../../support/raw-kube.ts";
import { type Container, configMap, deployment, path } from "./fixtures.ts";
import { kubeServers, type Server } from "./servers.ts";

const merge = "application/merge-patch+json";
const json = "application/json-patch+json";
const strategic = "application/strategic-merge-patch+json";

function actions(server: () => Server) {
  let name = "";
  beforeEach(() => {
    name = `patched-${randomUUID()}`;
  });
  const make = async (place: string, body: unknown) => {
    const made = await server().raw.request("POST", place, { body });
    expect(made.status).toBe(201);
    return made.body;
  };
  return {
    makeConfigMap: (data: Record<string, string>, metadata: Record<string, unknown> = {}) =>
      make(path.configMaps(server().namespace), configMap(server().namespace, name, data, metadata)),
    makeDeployment: (containers: readonly Container[]) =>
      make(path.deployments(server().namespace), deployment(server().namespace, name, containers)),
    patch: (place: string, contentType: string, body: unknown): Promise<RawAnswer> =>
      server().raw.request("PATCH", place, { contentType, body }),
    map: () => path.configMaps(server().namespace, name),
    app: () => path.deployments(server().namespace, name),
  };
}

const onEveryServer = kubeServers();

onEveryServer("merge patches", (server) => {
  const { makeConfigMap, makeDeployment, patch, map, app } = actions(server);

  it("merges, and removes what is null", async () => {
    await makeConfigMap({ a: "1", b: "2" }, { labels: { keep: "yes", drop: "yes" } });
    const body = { metadata: { labels: { drop: null, add: "yes" } }, data: { b: "3", c: "4" } };
    const answer = await patch(map(), merge, body);
    expect(answer.status).toBe(200);
    expect(answer.body.data).toEqual({ a: "1", b: "3", c: "4" });
    expect(answer.body.metadata.labels).toEqual({ keep: "yes", add: "yes" });
  });

  it("merges a list by replacing it", async () => {
    await makeDeployment([
      { name: "app", image: "example.com/app:1" },
      { name: "side", image: "example.com/side:1" },
    ]);
    const body = {
      spec: { template: { spec: { containers: [{ name: "app", image: "example.com/app:2" }] } } },
    };
    const answer = await patch(app(), merge, body);
    expect(answer.body.spec.template.spec.containers).toHaveLength(1);
  });

  it("patches only the version that the patch names", async () => {
    const made = await makeConfigMap({ a: "1" });
    const version = { metadata: { resourceVersion: made.metadata.resourceVersion } };
    const first = await patch(map(), merge, { ...version, data: { a: "2" } });
    expect(first.status).toBe(200);
    const second = await patch(map(), merge, { ...version, data: { a: "3" } });
    expect(second).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    const uid = { metadata: { uid: "00000000-0000-0000-0000-000000000000" }, data: { a: "3" } };
    expect(await patch(map(), merge, uid)).toMatchObject({ status: 422, body: { reason: "Invalid" } });
  });

  it("cannot change what identifies an object", async () => {
    await makeConfigMap({ a: "1" });
    const renamed = await patch(map(), merge, { metadata: { name: "other" } });
    expect(renamed).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
    const kind = await patch(map(), merge, { kind: "Secret" });
    expect(kind).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    const moved = await patch(map(), merge, { metadata: { namespace: "default" } });
    expect(moved).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
  });

  it("keeps the creation time whatever a patch says", async () => {
    const made = await makeConfigMap({ a: "1" });
    const answer = await patch(map(), merge, { metadata: { creationTimestamp: "2001-01-01T00:00:00Z" } });
    expect(answer.body.metadata.creationTimestamp).toBe(made.metadata.creationTimestamp);
  });

  it("answers 404 when there is nothing to patch", async () => {
    const answer = await patch(path.configMaps(server().namespace, "nothing"), merge, { data: {} });
    expect(answer).toMatchObject({ status: 404, body: { reason: "NotFound" } });
  });
});

onEveryServer("JSON patches", (server) => {
  const { makeConfigMap, makeDeployment, patch, map, app } = actions(server);

  it("carries out the operations of a JSON patch in order", async () => {
    await makeConfigMap({ a: "1" }, { annotations: { "example.com/x": "1" } });
    const answer = await patch(map(), json, [
      { op: "test", path: "/data/a", value: "1" },
      { op: "add", path: "/data/b", value: "new" },
      { op: "replace", path: "/data/a", value: "2" },
      { op: "copy", from: "/data/a", path: "/data/c" },
      { op: "move", from: "/data/b", path: "/data/d" },
      { op: "add", path: "/metadata/annotations/example.com~1y", value: "2" },
      { op: "remove", path: "/metadata/annotations/example.com~1x" },
    ]);
    expect(answer.status).toBe(200);
    expect(answer.body.data).toEqual({ a: "2", c: "2", d: "new" });
    expect(answer.body.metadata.annotations).toEqual({ "example.com/y": "2" });
  });

  it("reaches into lists with a JSON patch", async () => {
    await makeDeployment([{ name: "app", image: "example.com/app:1" }]);
    const containers = "/spec/template/spec/containers";
    const answer = await patch(app(), json, [
      { op: "add", path: `${containers}/-`, value: { name: "last", image: "example.com/last:1" } },
      { op: "add", path: `${containers}/0`, value: { name: "first", image: "example.com/first:1" } },
      { op: "replace", path: `${containers}/1/image`, value: "example.com/app:2" },
      { op: "remove", path: `${containers}/2` },
    ]);
    const made = answer.body.spec.template.spec.containers.map(
      (c: { name: string; image: string }) => c.image,
    );
    expect(made).toEqual(["example.com/first:1", "example.com/app:2"]);
  });

  it("changes nothing when a JSON patch fails halfway", async () => {
    await makeConfigMap({ a: "1" });
    const failed = await patch(map(), json, [
      { op: "replace", path: "/data/a", value: "2" },
      { op: "test", path: "/data/a", value: "3" },
    ]);
    expect(failed).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    const absent = await patch(map(), json, [{ op: "remove", path: "/data/absent" }]);
    expect(absent).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    expect((await server().raw.request("GET", map())).body.data).toEqual({ a: "1" });
    expect(await patch(map(), json, { op: "remove" })).toMatchObject({ status: 400 });
    expect(await patch(map(), json, [{ op: "jump", path: "/data" }])).toMatchObject({ status: 422 });
  });
});

onEveryServer("strategic merge patches", (server) => {
  const { makeConfigMap, makeDeployment, patch, map, app } = actions(server);

  it("merges lists by key with a strategic patch", async () => {
    await makeDeployment([
      { name: "app", image: "example.com/app:1", env: [{ name: "A", value: "1" }] },
      { name: "side", image: "example.com/side:1" },
    ]);
    const containers = [
      { name: "app", env: [{ name: "B", value: "2" }] },
      { name: "new", image: "example.com/new:1" },
    ];
    const answer = await patch(app(), strategic, { spec: { template: { spec: { containers } } } });
    expect(answer.status).toBe(200);
    const made = answer.body.spec.template.spec.containers;
    expect(new Set(made.map((c: { name: string }) => c.name))).toEqual(new Set(["app", "side", "new"]));
    const merged = made.find((c: { name: string }) => c.name === "app");
    expect(merged.image).toBe("example.com/app:1");
    expect(merged.env).toHaveLength(2);
    expect(merged.env).toEqual(
      expect.arrayContaining([
        { name: "A", value: "1" },
        { name: "B", value: "2" },
      ]),
    );
  });

  it("deletes and replaces with the directives of a strategic patch", async () => {
    await makeDeployment([
      { name: "app", image: "example.com/app:1", args: ["a", "b"] },
      { name: "side", image: "example.com/side:1" },
    ]);
    const template = (spec: unknown) => ({ spec: { template: { spec } } });
    const deleted = await patch(
      app(),
      strategic,
      template({ containers: [{ name: "side", $patch: "delete" }] }),
    );
    const names = deleted.body.spec.template.spec.containers.map((c: { name: string }) => c.name);
    expect(names).toEqual(["app"]);
    const atomic = await patch(app(), strategic, template({ containers: [{ name: "app", args: ["c"] }] }));
    expect(atomic.body.spec.template.spec.containers[0].args).toEqual(["c"]);
    const only = [{ $patch: "replace" }, { name: "only", image: "example.com/only:1" }];
    const replaced = await patch(app(), strategic, template({ containers: only }));
    expect(replaced.body.spec.template.spec.containers).toHaveLength(1);
    expect(replaced.body.spec.template.spec.containers[0].name).toBe("only");
  });

  it("merges lists of plain values with a strategic patch", async () => {
    await makeConfigMap({}, { finalizers: ["example.com/a"] });
    const added = await patch(map(), strategic, { metadata: { finalizers: ["example.com/b"] } });
    expect(added.body.metadata.finalizers.toSorted()).toEqual(["example.com/a", "example.com/b"]);
    const directive = { metadata: { "$deleteFromPrimitiveList/finalizers": ["example.com/a"] } };
    expect((await patch(map(), strategic, directive)).body.metadata.finalizers).toEqual(["example.com/b"]);
    const gone = await patch(map(), merge, { metadata: { finalizers: null } });
    expect(gone.body.metadata.finalizers).toBeUndefined();
  });

  it("keeps the order that a strategic patch sets", async () => {
    await makeDeployment([
      { name: "a", image: "example.com/a:1" },
      { name: "b", image: "example.com/b:1" },
      { name: "c", image: "example.com/c:1" },
    ]);
    const order = [{ name: "c" }, { name: "a" }, { name: "b" }];
    const spec = {
      "$setElementOrder/containers": order,
      containers: [{ name: "b", image: "example.com/b:2" }],
    };
    const answer = await patch(app(), strategic, { spec: { template: { spec } } });
    const names = answer.body.spec.template.spec.containers.map((c: { name: string }) => c.name);
    expect(names).toEqual(["c", "a", "b"]);
  });
});

onEveryServer("refusals of patches", (server) => {
  const { makeConfigMap, makeDeployment, patch, map, app } = actions(server);

  it("refuses patches of a type that is unknown, or that are no JSON", async () => {
    await makeConfigMap({ a: "1" });
    expect(await patch(map(), "application/json", { data: {} })).toMatchObject({
      status: 415,
      body: { reason: "UnsupportedMediaType" },
    });
    expect(await patch(map(), merge, "{broken")).toMatchObject({
      status: 400,
      body: { reason: "BadRequest" },
    });
  });

  it("validates what a patch makes", async () => {
    await makeDeployment([{ name: "app", image: "example.com/app:1" }]);
    const answer = await patch(app(), merge, { spec: { replicas: -1 } });
    expect(answer).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    expect(answer.body.details.causes[0]).toMatchObject({
      reason: "FieldValueInvalid",
      field: "spec.replicas",
    });
  });
});
