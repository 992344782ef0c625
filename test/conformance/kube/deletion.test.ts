import { randomUUID } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { eventually } from "../../support/eventually.ts";
import { configMap, configMaps, path, write } from "./fixtures.ts";
import { kubeServers, type Server } from "./servers.ts";

const onEveryServer = kubeServers();

const contentType = "application/merge-patch+json";

function actions(server: () => Server) {
  let name = "";
  beforeEach(() => {
    name = `deleted-${randomUUID()}`;
  });
  const place = (which = name) => path.configMaps(server().namespace, which);
  const read = (which = name) => server().raw.request("GET", place(which));
  return {
    name: () => name,
    place,
    read,
    make: (which = name, metadata: Record<string, unknown> = {}): Promise<KubeObject> =>
      server().kube.create(configMaps, configMap(server().namespace, which, { a: "1" }, metadata), write),
    remove: (options: Record<string, unknown> = {}, which = name) =>
      server().raw.request("DELETE", place(which), {
        body: { apiVersion: "v1", kind: "DeleteOptions", ...options },
      }),
    patch: (body: unknown, which = name) =>
      server().raw.request("PATCH", place(which), { contentType, body }),
    gone: (which = name) =>
      eventually(async () => {
        const { status } = await read(which);
        expect(status).toBe(404);
        return true;
      }),
  };
}

const ownedBy = (owner: KubeObject, more: Record<string, unknown> = {}) => ({
  ownerReferences: [
    {
      apiVersion: owner.apiVersion,
      kind: owner.kind,
      name: owner.metadata.name,
      uid: owner.metadata.uid,
      ...more,
    },
  ],
});

onEveryServer("deletion", (server) => {
  const { name, make, remove, patch, read } = actions(server);

  it("deletes at once what nothing holds, and answers a Status", async () => {
    const made = await make();
    const answer = await remove();
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      kind: "Status",
      status: "Success",
      details: { name: name(), kind: "configmaps", uid: made.metadata.uid },
    });
    expect((await read()).status).toBe(404);
    expect((await remove()).status).toBe(404);
    const again = await make();
    expect(again.metadata.uid).not.toBe(made.metadata.uid);
  });

  it("waits for finalizers and lets go with the last of them", async () => {
    await make(name(), { finalizers: ["example.com/a", "example.com/b"] });
    const answer = await remove();
    expect(answer).toMatchObject({ status: 200, body: { kind: "ConfigMap" } });
    expect(answer.body.metadata.deletionTimestamp).toMatch(/Z$/);
    expect(answer.body.metadata.deletionGracePeriodSeconds).toBe(0);
    expect((await patch({ data: { a: "2" } })).status).toBe(200);
    const held = await read();
    expect(held.body).toMatchObject({
      data: { a: "2" },
      metadata: { finalizers: ["example.com/a", "example.com/b"] },
    });
    const added = await patch({ metadata: { finalizers: ["example.com/a", "example.com/c"] } });
    expect(added).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    await patch({ metadata: { finalizers: ["example.com/b"] } });
    expect((await read()).status).toBe(200);
    const last = await patch({ metadata: { finalizers: null } });
    expect(last.status).toBe(200);
    expect((await read()).status).toBe(404);
  });

  it("keeps the moment of the first deletion", async () => {
    await make(name(), { finalizers: ["example.com/a"] });
    const first = await remove();
    const { deletionTimestamp } = first.body.metadata;
    expect((await remove()).body.metadata.deletionTimestamp).toBe(deletionTimestamp);
    const undone = await patch({ metadata: { deletionTimestamp: null } });
    expect(undone.body.metadata.deletionTimestamp).toBe(deletionTimestamp);
    await patch({ metadata: { finalizers: null } });
  });

  it("deletes only what the preconditions mean", async () => {
    const made = await make();
    const uid = "00000000-0000-0000-0000-000000000000";
    const other = await remove({ preconditions: { uid } });
    expect(other).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    const old = await remove({ preconditions: { resourceVersion: "1" } });
    expect(old).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    const { kube, namespace } = server();
    const ref = { namespace, name: name() };
    await expect(kube.delete(configMaps, ref, { uid })).rejects.toMatchObject({
      code: 409,
      reason: "Conflict",
    });
    await kube.delete(configMaps, ref, { uid: made.metadata.uid ?? "" });
    await kube.delete(configMaps, ref);
    expect((await read()).status).toBe(404);
  });
});

