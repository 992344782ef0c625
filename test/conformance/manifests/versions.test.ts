import { expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import type { KubeObject, Resource } from "../../../src/api/meta.ts";
import { readServedTypes } from "../../../src/mover/manifests/served-types.ts";
import type { Kube } from "../../../src/ports/kube/kube.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";
import { configMap, configMaps, deployment, deployments, resource, write } from "../kube/fixtures.ts";
import { kubeServers, type Server } from "../kube/servers.ts";
import { type Dumped, restoring } from "./restoring.ts";

const onEveryServer = kubeServers();
const preserved = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const strict = { type: "object", properties: { size: { type: "integer" } } };
const versionOf = (name: string, served: boolean, spec: object = strict) => ({
  name,
  served,
  storage: name === "v1",
  schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
});
const crdOf = (plural: string, kind: string, group: string, versions: readonly object[]): KubeObject => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.${group}` },
  spec: { group, scope: "Namespaced", names: { plural, kind, singular: kind.toLowerCase() }, versions },
});
const groupOf = (server: Server, name: string) => `${name}.${server.tag}.example.com`;
const object = (type: Resource, version: string, namespace: string, spec: object): KubeObject => ({
  apiVersion: `${type.group}/${version}`,
  kind: type.kind,
  metadata: { name: "one", namespace },
  spec,
});

onEveryServer("an object of a version", (server) => {
  it("that the cluster does not serve is sent in another, and refused by name where that would lose fields", async () => {
    const { kube, namespace } = server();
    const group = groupOf(server(), "versions");
    const plain = resource(group, "v1", "Plain", "plains");
    const definition = crdOf("plains", "Plain", group, [versionOf("v1", true)]);
    const old = (name: string, spec: object) => ({
      ...object(plain, "v1beta1", namespace, spec),
      metadata: { name, namespace },
    });
    const outcomes = await restoring(kube, [
      [builtIn.CustomResourceDefinition, definition],
      [plain, old("fits", { size: 1 })],
      [plain, old("loses", { size: 1, color: "red" })],
    ]);
    expect(outcomes).toMatchObject({
      [`plains.${group}/fits`]: { did: "created" },
      [`plains.${group}/loses`]: {
        did: "failed",
        reason: `this cluster does not serve its version, and as ${group}/v1 it would lose spec.color`,
      },
    });
    expect(await kube.get(plain, { namespace, name: "loses" })).toBeUndefined();
  });

  it("that has fewer fields here is created, and what was left out is said", async () => {
    const { kube, namespace } = server();
    const known = configMap(namespace, "newer", { a: "1" });
    const outcomes = await restoring(kube, [[configMaps, { ...known, invented: "x", immutable: false }]]);
    expect(outcomes["configmaps/newer"]).toMatchObject({
      did: "created",
      notes: ["without invented, which this cluster does not know"],
    });
  });
});

onEveryServer("a restored kind", (server) => {
  it("is served before its objects come, and only what it serves is waited for", async () => {
    const { kube, namespace } = server();
    const group = groupOf(server(), "waits");
    const made = resource(group, "v1", "Made", "mades");
    const dumped: Dumped[] = [
      [
        builtIn.CustomResourceDefinition,
        crdOf("mades", "Made", group, [versionOf("v1", true, preserved), versionOf("v0", false)]),
      ],
      [builtIn.CustomResourceDefinition, { ...crdOf("nones", "None", group, []), spec: { group: "wrong" } }],
      [made, object(made, "v1", namespace, { a: { b: 1 } })],
    ];
    const outcomes = await restoring(kube, dumped);
    expect(outcomes).toMatchObject({
      [`mades.${group}/one`]: { did: "created" },
      [`customresourcedefinitions.apiextensions.k8s.io/nones.${group}`]: { did: "failed" },
    });
    expect(await kube.get(made, { namespace, name: "one" })).toMatchObject({ spec: { a: { b: 1 } } });
  });

  it("that can never be served is not waited for", async () => {
    const { kube } = server();
    const group = groupOf(server(), "never");
    await kube.create(
      builtIn.CustomResourceDefinition,
      crdOf("firsts", "Taken", group, [versionOf("v1", true)]),
      write,
    );
    const second = crdOf("seconds", "Taken", group, [versionOf("v1", true)]);
    const created = await kube.create(builtIn.CustomResourceDefinition, second, write);
    // Its time never ends.
    const clock = { ...hurriedClock(), now: () => 0 };
    const types = await readServedTypes(kube, clock, new AbortController().signal);
    expect(await types.arrive([created])).toEqual([`seconds.${group}`]);
  });
});

onEveryServer("a group whose server is down", (server) => {
  const down = (answers: number): Kube => {
    const { kube } = server();
    let count = 0;
    return {
      ...kube,
      discover: async (signal) => {
        const { resources, failures } = await kube.discover(signal);
        count += 1;
        if (count > answers) return { resources, failures };
        const rest = resources.filter(({ group }) => group !== "apps");
        return {
          resources: rest,
          failures: [...failures, { groupVersion: "apps/v1", message: "no answer" }],
        };
      },
    };
  };

  it("is named, and not taken for a kind that nobody installed", async () => {
    const { namespace } = server();
    const outcomes = await restoring(down(100), [[deployments, deployment(namespace, "web")]]);
    expect(outcomes["deployments.apps/web"]).toMatchObject({
      did: "failed",
      reason: "the API apps/v1 does not say what it serves: no answer",
    });
  });

  it("may come back for a later pass", async () => {
    const { namespace } = server();
    const outcomes = await restoring(down(2), [[deployments, deployment(namespace, "web")]]);
    expect(outcomes["deployments.apps/web"]).toMatchObject({ did: "created" });
  });
});
