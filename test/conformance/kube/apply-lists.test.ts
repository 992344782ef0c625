import { randomUUID } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import type { RawAnswer } from "../../support/raw-kube.ts";
import { type Container, configMap, deployment, inGroup, path } from "./fixtures.ts";
import { kubeServers, type Server } from "./servers.ts";

const onEveryServer = kubeServers();

const names = (answer: RawAnswer): string[] =>
  answer.body.spec.template.spec.containers.map((container: Container) => container.name);

function actions(server: () => Server) {
  let name = "";
  beforeEach(() => {
    name = `listed-${randomUUID()}`;
  });
  const apply = (place: string, manager: string, body: unknown, force = false) =>
    server().raw.request("PATCH", place, {
      contentType: "application/apply-patch+yaml",
      query: { fieldManager: manager, force: String(force) },
      body,
    });
  const app = () => path.deployments(server().namespace, name);
  return {
    app,
    name: () => name,
    apply,
    applyApp: (manager: string, containers: readonly Container[], force = false) =>
      apply(app(), manager, deployment(server().namespace, name, containers), force),
    /** Only the named containers; everything else is somebody else's. */
    applyPart: (manager: string, containers: readonly unknown[], force = false) =>
      apply(
        app(),
        manager,
        {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name, namespace: server().namespace },
          spec: { template: { spec: { containers } } },
        },
        force,
      ),
  };
}

onEveryServer("apply to lists with keys", (server) => {
  const { applyApp, applyPart } = actions(server);

  it("owns single items and single fields of an item", async () => {
    await applyApp("a", [{ name: "app", image: "example.com/app:1" }]);
    const added = await applyPart("b", [{ name: "side", image: "example.com/side:1" }]);
    expect(added.status).toBe(200);
    expect(names(added)).toEqual(["app", "side"]);
    const shared = await applyPart("b", [
      { name: "side", image: "example.com/side:1" },
      { name: "app", workingDir: "/b" },
    ]);
    const container = shared.body.spec.template.spec.containers.find((c: Container) => c.name === "app");
    expect(container).toMatchObject({ image: "example.com/app:1", workingDir: "/b" });
    const conflict = await applyPart("b", [{ name: "app", image: "example.com/app:2" }]);
    expect(conflict.status).toBe(409);
    expect(conflict.body.details.causes).toEqual([
      expect.objectContaining({
        reason: "FieldManagerConflict",
        field: '.spec.template.spec.containers[name="app"].image',
      }),
    ]);
  });

  it("removes an item that its owner no longer names", async () => {
    await applyApp("a", [
      { name: "app", image: "example.com/app:1" },
      { name: "side", image: "example.com/side:1" },
    ]);
    const answer = await applyApp("a", [{ name: "app", image: "example.com/app:1" }]);
    expect(names(answer)).toEqual(["app"]);
  });

  it("keeps an item that another owner still has a field of", async () => {
    await applyApp("a", [
      { name: "app", image: "example.com/app:1" },
      { name: "side", image: "example.com/side:1" },
    ]);
    await applyPart("b", [{ name: "side", image: "example.com/side:1", workingDir: "/b" }]);
    const answer = await applyApp("a", [{ name: "app", image: "example.com/app:1" }]);
    expect(names(answer)).toEqual(["app", "side"]);
  });

  it("writes down items by their keys", async () => {
    const ports = [{ containerPort: 80, protocol: "TCP" }];
    const answer = await applyApp("a", [{ name: "app", image: "example.com/app:1", ports }]);
    const [entry] = answer.body.metadata.managedFields;
    const spec = entry.fieldsV1["f:spec"]["f:template"]["f:spec"];
    expect(spec["f:containers"]).toEqual({
      'k:{"name":"app"}': {
        ".": {},
        "f:name": {},
        "f:image": {},
        "f:ports": {
          'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} },
        },
      },
    });
  });
});

