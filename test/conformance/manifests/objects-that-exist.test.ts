import { expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import type { Kube } from "../../../src/ports/kube/kube.ts";
import { KubeError } from "../../../src/ports/kube/kube-error.ts";
import { configMap, configMaps, deployment, deployments, jobs, write } from "../kube/fixtures.ts";
import { kubeServers } from "../kube/servers.ts";
import { type Dumped, restoring } from "./restoring.ts";

const onEveryServer = kubeServers();
const job = (namespace: string, image: string): KubeObject => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "import", namespace },
  spec: {
    suspend: true,
    template: { spec: { restartPolicy: "Never", containers: [{ name: "a", image }] } },
  },
});

onEveryServer("an object that exists", (server) => {
  it("is told to be the same, or to have other content, and is not touched", async () => {
    const { kube, namespace } = server();
    await kube.create(deployments, deployment(namespace, "kept"), write);
    const before = await kube.create(configMaps, configMap(namespace, "kept", { a: "1", b: "1" }), write);
    const outcomes = await restoring(kube, [
      [deployments, deployment(namespace, "kept")],
      [configMaps, configMap(namespace, "kept", { a: "2" })],
    ]);
    expect(outcomes["deployments.apps/kept"]).toMatchObject({ did: "same" });
    expect(outcomes["configmaps/kept"]).toMatchObject({
      did: "conflict",
      reason: expect.stringContaining("not to be overwritten"),
      changes: [
        { path: ".data.a", from: "1", to: "2" },
        { path: ".data.b", from: "1" },
      ],
    });
    expect(await kube.get(configMaps, { namespace, name: "kept" })).toEqual(before);
  });

  it("is compared field by field for an account that may not update, and never called the same on a guess", async () => {
    const { namespace } = server();
    const kube: Kube = {
      ...server().kube,
      replace: async () => {
        throw new KubeError("Forbidden", "no update for you", { code: 403 });
      },
    };
    await kube.create(configMaps, configMap(namespace, "differs", { a: "1" }), write);
    await kube.create(configMaps, configMap(namespace, "has-more", { a: "1", b: "1" }), write);
    await kube.create(configMaps, configMap(namespace, "equal", { a: "1" }), write);
    const outcomes = await restoring(kube, [
      [configMaps, configMap(namespace, "differs", { a: "2" })],
      [configMaps, configMap(namespace, "has-more", { a: "1" })],
      [configMaps, configMap(namespace, "equal", { a: "1" })],
    ]);
    expect(outcomes).toMatchObject({
      "configmaps/differs": { did: "conflict", changes: [{ path: ".data.a", from: "1", to: "2" }] },
      "configmaps/has-more": {
        did: "conflict",
        reason: expect.stringContaining("403 Forbidden"),
        changes: [],
      },
      "configmaps/equal": { did: "same" },
    });
  });

  it("gets the dump's content when it is to be overwritten, and is the same afterwards", async () => {
    const { kube, namespace } = server();
    const annotations = { "deployment.kubernetes.io/revision": "7" };
    const live = deployment(namespace, "changed");
    await kube.create(deployments, { ...live, metadata: { ...live.metadata, annotations } }, write);
    const dumped: Dumped[] = [[deployments, deployment(namespace, "changed", undefined, { replicas: 2 })]];
    const first = await restoring(kube, dumped, { override: true });
    expect(first["deployments.apps/changed"]).toMatchObject({
      did: "updated",
      changes: expect.arrayContaining([{ path: ".spec.replicas", from: 1, to: 2 }]),
    });
    const now = await kube.get(deployments, { namespace, name: "changed" });
    expect(Object.keys(now?.metadata.annotations ?? {})).toContain("deployment.kubernetes.io/revision");
    const second = await restoring(kube, dumped, { override: true });
    expect(second["deployments.apps/changed"]).toMatchObject({ did: "same" });
  });
});

onEveryServer("an object that exists and cannot be made the dump's", (server) => {
  it("is not called the same when what differs cannot be changed", async () => {
    const { kube, namespace } = server();
    await kube.create(jobs, job(namespace, "example.com/old"), write);
    const differs: Dumped[] = [[jobs, job(namespace, "example.com/new")]];
    expect((await restoring(kube, differs))["jobs.batch/import"]).toMatchObject({
      did: "conflict",
      changes: [
        {
          path: ".spec.template.spec.containers[0].image",
          from: "example.com/old",
          to: "example.com/new",
        },
      ],
    });
    expect((await restoring(kube, differs, { override: true }))["jobs.batch/import"]).toMatchObject({
      did: "failed",
      reason: expect.stringContaining("its spec.template differs from the dump and cannot be changed"),
    });
    const same: Dumped[] = [[jobs, job(namespace, "example.com/old")]];
    expect((await restoring(kube, same, { override: true }))["jobs.batch/import"]).toMatchObject({
      did: "same",
    });
  });

  it("shows no value of a Secret, whether it stays or fails", async () => {
    const { kube, namespace } = server();
    const secret = (value: string): KubeObject => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "key", namespace },
      stringData: { key: value },
    });
    await kube.create(builtIn.Secret, secret("one"), write);
    const outcomes = await restoring(kube, [[builtIn.Secret, secret("hunter2")]]);
    expect(outcomes["secrets/key"]).toMatchObject({ did: "conflict", changes: [{ path: ".data.key" }] });
    expect(JSON.stringify(outcomes)).not.toMatch(/hunter2|aHVudGVyMg/);
  });
});
