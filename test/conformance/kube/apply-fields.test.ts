import { randomUUID } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import type { RawAnswer } from "../../support/raw-kube.ts";
import { type Container, configMap, configMaps, deployment, path } from "./fixtures.ts";
import { kubeServers, type Server } from "./servers.ts";

const onEveryServer = kubeServers();

type Managed = {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly apiVersion: string;
  readonly fieldsType: string;
  readonly fieldsV1: Readonly<Record<string, unknown>>;
  readonly time: string;
};

function actions(server: () => Server) {
  let name = "";
  beforeEach(() => {
    name = `applied-${randomUUID()}`;
  });
  const apply = (place: string, manager: string, body: unknown, query: Record<string, string> = {}) =>
    server().raw.request("PATCH", place, {
      contentType: "application/apply-patch+yaml",
      query: { fieldManager: manager, ...query },
      body,
    });
  const map = () => path.configMaps(server().namespace, name);
  return {
    map,
    app: () => path.deployments(server().namespace, name),
    name: () => name,
    force: { force: "true" },
    apply,
    applyMap: (manager: string, data: Record<string, string>, query: Record<string, string> = {}) =>
      apply(map(), manager, configMap(server().namespace, name, data), query),
    applyApp: (manager: string, containers: readonly Container[], query: Record<string, string> = {}) =>
      apply(
        path.deployments(server().namespace, name),
        manager,
        deployment(server().namespace, name, containers),
        query,
      ),
    merge: (place: string, manager: string, body: unknown): Promise<RawAnswer> =>
      server().raw.request("PATCH", place, {
        contentType: "application/merge-patch+json",
        query: { fieldManager: manager },
        body,
      }),
    managedBy: (answer: RawAnswer, manager: string): readonly Managed[] =>
      answer.body.metadata.managedFields.filter((entry: Managed) => entry.manager === manager),
  };
}

onEveryServer("ownership by apply", (server) => {
  const { map, name, applyMap, merge, managedBy, force } = actions(server);

  it("creates with 201, then changes with 200", async () => {
    const created = await applyMap("a", { x: "1" });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ kind: "ConfigMap", data: { x: "1" }, metadata: { name: name() } });
    const changed = await applyMap("a", { x: "2" });
    expect(changed.status).toBe(200);
    expect(changed.body.data).toEqual({ x: "2" });
    const same = await applyMap("a", { x: "2" });
    expect(same.body.metadata.resourceVersion).toBe(changed.body.metadata.resourceVersion);
  });

  it("writes down who owns what", async () => {
    const answer = await applyMap("a", { x: "1" });
    const [entry] = managedBy(answer, "a");
    expect(entry).toMatchObject({
      operation: "Apply",
      apiVersion: "v1",
      fieldsType: "FieldsV1",
      fieldsV1: { "f:data": { "f:x": {} } },
    });
    expect(entry?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const updated = await merge(map(), "editor", { data: { y: "1" } });
    expect(managedBy(updated, "editor")).toMatchObject([
      { operation: "Update", fieldsV1: { "f:data": { "f:y": {} } } },
    ]);
    expect(managedBy(updated, "a")).toMatchObject([
      { operation: "Apply", fieldsV1: { "f:data": { "f:x": {} } } },
    ]);
  });

  it("removes what its only owner no longer names", async () => {
    await applyMap("a", { x: "1", y: "1" });
    await applyMap("b", { z: "1" });
    const answer = await applyMap("a", { x: "1" });
    expect(answer.body.data).toEqual({ x: "1", z: "1" });
  });

  it("refuses to change a field of another owner, and names both", async () => {
    await applyMap("a", { x: "1" });
    const answer = await applyMap("b", { x: "2", y: "2" });
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ reason: "Conflict", code: 409 });
    expect(answer.body.details.causes).toEqual([
      { reason: "FieldManagerConflict", message: 'conflict with "a"', field: ".data.x" },
    ]);
    expect((await server().raw.request("GET", map())).body.data).toEqual({ x: "1" });
  });

  it("takes fields over by force", async () => {
    await applyMap("a", { x: "1", y: "1" });
    const forced = await applyMap("b", { x: "2" }, force);
    expect(forced.body.data).toEqual({ x: "2", y: "1" });
    expect(managedBy(forced, "a")[0]?.fieldsV1).toEqual({ "f:data": { "f:y": {} } });
    const again = await applyMap("a", { y: "2" });
    expect(again.body.data).toEqual({ x: "2", y: "2" });
  });

  it("shares a field whose value both agree on, until the last owner leaves it", async () => {
    await applyMap("a", { x: "1" });
    expect((await applyMap("b", { x: "1" })).status).toBe(200);
    const left = await applyMap("a", {});
    expect(left.body.data).toEqual({ x: "1" });
    const disagreed = await applyMap("a", { x: "2" });
    expect(disagreed.status).toBe(409);
    const gone = await applyMap("b", {});
    expect(gone.body.data?.x).toBeUndefined();
  });
});