onEveryServer("keys and order of applied lists", (server) => {
  const { app, applyApp } = actions(server);

  it("fills a key's default in", async () => {
    const tcp = { name: "app", image: "example.com/app:1", ports: [{ containerPort: 80 }] };
    await applyApp("a", [tcp]);
    const both = [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }];
    const answer = await applyApp("a", [{ ...tcp, ports: both }]);
    const { ports } = answer.body.spec.template.spec.containers[0];
    expect(ports).toEqual([
      { containerPort: 80, protocol: "TCP" },
      { containerPort: 80, protocol: "UDP" },
    ]);
  });

  it("refuses two items with one key", async () => {
    const twice = [
      { name: "app", image: "example.com/app:1" },
      { name: "app", image: "example.com/app:2" },
    ];
    const answer = await applyApp("a", twice);
    expect(answer.status).toBe(500);
    expect((await server().raw.request("GET", app())).status).toBe(404);
  });

  it("keeps the order of the one who applies", async () => {
    const a = { name: "a", image: "example.com/a:1" };
    const b = { name: "b", image: "example.com/b:1" };
    const c = { name: "c", image: "example.com/c:1" };
    await applyApp("x", [a, b]);
    expect(names(await applyApp("x", [c, a, b]))).toEqual(["c", "a", "b"]);
  });
});

onEveryServer("apply to sets, atomic lists and structs", (server) => {
  const { apply, applyApp, name } = actions(server);
  const map = () => path.configMaps(server().namespace, name());
  const withFinalizers = (...finalizers: string[]) =>
    configMap(server().namespace, name(), {}, { finalizers });

  it("shares a set value by value", async () => {
    await apply(map(), "a", withFinalizers("example.com/a", "example.com/both"));
    const joined = await apply(map(), "b", withFinalizers("example.com/b", "example.com/both"));
    expect(joined.status).toBe(200);
    expect(joined.body.metadata.finalizers.toSorted()).toEqual([
      "example.com/a",
      "example.com/b",
      "example.com/both",
    ]);
    const [entry] = joined.body.metadata.managedFields.filter((m: { manager: string }) => m.manager === "b");
    expect(entry.fieldsV1["f:metadata"]["f:finalizers"]).toEqual({
      'v:"example.com/b"': {},
      'v:"example.com/both"': {},
    });
    const left = await apply(map(), "a", withFinalizers());
    expect(left.body.metadata.finalizers.toSorted()).toEqual(["example.com/b", "example.com/both"]);
    const cleared = await apply(map(), "b", configMap(server().namespace, name()));
    expect(cleared.body.metadata.finalizers ?? []).toEqual([]);
  });

  it("takes an atomic list as a whole", async () => {
    const app = (args: readonly string[]) => [{ name: "app", image: "example.com/app:1", args }];
    await applyApp("a", app(["one", "two"]));
    const conflict = await applyApp("b", app(["one"]));
    expect(conflict.status).toBe(409);
    expect(conflict.body.details.causes).toEqual([
      expect.objectContaining({ field: '.spec.template.spec.containers[name="app"].args' }),
    ]);
    const forced = await applyApp("b", app(["three"]), true);
    expect(forced.body.spec.template.spec.containers[0].args).toEqual(["three"]);
  });

  it("takes an atomic struct as a whole", async () => {
    const { namespace } = server();
    const place = inGroup("rbac.authorization.k8s.io/v1", namespace, "rolebindings", name());
    const binding = (subjects: readonly string[]) => ({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: name(), namespace },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "none" },
      subjects: subjects.map((user) => ({ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: user })),
    });
    await apply(place, "a", binding(["one", "two"]));
    const conflict = await apply(place, "b", binding(["one"]));
    expect(conflict.status).toBe(409);
    expect(conflict.body.details.causes).toEqual([expect.objectContaining({ field: ".subjects" })]);
    const changed = await apply(place, "a", binding(["two"]));
    expect(changed.body.subjects.map((subject: { name: string }) => subject.name)).toEqual(["two"]);
  });
});
