import { expect, it } from "vitest";
import { configMap, configMaps, deployment, deployments, path, write } from "./fixtures.ts";
import { kubeServers } from "./servers.ts";

const onEveryServer = kubeServers();

onEveryServer("dry-run", (server) => {
  const dry = { ...write, dryRun: true };

  it("answers what a create would make, and makes nothing", async () => {
    const { kube, raw, namespace } = server();
    const answer = await kube.create(deployments, deployment(namespace, "dry"), dry);
    expect(answer["spec"]).toMatchObject({ revisionHistoryLimit: 10 });
    expect(answer.metadata.uid).toMatch(/./);
    expect((await raw.request("GET", path.deployments(namespace, "dry"))).status).toBe(404);
    const invalid = deployment(namespace, "dry", []);
    await expect(kube.create(deployments, invalid, dry)).rejects.toMatchObject({
      code: 422,
      reason: "Invalid",
    });
  });

  it("answers what a change would make, and changes nothing", async () => {
    const { kube, namespace } = server();
    const name = { namespace, name: "kept" };
    const made = await kube.create(configMaps, configMap(namespace, "kept", { a: "1" }), write);
    const merged = await kube.mergePatch(configMaps, name, { data: { a: "2" } }, dry);
    expect(merged["data"]).toEqual({ a: "2" });
    const applied = await kube.apply(configMaps, configMap(namespace, "kept", { a: "3" }), {
      ...dry,
      force: true,
    });
    expect(applied["data"]).toEqual({ a: "3" });
    const replaced = await kube.replace(configMaps, { ...made, data: { a: "4" } }, dry);
    expect(replaced["data"]).toEqual({ a: "4" });
    expect(await kube.get(configMaps, name)).toEqual(made);
  });

  it("answers an apply that would create, and creates nothing", async () => {
    const { kube, namespace } = server();
    const object = configMap(namespace, "dry-applied", { a: "1" });
    const answer = await kube.apply(configMaps, object, { ...dry, force: false });
    expect(answer["data"]).toEqual({ a: "1" });
    expect(await kube.get(configMaps, { namespace, name: "dry-applied" })).toBeUndefined();
  });

  it("deletes nothing", async () => {
    const { kube, raw, namespace } = server();
    await kube.create(configMaps, configMap(namespace, "stays"), write);
    const answer = await raw.request("DELETE", path.configMaps(namespace, "stays"), {
      query: { dryRun: "All" },
    });
    expect(answer.status).toBe(200);
    expect(await kube.get(configMaps, { namespace, name: "stays" })).toBeDefined();
  });

  it("refuses a dry-run of another kind", async () => {
    const { raw, namespace } = server();
    const body = configMap(namespace, "half");
    const answer = await raw.request("POST", path.configMaps(namespace), { body, query: { dryRun: "Half" } });
    expect(answer).toMatchObject({ status: 422, body: { reason: "Invalid" } });
  });
});
