import { beforeAll, expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import { deployment, path } from "./fixtures.ts";
import { kubeServers } from "./servers.ts";
import { installWidgets, type Widgets } from "./widgets.ts";

const onEveryServer = kubeServers();

onEveryServer("unknown fields", (server) => {
  let widgets: Widgets;
  beforeAll(async () => {
    widgets = await installWidgets(server(), "strict");
  });

  const typo = (name: string) =>
    deployment(server().namespace, name, undefined, { replica: 2, paused: true });

  it("are dropped with a warning when nothing else is asked for", async () => {
    const { raw, namespace } = server();
    const answer = await raw.request("POST", path.deployments(namespace), { body: typo("warned") });
    expect(answer.status).toBe(201);
    expect(answer.body.spec.replica).toBeUndefined();
    expect(String(answer.headers["warning"])).toContain('unknown field \\"spec.replica\\"');
  });

  it("are refused for our client when it is strict, and dropped otherwise", async () => {
    const { kube, namespace } = server();
    const unknown = (name: string) => deployment(namespace, name, undefined, { replica: 2 });
    const write = { manager: "conformance" };
    await expect(
      kube.create(builtIn.Deployment, unknown("client-strict"), { ...write, fieldValidation: "Strict" }),
    ).rejects.toMatchObject({ code: 400, message: expect.stringContaining('unknown field "spec.replica"') });
    const made = await kube.create(builtIn.Deployment, unknown("client-loose"), {
      ...write,
      fieldValidation: "Ignore",
    });
    expect(made["spec"]).not.toHaveProperty("replica");
  });

  it("are dropped in silence with fieldValidation=Ignore", async () => {
    const { raw, namespace } = server();
    const query = { fieldValidation: "Ignore" };
    const answer = await raw.request("POST", path.deployments(namespace), { body: typo("ignored"), query });
    expect(answer.status).toBe(201);
    expect(answer.headers["warning"]).toBeUndefined();
  });

  it("are refused with fieldValidation=Strict", async () => {
    const { raw, namespace } = server();
    const query = { fieldValidation: "Strict" };
    const answer = await raw.request("POST", path.deployments(namespace), { body: typo("strict"), query });
    expect(answer).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
    expect(answer.body.message).toContain('unknown field "spec.replica"');
    expect((await raw.request("GET", path.deployments(namespace, "strict"))).status).toBe(404);
  });

  it("are refused in custom objects and in patches too", async () => {
    const { raw } = server();
    const query = { fieldValidation: "Strict" };
    const body = widgets.widget("strict", { spec: { size: 1, parts: [{ name: "a", cuont: 1 }] } });
    const refused = await raw.request("POST", widgets.place(), { body, query });
    expect(refused).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
    expect(refused.body.message).toContain('unknown field "spec.parts[0].cuont"');
    await raw.request("POST", widgets.place(), { body: widgets.widget("patched") });
    const patch = await raw.request("PATCH", widgets.place("patched"), {
      contentType: "application/merge-patch+json",
      query,
      body: { spec: { siez: 2 } },
    });
    expect(patch.status).toBe(422);
    const lenient = await raw.request("PATCH", widgets.place("patched"), {
      contentType: "application/merge-patch+json",
      query: { fieldValidation: "Ignore" },
      body: { spec: { siez: 2, size: 3 } },
    });
    expect(lenient).toMatchObject({ status: 200, body: { spec: { size: 3 } } });
    expect(lenient.body.spec.siez).toBeUndefined();
  });
});

onEveryServer("wrong types and values", (server) => {
  it("refuses a value of the wrong type in a built-in kind", async () => {
    const { raw, namespace } = server();
    const body = deployment(namespace, "typed", undefined, { replicas: "three" });
    const answer = await raw.request("POST", path.deployments(namespace), { body });
    expect(answer).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
  });

  it("refuses a deployment whose selector does not match its pods, or that has none", async () => {
    const { raw, namespace } = server();
    const create = (spec: Record<string, unknown>) =>
      raw.request("POST", path.deployments(namespace), {
        body: deployment(namespace, "unmatched", undefined, spec),
      });
    const unmatched = await create({ selector: { matchLabels: { app: "other" } } });
    expect(unmatched).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    const missing = await create({ selector: undefined });
    expect(missing).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    expect(missing.body.details.causes).toContainEqual(
      expect.objectContaining({ reason: "FieldValueRequired", field: "spec.selector" }),
    );
  });

  it("refuses a CronJob with a schedule that is none", async () => {
    const { raw, namespace } = server();
    const template = {
      spec: { restartPolicy: "Never", containers: [{ name: "app", image: "example.com/app:1" }] },
    };
    const create = (schedule: string) =>
      raw.request("POST", `/apis/batch/v1/namespaces/${namespace}/cronjobs`, {
        body: {
          apiVersion: "batch/v1",
          kind: "CronJob",
          metadata: { name: "scheduled" },
          spec: { schedule, jobTemplate: { spec: { template } } },
        },
      });
    const refused = await create("every full moon");
    expect(refused).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    expect(refused.body.details.causes).toContainEqual(expect.objectContaining({ field: "spec.schedule" }));
    const made = await create("*/5 * * * *");
    expect(made.status).toBe(201);
    expect(made.body.spec).toMatchObject({
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
  });
});