onEveryServer("apply beside other writes", (server) => {
  const { apply, map, applyMap, merge, managedBy, force, name } = actions(server);

  it("loses a field to whoever updates it", async () => {
    await applyMap("a", { x: "1" });
    const edited = await merge(map(), "editor", { data: { x: "2" } });
    expect(JSON.stringify(managedBy(edited, "a"))).not.toContain("f:x");
    const answer = await applyMap("a", { x: "1" });
    expect(answer.status).toBe(409);
    expect(answer.body.details.causes[0].message).toMatch(/^conflict with "editor" using v1/);
    expect((await applyMap("a", { x: "1" }, force)).body.data).toEqual({ x: "1" });
  });

  it("lets an update that changes nothing take nothing over", async () => {
    await applyMap("a", { x: "1" });
    const same = await merge(map(), "editor", { data: { x: "1" } });
    expect(managedBy(same, "editor")).toEqual([]);
    expect((await applyMap("a", {})).body.data?.x).toBeUndefined();
  });

  it("ends ownership of what an update removes", async () => {
    await applyMap("a", { x: "1", y: "1" });
    const removed = await merge(map(), "editor", { data: { x: null } });
    expect(managedBy(removed, "a")[0]?.fieldsV1).toEqual({ "f:data": { "f:y": {} } });
  });

  it("keeps labels and annotations of other owners", async () => {
    await applyMap("a", { x: "1" });
    await merge(map(), "editor", { metadata: { labels: { theirs: "1" }, annotations: { theirs: "1" } } });
    const body = configMap(server().namespace, name(), { x: "1" }, { labels: { mine: "1" } });
    const answer = await apply(map(), "a", body);
    expect(answer.body.metadata.labels).toEqual({ mine: "1", theirs: "1" });
    expect(answer.body.metadata.annotations).toEqual({ theirs: "1" });
  });

  it("forgets who owned what when managedFields is emptied", async () => {
    await applyMap("a", { x: "1" });
    const emptied = await merge(map(), "editor", { metadata: { managedFields: [{}] } });
    expect(emptied.body.metadata.managedFields ?? []).toEqual([]);
    expect((await applyMap("b", { x: "2" }, force)).body.data).toEqual({ x: "2" });
  });

  it("gives our client the same rules", async () => {
    const { kube, namespace } = server();
    const object = configMap(namespace, name(), { x: "1" });
    await kube.apply(configMaps, object, { manager: "a", force: false });
    const other = configMap(namespace, name(), { x: "2" });
    await expect(kube.apply(configMaps, other, { manager: "b", force: false })).rejects.toMatchObject({
      code: 409,
      reason: "Conflict",
      disposition: "retry",
      details: { causes: [{ field: ".data.x" }] },
    });
    const forced = await kube.apply(configMaps, other, { manager: "b", force: true });
    expect(forced["data"]).toEqual({ x: "2" });
  });
});

onEveryServer("refusals of apply", (server) => {
  const { apply, map, name } = actions(server);

  it("refuses an apply without a manager, with managedFields, or for another object", async () => {
    const { namespace, raw } = server();
    const contentType = "application/apply-patch+yaml";
    const body = configMap(namespace, name(), { x: "1" });
    const anonymous = await raw.request("PATCH", map(), { contentType, body });
    expect(anonymous).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    const managed = configMap(namespace, name(), { x: "1" }, { managedFields: [{ manager: "a" }] });
    expect(await apply(map(), "a", managed)).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
    const other = await apply(map(), "a", configMap(namespace, "other", { x: "1" }));
    expect(other).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
    const typeless = await apply(map(), "a", { metadata: { name: name() } });
    expect(typeless).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
  });

  it("applies only to the object that the uid or resourceVersion means", async () => {
    const { namespace } = server();
    const strange = { uid: "00000000-0000-0000-0000-000000000000" };
    const absent = await apply(map(), "a", configMap(namespace, name(), {}, strange));
    expect(absent).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    const made = await apply(map(), "a", configMap(namespace, name(), { x: "1" }));
    const { resourceVersion } = made.body.metadata;
    const next = await apply(map(), "a", configMap(namespace, name(), { x: "2" }, { resourceVersion }));
    expect(next.status).toBe(200);
    const stale = await apply(map(), "a", configMap(namespace, name(), { x: "3" }, { resourceVersion }));
    expect(stale).toMatchObject({ status: 409, body: { reason: "Conflict" } });
  });

  it("accepts YAML", async () => {
    const { namespace } = server();
    const yaml = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name()}\n  namespace: ${namespace}\ndata:\n  x: "1"\n`;
    const answer = await apply(map(), "a", yaml);
    expect(answer).toMatchObject({ status: 201, body: { data: { x: "1" } } });
  });
});
