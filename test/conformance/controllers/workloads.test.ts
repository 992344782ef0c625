import { expect, test } from "vitest";
import type { KubeObject, Resource } from "../../../src/api/meta.ts";
import { resources } from "../../../src/embedded/controllers/resources.ts";
import { conditionOf, isTrue } from "../../../src/embedded/controllers/status.ts";
import { at, numberAt, textAt } from "../../../src/embedded/value.ts";
import { eventually } from "../../support/eventually.ts";
import { onEveryServer, type World } from "./servers.ts";

function workload(world: World, resource: Resource, name: string, spec: object): Promise<KubeObject> {
  const labels = { app: name };
  return world.client.create(resource, {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { name, namespace: world.namespace },
    spec: { selector: { matchLabels: labels }, ...spec, template: template(labels, "shop:1") },
  });
}

function template(labels: object, image: string): object {
  return { metadata: { labels }, spec: { containers: [{ name: "app", image }] } };
}

async function read(world: World, resource: Resource, name: string): Promise<KubeObject> {
  const found = await world.client.get(resource, { namespace: world.namespace, name });
  if (found === undefined) throw new Error(`there is no ${resource.kind} ${name}`);
  return found;
}

async function podsOf(world: World, app: string): Promise<readonly KubeObject[]> {
  const query = { namespace: world.namespace, labelSelector: `app=${app}` };
  const { items } = await world.client.list(resources.pods, query);
  return items.filter((pod) => pod.metadata.deletionTimestamp === undefined);
}

function patch(world: World, resource: Resource, name: string, spec: Record<string, unknown>) {
  return world.client.patch(resource, { namespace: world.namespace, name }, { spec });
}

function imageOf(pod: KubeObject): string {
  const containers: unknown = at(pod, "spec", "containers");
  return Array.isArray(containers) ? textAt(containers[0], "image") : "";
}

