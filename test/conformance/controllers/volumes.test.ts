import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { resources } from "../../../src/embedded/controllers/resources.ts";
import { conditionOf } from "../../../src/embedded/controllers/status.ts";
import { textAt } from "../../../src/embedded/value.ts";
import { eventually } from "../../support/eventually.ts";
import { job, podsOf, until } from "./job-fixture.ts";
import { namespaces, onEmbedded, type World } from "./servers.ts";

function claim(world: World, name: string, spec: object = {}): Promise<KubeObject> {
  return world.client.create(resources.claims, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: world.namespace },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
  });
}

function bound(world: World, name: string): Promise<KubeObject> {
  return eventually(async () => {
    const found = await world.client.get(resources.claims, { namespace: world.namespace, name });
    expect(textAt(found, "status", "phase")).toBe("Bound");
    if (found === undefined) throw new Error(`there is no claim ${name}`);
    return found;
  });
}

async function directoryOf(world: World, found: KubeObject): Promise<string> {
  const volume = await world.client.get(resources.volumes, { name: textAt(found, "spec", "volumeName") });
  return textAt(volume, "spec", "hostPath", "path");
}

function mounting(name: string, mountPath: string, more: object = {}) {
  return {
    pod: { volumes: [{ name: "data", persistentVolumeClaim: { claimName: name } }] },
    container: { volumeMounts: [{ name: "data", mountPath, ...more }] },
  };
}

const gone = { code: "ENOENT" };

onEmbedded("claims and volumes", (get) => {
  test("a claim becomes a directory that outlives the Jobs that write to it", async () => {
    const world = get();
    await claim(world, "data");
    const found = await bound(world, "data");
    expect(textAt(found, "spec", "storageClassName")).toBe("standard");
    const directory = await directoryOf(world, found);
    const uid = found.metadata.uid ?? "";
    expect(directory).toBe(join(world.stateDirectory, "volumes", world.namespace, `data-${uid.slice(0, 8)}`));
    await job(world, "writes", ["append", "/data/file"], mounting("data", "/data"));
    await until(world, "writes", "Complete");
    await job(world, "below", ["append", "/srv/file"], mounting("data", "/srv", { subPath: "deep/er" }));
    await until(world, "below", "Complete");
    expect(await readFile(join(directory, "file"), "utf8")).toMatch(/^\d+\n$/);
    expect(await readdir(join(directory, "deep/er"))).toEqual(["file"]);
  });

  test("with policy Delete the directory goes with its claim", async () => {
    const world = get();
    const found = await bound(world, "data");
    const directory = await directoryOf(world, found);
    await world.client.delete(resources.claims, { namespace: world.namespace, name: "data" });
    await eventually(async () => {
      await expect(stat(directory)).rejects.toMatchObject(gone);
      const name = textAt(found, "spec", "volumeName");
      expect(await world.client.get(resources.volumes, { name })).toBeUndefined();
    });
  });

  test("with policy Retain the directory stays and the volume is Released", async () => {
    const world = get();
    const name = `kept-${world.node}`;
    await world.client.create(resources.storageClasses, {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name },
      provisioner: "holdfast.dev/directory",
      reclaimPolicy: "Retain",
    });
    await claim(world, "kept", { storageClassName: name });
    const found = await bound(world, "kept");
    const directory = await directoryOf(world, found);
    await writeFile(join(directory, "precious"), "x");
    await world.client.delete(resources.claims, { namespace: world.namespace, name: "kept" });
    await eventually(async () => {
      const volume = await world.client.get(resources.volumes, { name: textAt(found, "spec", "volumeName") });
      expect(textAt(volume, "status", "phase")).toBe("Released");
    });
    expect(await readdir(directory)).toEqual(["precious"]);
  });

  test("a claim without a class takes a volume that was made before, and its directory is never removed", async () => {
    const world = get();
    const directory = await mkdtemp(join(tmpdir(), "holdfast-made-"));
    await world.client.create(resources.volumes, {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: `made-${world.node}` },
      spec: {
        accessModes: ["ReadWriteOnce"],
        capacity: { storage: "2Gi" },
        hostPath: { path: directory },
        persistentVolumeReclaimPolicy: "Delete",
        storageClassName: "",
      },
    });
    await claim(world, "made", { storageClassName: "" });
    const found = await bound(world, "made");
    expect(textAt(found, "spec", "volumeName")).toBe(`made-${world.node}`);
    await world.client.delete(resources.claims, { namespace: world.namespace, name: "made" });
    await eventually(async () => {
      const volume = await world.client.get(resources.volumes, { name: `made-${world.node}` });
      expect(textAt(volume, "status", "phase")).toBe("Released");
    });
    expect((await stat(directory)).isDirectory()).toBe(true);
    await rm(directory, { recursive: true });
  });
});

