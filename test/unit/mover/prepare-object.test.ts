import { expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { prepareObject } from "../../../src/mover/manifests/prepare-object.ts";
import { isNeverRestored, reasonToSkip } from "../../../src/mover/manifests/restore-rules.ts";

const none = { restorePVs: false, storageClasses: new Map<string, string>() };

const claim = (spec: Readonly<Record<string, unknown>>): KubeObject => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "data", namespace: "shop" },
  spec,
});
const volume: KubeObject = {
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name: "pv-1" },
  spec: {
    storageClassName: "gp2",
    claimRef: { namespace: "shop", name: "data", uid: "u", resourceVersion: "1" },
  },
};
const job = (spec: Readonly<Record<string, unknown>> = {}): KubeObject => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "import", namespace: "shop", labels: { "controller-uid": "u", app: "x" } },
  spec: {
    selector: { matchLabels: { "controller-uid": "u" } },
    template: { metadata: { labels: { "batch.kubernetes.io/controller-uid": "u", app: "x" } }, spec: {} },
    ...spec,
  },
});

it("sends objects without status and owners, and remembers the owners", () => {
  const owners = [{ apiVersion: "v1", kind: "Node", name: "n", uid: "u" }];
  const dumped: KubeObject = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a", namespace: "shop", ownerReferences: owners },
    data: { a: "1" },
    status: { x: 1 },
  };
  expect(prepareObject(dumped, none)).toEqual({
    object: {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a", namespace: "shop" },
      data: { a: "1" },
    },
    owners,
    notes: [],
  });
});

it("maps the storage class of claims and volumes, and leaves others", () => {
  const storageClasses = new Map([["gp2", "standard"]]);
  const options = { restorePVs: true, storageClasses };
  expect(prepareObject(claim({ storageClassName: "gp2" }), options).object["spec"]).toEqual({
    storageClassName: "standard",
  });
  expect(prepareObject(claim({ storageClassName: "io1" }), options).object["spec"]).toEqual({
    storageClassName: "io1",
  });
  expect(prepareObject(volume, options).object["spec"]).toEqual({
    storageClassName: "standard",
    claimRef: { namespace: "shop", name: "data" },
  });
});

it("maps the class in the older annotation, and in the claims of a StatefulSet, and says so", () => {
  const options = { ...none, storageClasses: new Map([["gp2", "standard"]]) };
  const beta = { "volume.beta.kubernetes.io/storage-class": "gp2" };
  const old = claim({});
  const annotated = prepareObject({ ...old, metadata: { ...old.metadata, annotations: beta } }, options);
  expect(annotated.object.metadata.annotations).toEqual({
    "volume.beta.kubernetes.io/storage-class": "standard",
  });
  expect(annotated.notes).toEqual(["storage class standard instead of gp2"]);
  const templates = ["gp2", "io1"].map((storageClassName) => ({ spec: { storageClassName } }));
  const set: KubeObject = {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", namespace: "shop" },
    spec: { volumeClaimTemplates: templates },
  };
  const { object, notes } = prepareObject(set, options);
  expect(object["spec"]).toEqual({
    volumeClaimTemplates: [{ spec: { storageClassName: "standard" } }, { spec: { storageClassName: "io1" } }],
  });
  expect(notes).toEqual(["storage class standard instead of gp2"]);
  expect(prepareObject(set, none)).toMatchObject({ object: set, notes: [] });
});

it("frees a claim of the node that it was made for", () => {
  const old = claim({});
  const annotations = { "volume.kubernetes.io/selected-node": "gone", team: "a" };
  const { object } = prepareObject({ ...old, metadata: { ...old.metadata, annotations } }, none);
  expect(object.metadata.annotations).toEqual({ team: "a" });
});

it("sends a pod without its ephemeral containers, and says so", () => {
  const pod: KubeObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web-1", namespace: "shop" },
    spec: { containers: [{ name: "web" }], ephemeralContainers: [{ name: "debugger" }] },
  };
  const { object, notes } = prepareObject(pod, none);
  expect(object["spec"]).toEqual({ containers: [{ name: "web" }] });
  expect(notes).toEqual(["without its ephemeral containers"]);
});