onEveryServer("deletion of collections", (server) => {
  const { make, read } = actions(server);

  it("deletes what a selector selects", async () => {
    const { raw, namespace } = server();
    const label = `c${randomUUID().slice(0, 8)}`;
    for (const [n, on] of [
      ["one", "yes"],
      ["two", "yes"],
      ["three", "no"],
    ] as const) {
      await make(`${label}-${n}`, { labels: { [label]: on } });
    }
    const query = { labelSelector: `${label}=yes` };
    const answer = await raw.request("DELETE", path.configMaps(namespace), { query });
    expect(answer.status).toBe(200);
    const left = await raw.request("GET", path.configMaps(namespace), { query: { labelSelector: label } });
    expect(left.body.items.map((item: KubeObject) => item.metadata.name)).toEqual([`${label}-three`]);
    expect((await read(`${label}-one`)).status).toBe(404);
  });
});

onEveryServer("garbage collection", (server) => {
  const { name, make, remove, patch, read, gone } = actions(server);

  it("collects dependents in the background", async () => {
    const owner = await make();
    await make(`${name()}-child`, ownedBy(owner));
    expect((await remove({ propagationPolicy: "Background" })).status).toBe(200);
    expect((await read()).status).toBe(404);
    await gone(`${name()}-child`);
  });

  it("collects dependents of dependents", async () => {
    const owner = await make();
    const child = await make(`${name()}-child`, ownedBy(owner));
    await make(`${name()}-grandchild`, ownedBy(child));
    await remove();
    expect(await gone(`${name()}-grandchild`)).toBe(true);
  });

  it("keeps the owner until blocking dependents are gone, in the foreground", async () => {
    const owner = await make();
    const child = `${name()}-child`;
    await make(child, { ...ownedBy(owner, { blockOwnerDeletion: true }), finalizers: ["example.com/hold"] });
    const answer = await remove({ propagationPolicy: "Foreground" });
    expect(answer.body.metadata.finalizers).toContain("foregroundDeletion");
    await eventually(async () => expect((await read(child)).body.metadata.deletionTimestamp).toBeDefined());
    expect((await read()).status).toBe(200);
    await patch({ metadata: { finalizers: null } }, child);
    await gone(child);
    await gone();
  });

  it("leaves dependents alive, without their owner, as orphans", async () => {
    const owner = await make();
    const child = `${name()}-child`;
    await make(child, ownedBy(owner));
    await remove({ propagationPolicy: "Orphan" });
    await gone();
    const left = await read(child);
    expect(left.status).toBe(200);
    expect(left.body.metadata.ownerReferences ?? []).toEqual([]);
  });

  it("keeps a dependent as long as one of its owners lives", async () => {
    const one = await make();
    const two = await make(`${name()}-two`);
    const child = `${name()}-child`;
    const ownerReferences = [...ownedBy(one).ownerReferences, ...ownedBy(two).ownerReferences];
    await make(child, { ownerReferences });
    await remove();
    await eventually(async () => expect((await read(child)).body.metadata.ownerReferences).toHaveLength(1));
    await remove({}, `${name()}-two`);
    await gone(child);
  });

  it("collects an object whose owner was never there", async () => {
    const ghost = {
      ...configMap(server().namespace, "ghost"),
      metadata: { name: "ghost", uid: randomUUID() },
    };
    await make(name(), ownedBy(ghost));
    expect(await gone()).toBe(true);
  });
});
