import { expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import type { ObjectOutcome } from "../../../src/mover/manifests/object-outcome.ts";
import { configMap, configMaps, resource, write } from "../kube/fixtures.ts";
import { kubeServers, type Server } from "../kube/servers.ts";
import { type Dumped, restoring } from "./restoring.ts";

const onEveryServer = kubeServers();

const owner = { apiVersion: "v1", kind: "ConfigMap", name: "other", uid: "of-the-old-cluster" };

/** A namespace and a kind that are to come, with objects in them, beside objects that exist. */
function dumpOf({ namespace }: Server, fresh: string): readonly Dumped[] {
  const group = `${fresh}.example.com`;
  const previews = resource(group, "v1", "Preview", "previews");
  const crd: KubeObject = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `previews.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural: "previews", kind: "Preview", singular: "preview" },
      versions: [
        { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } },
      ],
    },
  };
  const preview = { apiVersion: `${group}/v1`, kind: "Preview", metadata: { name: "one", namespace } };
  return [
    [builtIn.CustomResourceDefinition, crd],
    [previews, preview],
    [builtIn.Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: fresh } }],
    [configMaps, configMap(fresh, "inside", { a: "1" })],
    [configMaps, configMap(`${fresh}-bare`, "in-a-bare-one", { a: "1" })],
    [configMaps, configMap(namespace, "new", { a: "1" })],
    [configMaps, configMap(namespace, "same", { a: "1" }, { ownerReferences: [owner] })],
    [configMaps, configMap(namespace, "other", { a: "2" })],
    [configMaps, { ...configMap(namespace, "wrong"), data: { "not a key": "x" } }],
  ];
}

onEveryServer("a preview of a restore", (server) => {
  it.each([false, true])(
    "says what the restore does, and changes nothing (override: %s)",
    async (override) => {
      const { kube, namespace, tag } = server();
      const fresh = `preview-${override}-${tag}`;
      const crd = { name: `previews.${fresh}.example.com` };
      const same = await kube.create(configMaps, configMap(namespace, "same", { a: "1" }), write);
      const other = await kube.create(configMaps, configMap(namespace, "other", { a: "1" }), write);
      const dumped = dumpOf(server(), fresh);
      const preview = await restoring(kube, dumped, { override, dryRun: true });
      expect(await kube.get(configMaps, { namespace, name: "other" })).toEqual(other);
      expect(await kube.get(configMaps, { namespace, name: "same" })).toEqual(same);
      expect(await kube.get(configMaps, { namespace, name: "new" })).toBeUndefined();
      for (const name of [fresh, `${fresh}-bare`]) {
        expect(await kube.get(builtIn.Namespace, { name })).toBeUndefined();
      }
      expect(await kube.get(builtIn.CustomResourceDefinition, crd)).toBeUndefined();
      const inside = preview["configmaps/inside"];
      expect(inside).toMatchObject({ did: "created", notes: ["not checked: its Namespace comes first"] });
      expect(preview[`${crd.name}/one`]).toMatchObject({
        did: "created",
        notes: ["not checked: its CustomResourceDefinition comes first"],
      });
      expect(preview["configmaps/other"]).toMatchObject({
        did: override ? "updated" : "conflict",
        changes: [{ path: ".data.a", from: "1", to: "2" }],
      });
      const linked = { did: "same", notes: ["its owners were set again"] };
      expect(preview["configmaps/same"]).toMatchObject(linked);
      const real = await restoring(kube, dumped, { override });
      expect(real["configmaps/same"]).toMatchObject(linked);
      expect(told(real)).toEqual(told(preview));
      for (const name of ["new", "same", "other"]) await kube.delete(configMaps, { namespace, name });
    },
  );
});

/** Without notes: only a preview has not checked something. */
function told(outcomes: Readonly<Record<string, ObjectOutcome>>) {
  const entries = Object.entries(outcomes).map(
    ([key, { did, changes, reason }]) => [key, { did, changes, reason }] as const,
  );
  return Object.fromEntries(entries);
}