onEveryServer("Deployments", (get) => {
  const ready = (world: World, count: number) =>
    eventually(async () => {
      const deployment = await read(world, resources.deployments, "shop");
      expect(numberAt(deployment, "status", "readyReplicas") ?? 0).toBe(count);
      expect(numberAt(deployment, "status", "observedGeneration")).toBe(deployment.metadata.generation);
      expect(numberAt(deployment, "status", "unavailableReplicas")).toBeUndefined();
      expect((await podsOf(world, "shop")).length).toBe(count);
      return deployment;
    });

  test("a Deployment's pods are Ready by name and say so", async () => {
    const world = get();
    await workload(world, resources.deployments, "shop", { replicas: 2 });
    const deployment = await ready(world, 2);
    expect(isTrue(deployment, "Available")).toBe(true);
    expect(textAt(conditionOf(deployment, "Progressing"), "reason")).toBe("NewReplicaSetAvailable");
    const [pod] = await podsOf(world, "shop");
    const hash = pod?.metadata.labels?.["pod-template-hash"] ?? "";
    expect(pod?.metadata.ownerReferences?.[0]).toMatchObject({ kind: "ReplicaSet", name: `shop-${hash}` });
    const limits = conditionOf(pod, "holdfast.dev/EmbeddedLimits");
    expect(textAt(limits, "message")).toContain("Runs by name only, without a process: app");
  });

  test("it scales up and down", async () => {
    const world = get();
    await patch(world, resources.deployments, "shop", { replicas: 4 });
    const four = await ready(world, 4);
    expect(at(four, "status")).toMatchObject({ replicas: 4, availableReplicas: 4, updatedReplicas: 4 });
    await patch(world, resources.deployments, "shop", { replicas: 1 });
    const one = await ready(world, 1);
    expect(at(one, "status")).toMatchObject({ replicas: 1, availableReplicas: 1, updatedReplicas: 1 });
  });

  test("a pod that is deleted is replaced", async () => {
    const world = get();
    const [pod] = await podsOf(world, "shop");
    if (pod === undefined) throw new Error("there is no pod");
    await world.client.delete(resources.pods, { namespace: world.namespace, name: pod.metadata.name });
    await eventually(async () => {
      const [next, ...others] = await podsOf(world, "shop");
      expect(others).toEqual([]);
      expect(next?.metadata.uid ?? pod.metadata.uid).not.toBe(pod.metadata.uid);
    });
    await ready(world, 1);
  });

  test("another template is rolled out and the old ReplicaSet is kept empty", async () => {
    const world = get();
    await patch(world, resources.deployments, "shop", { template: template({ app: "shop" }, "shop:2") });
    await eventually(async () => {
      expect((await podsOf(world, "shop")).map(imageOf)).toEqual(["shop:2"]);
    });
    const deployment = await ready(world, 1);
    expect(deployment.metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("2");
    const { items } = await world.client.list(resources.replicaSets, { namespace: world.namespace });
    expect(items.map((set) => String(numberAt(set, "spec", "replicas"))).toSorted()).toEqual(["0", "1"]);
  });

  test("its ReplicaSets and pods go with it", async () => {
    const world = get();
    await world.client.delete(resources.deployments, { namespace: world.namespace, name: "shop" });
    await eventually(async () => {
      const { items } = await world.client.list(resources.replicaSets, { namespace: world.namespace });
      expect(items).toEqual([]);
      const pods = await world.client.list(resources.pods, { namespace: world.namespace });
      expect(pods.items).toEqual([]);
    });
  });
});

onEveryServer("StatefulSets and DaemonSets", (get) => {
  const ready = (world: World, names: readonly string[]) =>
    eventually(async () => {
      const set = await read(world, resources.statefulSets, "db");
      expect(numberAt(set, "status", "readyReplicas") ?? 0).toBe(names.length);
      expect((await podsOf(world, "db")).map((pod) => pod.metadata.name).toSorted()).toEqual(names);
      return set;
    });

  test("a StatefulSet's pods have ordinals and the highest goes first", async () => {
    const world = get();
    await workload(world, resources.statefulSets, "db", { replicas: 3, serviceName: "db" });
    await ready(world, ["db-0", "db-1", "db-2"]);
    const pods = await podsOf(world, "db");
    const created = pods.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    const times = created.map((pod) => pod.metadata.creationTimestamp ?? "");
    expect(times).toEqual(times.toSorted());
    expect(created[1]?.metadata.labels).toMatchObject({
      "apps.kubernetes.io/pod-index": "1",
      "statefulset.kubernetes.io/pod-name": "db-1",
    });
    await patch(world, resources.statefulSets, "db", { replicas: 2 });
    await ready(world, ["db-0", "db-1"]);
  });

  test("another template replaces a StatefulSet's pods under their names", async () => {
    const world = get();
    await patch(world, resources.statefulSets, "db", { template: template({ app: "db" }, "db:2") });
    await eventually(async () => {
      expect((await podsOf(world, "db")).map(imageOf)).toEqual(["db:2", "db:2"]);
    });
    await eventually(async () => {
      const set = await ready(world, ["db-0", "db-1"]);
      expect(textAt(set, "status", "currentRevision")).toBe(textAt(set, "status", "updateRevision"));
    });
  });

  test("a DaemonSet has one pod on this node, also after its template changed", async () => {
    const world = get();
    const onlyHere = { nodeSelector: { "kubernetes.io/hostname": world.node } };
    const made = (image: string) => ({
      metadata: { labels: { app: "agent" } },
      spec: { ...onlyHere, containers: [{ name: "app", image }] },
    });
    await world.client.create(resources.daemonSets, {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "agent", namespace: world.namespace },
      spec: { selector: { matchLabels: { app: "agent" } }, template: made("agent:1") },
    });
    const one = (image: string) =>
      eventually(async () => {
        const [pod, ...others] = await podsOf(world, "agent");
        expect(others).toEqual([]);
        expect(textAt(pod, "spec", "nodeName")).toBe(world.node);
        expect(pod === undefined ? "" : imageOf(pod)).toBe(image);
        const set = await read(world, resources.daemonSets, "agent");
        expect(at(set, "status")).toMatchObject({
          desiredNumberScheduled: 1,
          numberReady: 1,
          updatedNumberScheduled: 1,
        });
      });
    await one("agent:1");
    await patch(world, resources.daemonSets, "agent", { template: made("agent:2") });
    await one("agent:2");
  });
});
