import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { accessFor, accessToRemove } from "../../../src/pass/plan/job-access.ts";
import { objectOf, worldOf } from "./world-of.ts";

const owner = {
  apiVersion: "storage.kubestash.com/v1alpha1",
  kind: "BackupStorage",
  name: "store",
  uid: "uid-of-the-owner",
};

function job(command: string, component: string, account?: string): KubeObject {
  return objectOf("Job", "shop/work", {
    metadata: { labels: { "app.kubernetes.io/component": component }, ownerReferences: [owner] },
    spec: {
      template: {
        spec: { serviceAccountName: account ?? "work", containers: [{ args: ["job", command, "--x=y"] }] },
      },
    },
  });
}

const world = worldOf(objectOf("Namespace", "shop"));

function given(work: KubeObject): readonly KubeObject[] {
  const access = accessFor(work, [], [], world);
  if (typeof access === "string") throw new Error(access);
  return access;
}

function bound(work: KubeObject): readonly string[] {
  return given(work).flatMap((object) => {
    const { roleRef } = object as { readonly roleRef?: { readonly name: string } };
    return roleRef === undefined ? [] : [`${object.kind} ${roleRef.name}`];
  });
}

test("only the jobs for manifests of a workload may read and write the manifests of their namespace", () => {
  expect(bound(job("manifest-backup", "kubestash-backup"))).toEqual([
    "RoleBinding kubestash-backup-job",
    "RoleBinding kubestash-manifest-backup-job",
  ]);
  expect(bound(job("manifest-restore", "kubestash-restore"))).toEqual([
    "RoleBinding kubestash-restore-job",
    "RoleBinding kubestash-manifest-restore-job",
  ]);
  for (const command of ["workload-backup", "kubedump-backup", "pvc-backup"])
    expect(bound(job(command, "kubestash-backup"))).toEqual(["RoleBinding kubestash-backup-job"]);
});

test("an account of the user gets no rights over manifests beside its own", () => {
  expect(bound(job("manifest-backup", "kubestash-backup", "dumper"))).toEqual([
    "RoleBinding kubestash-backup-job",
  ]);
});

test("the job that attaches a storage is bound in the whole cluster, and that is found again by its owner", () => {
  const attaching = job("storage-initialize", "kubestash-initializer");
  expect(bound(attaching)).toEqual([
    "RoleBinding kubestash-storage-initializer-job",
    "ClusterRoleBinding kubestash-storage-initializer-job",
  ]);
  const wide = given(attaching).filter((one) => one.kind === "ClusterRoleBinding");
  expect(wide[0]?.metadata).toMatchObject({ name: "holdfast-shop-work" });
  expect(wide[0]?.metadata).not.toHaveProperty("namespace");
  expect(wide[0]?.metadata.ownerReferences).toBeUndefined();
  expect(accessToRemove(owner.uid, worldOf(...wide))).toEqual(wide);
  expect(bound(job("storage-upload", "kubestash-uploader"))).toEqual(["RoleBinding kubestash-backend-job"]);
});

test("nobody is bound to a storage or a Secret that his namespace may not use", () => {
  const storage = (from: string) =>
    objectOf("BackupStorage", "vault/store", { spec: { usagePolicy: { allowedNamespaces: { from } } } });
  const uploading = job("storage-upload", "kubestash-uploader");
  const elsewhere = { namespace: "kube-system", name: "key" };
  const beside = { namespace: "vault", name: "key" };
  expect(accessFor(uploading, [storage("All")], [elsewhere], world)).toContain(
    "Secret kube-system/key may not be used from namespace shop",
  );
  expect(accessFor(uploading, [storage("Same")], [], world)).toBe(
    "BackupStorage vault/store may not be used from namespace shop; check its usagePolicy",
  );
  expect(accessFor(uploading, [storage("All")], [beside], world)).toBeInstanceOf(Array);
  const own = objectOf("BackupStorage", "shop/store", { spec: { usagePolicy: { allowedNamespaces: {} } } });
  expect(accessFor(uploading, [own], [{ namespace: "shop", name: "key" }], world)).toBeInstanceOf(Array);
});
