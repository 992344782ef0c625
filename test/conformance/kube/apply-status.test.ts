import { randomUUID } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import { deployment, deployments, jobs, path, write } from "./fixtures.ts";
import { kubeServers, type Server } from "./servers.ts";

const onEveryServer = kubeServers();

const contentType = "application/apply-patch+yaml";

type Entry = { readonly manager: string; readonly operation: string; readonly subresource?: string };

const condition = (type: string, status: string) => ({
  type,
  status,
  reason: "Test",
  message: "from a test",
});

function actions(server: () => Server) {
  let name = "";
  beforeEach(async () => {
    name = `reported-${randomUUID()}`;
    const { kube, namespace } = server();
    const made = deployment(namespace, name, undefined, { paused: true, replicas: 0 });
    await kube.create(deployments, made, write);
  });
  const report = (manager: string, status: unknown, force = true) => {
    const { raw, namespace } = server();
    const place = `${path.deployments(namespace, name)}/status`;
    const body = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace }, status };
    const query = { fieldManager: manager, force: String(force) };
    return raw.request("PATCH", place, { contentType, query, body });
  };
  return { report, name: () => name };
}

onEveryServer("apply to status", (server) => {
  const { report, name } = actions(server);

  it("owns fields of status under its own subresource", async () => {
    const answer = await report("reporter", { collisionCount: 3 });
    expect(answer).toMatchObject({ status: 200, body: { status: { collisionCount: 3 } } });
    const entries: Entry[] = answer.body.metadata.managedFields;
    expect(entries.filter((entry) => entry.manager === "reporter")).toMatchObject([
      { operation: "Apply", subresource: "status", fieldsV1: { "f:status": { "f:collisionCount": {} } } },
    ]);
    const gone = await report("reporter", {});
    expect(gone.body.status.collisionCount).toBeUndefined();
  });

  it("shares conditions by type", async () => {
    await report("one", { conditions: [condition("example.com/One", "True")] });
    const both = await report("two", { conditions: [condition("example.com/Two", "False")] });
    const types = both.body.status.conditions.map((c: { type: string }) => c.type);
    expect(types).toEqual(expect.arrayContaining(["example.com/One", "example.com/Two"]));
    const conflict = await report("two", { conditions: [condition("example.com/One", "False")] }, false);
    expect(conflict.status).toBe(409);
    expect(conflict.body.details.causes).toEqual([
      expect.objectContaining({ field: '.status.conditions[type="example.com/One"].status' }),
    ]);
  });

  it("leaves the spec and labels alone, whatever the body says", async () => {
    const { raw, namespace } = server();
    const place = `${path.deployments(namespace, name())}/status`;
    const body = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: name(), namespace, labels: { sneaked: "in" } },
      spec: { replicas: 7 },
      status: { collisionCount: 1 },
    };
    const answer = await raw.request("PATCH", place, { contentType, query: { fieldManager: "x" }, body });
    expect(answer).toMatchObject({
      status: 200,
      body: { spec: { replicas: 0 }, status: { collisionCount: 1 } },
    });
    expect(answer.body.metadata.labels?.sneaked).toBeUndefined();
  });

  it("does not create by applying status", async () => {
    const { kube, namespace } = server();
    const job = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "absent", namespace },
      status: { active: 1 },
    };
    const options = { manager: "x", force: true, subresource: "status" } as const;
    await expect(kube.apply(jobs, job, options)).rejects.toMatchObject({ code: 404, reason: "NotFound" });
  });
});
