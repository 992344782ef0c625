import { expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { overlay } from "../../../src/mover/manifests/overlay.ts";

type Fields = Readonly<Record<string, unknown>>;

const core = (kind: string, spec: Fields, metadata: Fields = {}): KubeObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "x", namespace: "shop", ...metadata },
  spec,
});
const job = (template: Fields): KubeObject => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "x", namespace: "shop" },
  spec: { template },
});

it("takes the dump's content and keeps what only the live object can know", () => {
  const live: KubeObject = {
    ...core("Service", { clusterIP: "10.0.0.9", selector: { app: "old" } }),
    metadata: { name: "x", namespace: "shop", uid: "live", resourceVersion: "7", labels: { old: "1" } },
    status: { loadBalancer: {} },
  };
  const dumped = core(
    "Service",
    { clusterIP: "10.0.0.1", selector: { app: "web" } },
    { labels: { app: "web" } },
  );
  expect(overlay(live, dumped)).toEqual({
    object: {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "x", namespace: "shop", uid: "live", resourceVersion: "7", labels: { app: "web" } },
      spec: { clusterIP: "10.0.0.9", selector: { app: "web" } },
      status: { loadBalancer: {} },
    },
    kept: ["spec.clusterIP"],
    fixed: [],
  });
});

it("keeps what controllers noted on the live object, and drops other annotations that the dump has not", () => {
  const annotations = { "deployment.kubernetes.io/revision": "3", "volume.kubernetes.io/selected-node": "n" };
  const live = core("ConfigMap", {}, { annotations: { ...annotations, mine: "1" } });
  const { object } = overlay(live, core("ConfigMap", {}, { annotations: { theirs: "2" } }));
  expect(object.metadata.annotations).toEqual({ ...annotations, theirs: "2" });
});

const claimRef = { namespace: "shop", name: "data" };

it("leaves a bound volume its claim, and gives a released one the dump's", () => {
  const bound = { ...claimRef, uid: "u", resourceVersion: "4" };
  const live = core("PersistentVolume", { claimRef: bound });
  const dumped = core("PersistentVolume", { claimRef });
  const claimOf = (phase: string) => overlay({ ...live, status: { phase } }, dumped).object["spec"];
  expect(claimOf("Bound")).toEqual({ claimRef: bound });
  expect(claimOf("Released")).toEqual({ claimRef });
});

it("says which fields differ that no update can change, and which the cluster keeps", () => {
  const live = job({ spec: { containers: [{ name: "a", image: "old", imagePullPolicy: "Always" }] } });
  expect(overlay(live, job({ spec: { containers: [{ name: "a", image: "new" }] } })).fixed).toEqual([
    "spec.template",
  ]);
  expect(overlay(live, job({ spec: { containers: [{ name: "a", image: "old" }] } })).fixed).toEqual([]);
  const pod = core("Pod", { volumes: [{ name: "a" }], nodeName: "n" });
  expect(overlay(pod, core("Pod", { volumes: [{ name: "b" }], nodeName: "m" }))).toMatchObject({
    kept: ["spec.nodeName"],
    fixed: ["spec.volumes"],
  });
});

it("leaves a Job the labels by which its own uid finds its pods, unless its selector is a person's", () => {
  const uids = {
    "controller-uid": "u",
    "batch.kubernetes.io/controller-uid": "u",
    "batch.kubernetes.io/job-name": "x",
  };
  const live = (spec: Fields): KubeObject => ({
    ...job({}),
    metadata: { name: "x", namespace: "shop", labels: { ...uids, mine: "1" } },
    spec: { template: {}, ...spec },
  });
  const dumped: KubeObject = {
    ...job({}),
    metadata: { name: "x", namespace: "shop", labels: { theirs: "2" } },
  };
  expect(overlay(live({}), dumped).object.metadata.labels).toEqual({ ...uids, theirs: "2" });
  expect(overlay(live({ manualSelector: true }), dumped).object.metadata.labels).toEqual({ theirs: "2" });
});
