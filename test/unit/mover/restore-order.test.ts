import fc from "fast-check";
import { expect, it } from "vitest";
import type { OwnerReference } from "../../../src/api/meta.ts";
import { mergeOwners } from "../../../src/mover/manifests/relink-owners.ts";
import { byRestoreOrder } from "../../../src/mover/manifests/restore-order.ts";

const place = (type: string, namespace?: string, file = "x.yaml") => ({ type, namespace, file });

it("puts what others need first and what makes others last", () => {
  const shuffled = [
    "clusters.cluster.x-k8s.io",
    "deployments.apps",
    "services",
    "pods",
    "packageinstalls.packaging.carvel.dev",
    "configmaps",
    "roles.rbac.authorization.k8s.io",
    "secrets",
    "persistentvolumeclaims",
    "namespaces",
    "replicasets.apps",
    "cronjobs.batch",
    "customresourcedefinitions.apiextensions.k8s.io",
    "volumesnapshotclasses.snapshot.storage.k8s.io",
    "storageclasses.storage.k8s.io",
    "serviceaccounts",
    "persistentvolumes",
  ].map((type) => place(type));
  expect(shuffled.toSorted(byRestoreOrder).map(({ type }) => type)).toEqual([
    "customresourcedefinitions.apiextensions.k8s.io",
    "namespaces",
    "storageclasses.storage.k8s.io",
    "volumesnapshotclasses.snapshot.storage.k8s.io",
    "persistentvolumes",
    "persistentvolumeclaims",
    "serviceaccounts",
    "secrets",
    "configmaps",
    "pods",
    "replicasets.apps",
    "services",
    "cronjobs.batch",
    "deployments.apps",
    "roles.rbac.authorization.k8s.io",
    "clusters.cluster.x-k8s.io",
    "packageinstalls.packaging.carvel.dev",
  ]);
});

it("is one order, whatever the order of the files on the disk", () => {
  const some = fc.constantFrom(
    "pods",
    "secrets",
    "deployments.apps",
    "roles.rbac.authorization.k8s.io",
    "services",
  );
  const places = fc.uniqueArray(
    fc.record({
      type: some,
      namespace: fc.constantFrom("a", "b", undefined),
      file: fc.string({ maxLength: 3 }),
    }),
    { selector: ({ type, namespace, file }) => `${type}/${namespace}/${file}` },
  );
  fc.assert(
    fc.property(places, (given) => {
      expect(given.toReversed().toSorted(byRestoreOrder)).toEqual(given.toSorted(byRestoreOrder));
    }),
  );
});

const owner = (name: string, uid: string, controller = false): OwnerReference => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  name,
  uid,
  controller,
});

it("adds the owners that are missing", () => {
  expect(mergeOwners([], [owner("a", "1", true), owner("b", "2")])).toEqual([
    owner("a", "1", true),
    owner("b", "2"),
  ]);
});

it("changes nothing when a controller adopted the object meanwhile", () => {
  expect(mergeOwners([owner("a", "1", true)], [owner("a", "1", true)])).toBeUndefined();
});

it("never adds a second controller", () => {
  expect(mergeOwners([owner("new", "9", true)], [owner("a", "1", true), owner("b", "2")])).toEqual([
    owner("new", "9", true),
    owner("b", "2"),
  ]);
});
