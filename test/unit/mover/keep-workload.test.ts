import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { keepWorkload } from "../../../src/mover/manifests/keep-workload.ts";
import { walkTree } from "../../../src/mover/manifests/manifest-tree.ts";

let tree: string;
beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), "holdfast-keep-"));
});
afterEach(async () => {
  await rm(tree, { recursive: true });
});

async function put(type: string, object: Partial<KubeObject> & Pick<KubeObject, "metadata">): Promise<void> {
  const { namespace, name } = object.metadata;
  const folder = namespace === undefined ? "cluster" : join("namespaces", namespace);
  const file = join(tree, type, folder, `${name}.yaml`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", ...object }));
}

async function files(): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const place of walkTree(tree)) found.push(place.file.slice(tree.length + 1));
  return found.toSorted();
}

const spec = {
  template: {
    spec: {
      serviceAccountName: "runner",
      volumes: [
        { name: "a", configMap: { name: "settings" } },
        { name: "b", secret: { secretName: "key" } },
      ],
      containers: [],
    },
  },
};

async function fill(): Promise<void> {
  const at = (name: string, namespace = "shop") => ({ metadata: { name, namespace } });
  await put("deployments.apps", { apiVersion: "apps/v1", kind: "Deployment", ...at("web"), spec });
  await put("statefulsets.apps", { apiVersion: "apps/v1", kind: "StatefulSet", ...at("web") });
  await put("deployments.apps", { apiVersion: "apps/v1", kind: "Deployment", ...at("web", "other"), spec });
  for (const name of ["settings", "unrelated"]) await put("configmaps", at(name));
  for (const name of ["key", "pull", "unrelated"]) await put("secrets", at(name));
  await put("serviceaccounts", { ...at("runner"), imagePullSecrets: [{ name: "pull" }] });
  await put("configmaps", at("settings", "other"));
  await put("namespaces", { metadata: { name: "shop" } });
}

const target = { apiGroup: "apps", kind: "Deployment", namespace: "shop", name: "web" };

test("leaves a workload and what its pods refer to", async () => {
  await fill();
  await keepWorkload(tree, target);
  expect(await files()).toEqual([
    "configmaps/namespaces/shop/settings.yaml",
    "deployments.apps/namespaces/shop/web.yaml",
    "secrets/namespaces/shop/key.yaml",
    "secrets/namespaces/shop/pull.yaml",
    "serviceaccounts/namespaces/shop/runner.yaml",
  ]);
});

test("names a workload that the tree does not have, and one that is probably meant", async () => {
  await fill();
  await expect(keepWorkload(tree, { ...target, name: "wep" })).rejects.toMatchObject({
    reason: "TargetNotInSnapshot",
    message: expect.stringContaining("the snapshot holds no Deployment shop/wep"),
    next: expect.stringContaining("Write web if that is meant"),
  });
});
