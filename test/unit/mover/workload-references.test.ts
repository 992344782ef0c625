import { expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { referencesOf } from "../../../src/mover/manifests/workload-references.ts";

function workload(apiVersion: string, kind: string, spec: object): KubeObject {
  return { apiVersion, kind, metadata: { namespace: "shop", name: "db" }, spec };
}

const ofPod = (spec: object) => referencesOf(workload("v1", "Pod", spec));

it.each([
  [{ secret: { secretName: "login" } }],
  [{ csi: { driver: "d", nodePublishSecretRef: { name: "login" } } }],
  [{ azureFile: { secretName: "login", shareName: "s" } }],
  [{ cephfs: { secretRef: { name: "login" } } }],
  [{ rbd: { secretRef: { name: "login" } } }],
  [{ iscsi: { secretRef: { name: "login" } } }],
  [{ flexVolume: { driver: "d", secretRef: { name: "login" } } }],
  [{ projected: { sources: [{ secret: { name: "login" } }] } }],
])("finds the Secret of the volume %j", (volume) => {
  expect([...(ofPod({ volumes: [{ name: "v", ...volume }] })?.secrets ?? [])]).toEqual(["login"]);
});

it("finds the claim that was made for a pod's own volume, which is no claim of a Deployment", () => {
  const pod = { volumes: [{ name: "scratch", ephemeral: { volumeClaimTemplate: { spec: {} } } }] };
  expect([...(ofPod(pod)?.claims ?? [])]).toEqual(["db-scratch"]);
  const deployment = referencesOf(workload("apps/v1", "Deployment", { template: { spec: pod } }));
  expect(deployment?.claims.size).toBe(0);
});

it("finds the Service of a StatefulSet, and knows the claims of its replicas without counting them up", () => {
  const spec = {
    replicas: 2_000_000_000,
    ordinals: { start: 2 },
    serviceName: "db-pods",
    volumeClaimTemplates: [{ metadata: { name: "data" } }],
    template: { spec: {} },
  };
  const found = referencesOf(workload("apps/v1", "StatefulSet", spec));
  expect([...(found?.services ?? [])]).toEqual(["db-pods"]);
  const claims = [
    "data-db-1",
    "data-db-2",
    "data-db-1000000",
    "data-db-02",
    "data-db-x",
    "data-db2-2",
    "logs-db-2",
  ];
  expect(claims.filter((claim) => found?.claimsOfReplicas?.(claim))).toEqual([
    "data-db-2",
    "data-db-1000000",
  ]);
});