onEmbedded("pods and their claims", (get) => {
  test("a pod whose claim is missing is unschedulable by name, and runs when the claim is there", async () => {
    const world = get();
    await job(world, "early", ["append", "/data/file"], mounting("coming", "/data"));
    await eventually(async () => {
      const [pod] = await podsOf(world, "early");
      const scheduled = conditionOf(pod, "PodScheduled");
      expect(textAt(scheduled, "reason")).toBe("Unschedulable");
      expect(textAt(scheduled, "message")).toBe('persistentvolumeclaim "coming" not found');
    });
    await claim(world, "coming");
    await until(world, "early", "Complete");
  });

  test("a claim of a class that waits for its first consumer is bound when a pod mounts it, ephemeral or not", async () => {
    const world = get();
    const name = `waits-${world.node}`;
    await world.client.create(resources.storageClasses, {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name },
      provisioner: "holdfast.dev/directory",
      volumeBindingMode: "WaitForFirstConsumer",
    });
    const waiting = await claim(world, "waiting", { storageClassName: name });
    await eventually(async () => {
      const { items } = await world.client.list(resources.events, { namespace: world.namespace });
      const of = items.filter((one) => textAt(one, "involvedObject", "uid") === waiting.metadata.uid);
      expect(of.map((one) => textAt(one, "reason"))).toEqual(["WaitForFirstConsumer"]);
    });
    const { spec } = waiting;
    await job(world, "first", ["append", "/data/file"], mounting("waiting", "/data"));
    await job(world, "alone", ["append", "/data/file"], {
      pod: { volumes: [{ name: "tmp", ephemeral: { volumeClaimTemplate: { spec } } }] },
      container: { volumeMounts: [{ name: "tmp", mountPath: "/data" }] },
    });
    await until(world, "first", "Complete");
    await until(world, "alone", "Complete");
  });

  test("a generic ephemeral volume is a claim that goes with its pod", async () => {
    const world = get();
    const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
    await job(world, "scratch", ["append", "/data/file"], {
      pod: { volumes: [{ name: "tmp", ephemeral: { volumeClaimTemplate: { spec } } }] },
      container: { volumeMounts: [{ name: "tmp", mountPath: "/data" }] },
    });
    await until(world, "scratch", "Complete");
    const [pod] = await podsOf(world, "scratch");
    const target = { namespace: world.namespace, name: `${pod?.metadata.name}-tmp` };
    const found = await bound(world, target.name);
    const directory = await directoryOf(world, found);
    expect(await readdir(directory)).toEqual(["file"]);
    await world.client.delete(resources.jobs, { namespace: world.namespace, name: "scratch" });
    await eventually(async () => {
      expect(await world.client.get(resources.claims, target)).toBeUndefined();
      await expect(stat(directory)).rejects.toMatchObject(gone);
    });
  });
});

onEmbedded("where volumes are mounted", (get) => {
  test("a mount inside of a claim's mount is refused by name", async () => {
    const world = get();
    await claim(world, "outer");
    await job(world, "nested", ["say", "hi"], {
      pod: {
        volumes: [
          { name: "outer", persistentVolumeClaim: { claimName: "outer" } },
          { name: "inner", emptyDir: {} },
        ],
      },
      container: {
        volumeMounts: [
          { name: "outer", mountPath: "/data" },
          { name: "inner", mountPath: "/data/inner" },
        ],
      },
    });
    await eventually(async () => {
      const { items } = await world.client.list(resources.events, { namespace: world.namespace });
      const words = items.filter((one) => textAt(one, "reason") === "FailedMount");
      expect(words.map((one) => textAt(one, "message")).join()).toContain("inside the mount /data");
    });
    const outer = await bound(world, "outer");
    expect(await readdir(await directoryOf(world, outer))).toEqual([]);
  });

  test("a StatefulSet's claims stay when it shrinks and are used again when it grows", async () => {
    const world = get();
    const labels = { app: "store" };
    const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
    await world.client.create(resources.statefulSets, {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "store", namespace: world.namespace },
      spec: {
        replicas: 2,
        serviceName: "store",
        selector: { matchLabels: labels },
        volumeClaimTemplates: [{ metadata: { name: "data" }, spec }],
        template: {
          metadata: { labels },
          spec: {
            containers: [
              { name: "db", image: "db:1", volumeMounts: [{ name: "data", mountPath: "/var/db" }] },
            ],
          },
        },
      },
    });
    const running = (name: string) =>
      eventually(async () => {
        const pod = await world.client.get(resources.pods, { namespace: world.namespace, name });
        expect(textAt(pod, "status", "phase")).toBe("Running");
        return join(world.stateDirectory, "pods", pod?.metadata.uid ?? "", "root/var/db");
      });
    await writeFile(join(await running("store-1"), "rows"), "1");
    const target = { namespace: world.namespace, name: "store" };
    await world.client.patch(resources.statefulSets, target, { spec: { replicas: 1 } });
    await eventually(async () => {
      const pod = await world.client.get(resources.pods, { namespace: world.namespace, name: "store-1" });
      expect(pod).toBeUndefined();
    });
    await bound(world, "data-store-1");
    await world.client.patch(resources.statefulSets, target, { spec: { replicas: 2 } });
    const place = await running("store-1");
    expect(await readFile(join(place, "rows"), "utf8")).toBe("1");
  });
});

onEmbedded("host paths", (get) => {
  test("a hostPath is the machine's own directory", async () => {
    const world = get();
    const path = join(world.stateDirectory, "elsewhere");
    await mkdir(path);
    await job(world, "host", ["append", "/mnt/host/file"], {
      pod: { volumes: [{ name: "host", hostPath: { path, type: "Directory" } }] },
      container: { volumeMounts: [{ name: "host", mountPath: "/mnt/host" }] },
    });
    await until(world, "host", "Complete");
    expect(await readdir(path)).toEqual(["file"]);
  });
});

onEmbedded("the end of a namespace", (get) => {
  test("everything in it goes: processes, pods with finalizers, claims and their directories", async () => {
    const world = get();
    await claim(world, "data");
    const directory = await directoryOf(world, await bound(world, "data"));
    await writeFile(join(directory, "precious"), "x");
    await job(world, "busy", ["wait"], mounting("data", "/data"));
    await eventually(async () => {
      const [pod] = await podsOf(world, "busy");
      expect(textAt(pod, "status", "phase")).toBe("Running");
    });
    await world.client.delete(namespaces, { name: world.namespace });
    await eventually(async () => {
      expect(await world.client.get(namespaces, { name: world.namespace })).toBeUndefined();
      await expect(stat(directory)).rejects.toMatchObject(gone);
      expect(await readdir(join(world.stateDirectory, "pods"))).toEqual([]);
    });
  });
});
