import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { dataParts, sameTarget } from "../../../src/pass/plan/targets.ts";
import { objectOf, worldOf } from "./world-of.ts";

const template = {
  spec: {
    volumes: [
      { name: "files", persistentVolumeClaim: { claimName: "files" } },
      { name: "unused", emptyDir: {} },
    ],
    containers: [
      { name: "main", volumeMounts: [{ name: "files", mountPath: "/files" }] },
      { name: "side", volumeMounts: [{ name: "data", mountPath: "/data" }] },
    ],
  },
};

function workload(kind: string, spec: Readonly<Record<string, unknown>> = {}): KubeObject {
  const fields = { spec: { selector: { matchLabels: { app: "web" } }, template, ...spec } };
  return { ...objectOf(kind, "app/web", fields), apiVersion: "apps/v1" };
}

function pod(name: string, nodeName: string): KubeObject {
  return {
    ...objectOf("Pod", `app/${name}`, { metadata: { labels: { app: "web" } }, spec: { nodeName } }),
    apiVersion: "v1",
  };
}

function claim(accessModes: readonly string[]): KubeObject {
  return objectOf("PersistentVolumeClaim", "app/files", { spec: { accessModes } });
}

test("a Deployment is one part, on the node of its pod when its claim can be mounted there only", () => {
  const web = workload("Deployment");
  const parts = (mode: string) => dataParts(web, worldOf(web, pod("web-x", "node-1"), claim([mode])));
  expect(parts("ReadWriteOnce")).toMatchObject([
    { component: "dump", node: "node-1", mounts: [{ name: "files", mountPath: "/files" }] },
  ]);
  expect(parts("ReadWriteMany")).toMatchObject([{ component: "dump", node: undefined }]);
});

test("a StatefulSet is one part per pod, with the claims of its number", () => {
  const web = workload("StatefulSet", {
    replicas: 2,
    volumeClaimTemplates: [{ metadata: { name: "data" } }],
  });
  const parts = dataParts(web, worldOf(web, pod("web-1", "node-2")));
  expect(parts.map(({ component, ordinal, node }) => [component, ordinal, node])).toEqual([
    ["dump-pod-0", "0", undefined],
    ["dump-pod-1", "1", "node-2"],
  ]);
  expect(parts[1]?.volumes).toContainEqual({
    name: "data",
    persistentVolumeClaim: { claimName: "data-web-1" },
  });
  expect(parts[1]?.mounts).toContainEqual({ name: "data", mountPath: "/data" });
});

test("a DaemonSet is one part per node", () => {
  const web = workload("DaemonSet");
  const parts = dataParts(
    web,
    worldOf(web, pod("web-a", "node-1"), pod("web-b", "node-2"), pod("web-c", "")),
  );
  expect(parts.map(({ component, node }) => [component, node])).toEqual([
    ["dump-node-1", "node-1"],
    ["dump-node-2", "node-2"],
  ]);
});

test("what is no workload is one part without volumes of its own", () => {
  expect(dataParts(undefined, worldOf())).toMatchObject([{ component: "dump", volumes: [], mounts: [] }]);
});

test("a Namespace is one target, whoever names it", () => {
  const shop = { kind: "Namespace", name: "shop" };
  expect(sameTarget(shop, "vault", { ...shop, namespace: "shop" }, "ops")).toBe(true);
  expect(sameTarget(shop, "vault", { kind: "Namespace", name: "blog" }, "vault")).toBe(false);
  const web = { apiGroup: "apps", kind: "Deployment", name: "web" };
  expect(sameTarget(web, "vault", web, "ops")).toBe(false);
});