it("keeps the volume's name of a claim only when volumes come back too", () => {
  const dumped = claim({ volumeName: "pv-1" });
  expect(prepareObject(dumped, none).object["spec"]).toEqual({});
  expect(prepareObject(dumped, { ...none, restorePVs: true }).object["spec"]).toEqual({ volumeName: "pv-1" });
});

it("lets the server make the selector of a Job again", () => {
  const { object } = prepareObject(job(), none);
  expect(object.metadata.labels).toEqual({ app: "x" });
  expect(object["spec"]).toEqual({ template: { metadata: { labels: { app: "x" } }, spec: {} } });
});

it("keeps a selector that a person wrote", () => {
  const { object } = prepareObject(job({ manualSelector: true }), none);
  expect(object["spec"]).toMatchObject({ selector: { matchLabels: { "controller-uid": "u" } } });
});

it("moves accounts of a binding with the namespace", () => {
  const binding: KubeObject = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "b", namespace: "shop" },
    subjects: [
      { kind: "ServiceAccount", name: "web", namespace: "shop" },
      { kind: "ServiceAccount", name: "other", namespace: "ops" },
      { kind: "User", name: "ann" },
    ],
  };
  const { object } = prepareObject(binding, { ...none, move: { from: "shop", to: "copy" } });
  expect(object.metadata.namespace).toBe("copy");
  expect(object["subjects"]).toEqual([
    { kind: "ServiceAccount", name: "web", namespace: "copy" },
    { kind: "ServiceAccount", name: "other", namespace: "ops" },
    { kind: "User", name: "ann" },
  ]);
});

const skipping = [
  ["a pod that succeeded", { apiVersion: "v1", kind: "Pod", status: { phase: "Succeeded" } }, true],
  ["a pod that failed", { apiVersion: "v1", kind: "Pod", status: { phase: "Failed" } }, true],
  ["a pod that ran", { apiVersion: "v1", kind: "Pod", status: { phase: "Running" } }, false],
  [
    "a job that completed",
    { apiVersion: "batch/v1", kind: "Job", status: { conditions: [{ type: "Complete", status: "True" }] } },
    true,
  ],
  [
    "a job that did not fail",
    { apiVersion: "batch/v1", kind: "Job", status: { conditions: [{ type: "Failed", status: "False" }] } },
    false,
  ],
  ["a volume", { apiVersion: "v1", kind: "PersistentVolume" }, true],
  ["a token", { apiVersion: "v1", kind: "Secret", type: "kubernetes.io/service-account-token" }, true],
  ["another Secret", { apiVersion: "v1", kind: "Secret", type: "Opaque" }, false],
  ["the authorities of the cluster", { apiVersion: "v1", kind: "ConfigMap", name: "kube-root-ca.crt" }, true],
  ["another ConfigMap", { apiVersion: "v1", kind: "ConfigMap", name: "settings" }, false],
  [
    "the Service of the API server",
    { apiVersion: "v1", kind: "Service", name: "kubernetes", namespace: "default" },
    true,
  ],
  [
    "a Service of that name elsewhere",
    { apiVersion: "v1", kind: "Service", name: "kubernetes", namespace: "shop" },
    false,
  ],
  [
    "a pod that a node made from a file",
    { apiVersion: "v1", kind: "Pod", annotations: { "kubernetes.io/config.mirror": "x" } },
    true,
  ],
  [
    "a Pod of another group",
    { apiVersion: "example.com/v1", kind: "Pod", status: { phase: "Failed" } },
    false,
  ],
] as const;

it.each<readonly [string, Readonly<Record<string, unknown>>, boolean]>(skipping)(
  "decides about %s",
  (_name, fields, skipped) => {
    const { apiVersion, kind, name = "x", namespace, annotations, ...rest } = fields;
    const metadata = { name, ...(namespace ? { namespace } : {}), ...(annotations ? { annotations } : {}) };
    const object = { apiVersion, kind, metadata, ...rest } as KubeObject;
    expect(reasonToSkip(object, { restorePVs: false }) !== undefined).toBe(skipped);
  },
);

it("restores volumes when asked", () => {
  expect(reasonToSkip(volume, { restorePVs: true })).toBeUndefined();
});

it.each([
  "nodes",
  "events",
  "events.events.k8s.io",
  "snapshots.storage.kubestash.com",
  "restoresessions.core.kubestash.com",
])("never restores %s", (type) => {
  expect(isNeverRestored(type)).toBe(true);
});
