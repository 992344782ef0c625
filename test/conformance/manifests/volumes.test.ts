import { expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { eventually } from "../../support/eventually.ts";
import { kubeServers, type Server } from "../kube/servers.ts";
import { type Dumped, restoring } from "./restoring.ts";

const onEveryServer = kubeServers();
const onRealServer = kubeServers("kube-apiserver");
const prepare = { restorePVs: true, storageClasses: new Map([["old", "new"]]) };
const size = { storage: "1Gi" };
const accessModes = ["ReadWriteOnce"];

/** A claim as dumps have it, without the name of its volume, and the volume that knows the claim. */
function dumpOf({ namespace, tag }: Server, name: string): readonly Dumped[] {
  const volume: KubeObject = {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: `${name}-${tag}` },
    spec: {
      capacity: size,
      accessModes,
      storageClassName: "old",
      hostPath: { path: "/tmp/nowhere" },
      claimRef: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        namespace,
        name,
        uid: "u",
        resourceVersion: "1",
      },
    },
  };
  const claim: KubeObject = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace },
    spec: { accessModes, resources: { requests: size }, storageClassName: "old" },
  };
  return [
    [builtIn.PersistentVolume, volume],
    [builtIn.PersistentVolumeClaim, claim],
  ];
}

onEveryServer("a claim and its volume", (server) => {
  it("name each other when both are restored", async () => {
    const { kube, namespace, tag } = server();
    const outcomes = await restoring(kube, dumpOf(server(), "data"), { prepare });
    const notes = ["storage class new instead of old"];
    expect(outcomes).toMatchObject({
      [`persistentvolumes/data-${tag}`]: { did: "created", notes },
      "persistentvolumeclaims/data": { did: "created", notes },
    });
    const claim = await kube.get(builtIn.PersistentVolumeClaim, { namespace, name: "data" });
    expect(claim?.["spec"]).toMatchObject({ volumeName: `data-${tag}`, storageClassName: "new" });
  });

  it("the claim waits for the volume, and is not provisioned without it", async () => {
    const { kube, namespace, tag } = server();
    const [[, volume], claim] = dumpOf(server(), "waits") as [Dumped, Dumped];
    const wrong = { ...volume, spec: { ...(volume["spec"] as object), capacity: "much" } };
    const outcomes = await restoring(kube, [[builtIn.PersistentVolume, wrong], claim], { prepare });
    expect(outcomes).toMatchObject({
      [`persistentvolumes/waits-${tag}`]: { did: "failed" },
      "persistentvolumeclaims/waits": {
        did: "failed",
        reason: `its PersistentVolume waits-${tag} could not be restored`,
      },
    });
    expect(await kube.get(builtIn.PersistentVolumeClaim, { namespace, name: "waits" })).toBeUndefined();
  });

  it("the claim comes alone when volumes are not to be restored", async () => {
    const { kube, tag } = server();
    const outcomes = await restoring(kube, dumpOf(server(), "alone"));
    expect(outcomes).toMatchObject({
      [`persistentvolumes/alone-${tag}`]: { did: "skipped", reason: "RestorePVs is not true" },
      "persistentvolumeclaims/alone": { did: "created" },
    });
  });
});

onRealServer("a claim and its volume in a cluster that binds", (server) => {
  const bound = async (name: string) => {
    const { kube, namespace, tag } = server();
    const volume = await kube.get(builtIn.PersistentVolume, { name: `${name}-${tag}` });
    const claim = await kube.get(builtIn.PersistentVolumeClaim, { namespace, name });
    expect([volume?.["status"], claim?.["status"]]).toMatchObject([{ phase: "Bound" }, { phase: "Bound" }]);
    return { volume, claim };
  };

  it("are bound to each other, and stay so when they are overwritten", async () => {
    const { kube, tag } = server();
    const dumped = dumpOf(server(), "binds");
    await restoring(kube, dumped, { prepare });
    const { volume } = await eventually(() => bound("binds"));
    expect(await restoring(kube, dumped, { prepare, override: true })).toMatchObject({
      [`persistentvolumes/binds-${tag}`]: { did: "same" },
      "persistentvolumeclaims/binds": { did: "same" },
    });
    expect(await bound("binds")).toMatchObject({ volume: { spec: volume?.["spec"] } });
  });

  it("are bound again after the claim was lost, once the volume may be overwritten", async () => {
    const { kube, namespace, tag } = server();
    const dumped = dumpOf(server(), "lost");
    await restoring(kube, dumped, { prepare });
    await eventually(() => bound("lost"));
    await kube.delete(builtIn.PersistentVolumeClaim, { namespace, name: "lost" });
    await eventually(async () => {
      const volume = await kube.get(builtIn.PersistentVolume, { name: `lost-${tag}` });
      expect(volume?.["status"]).toMatchObject({ phase: "Released" });
    });
    expect((await restoring(kube, dumped, { prepare }))["persistentvolumeclaims/lost"]).toMatchObject({
      did: "failed",
      reason: expect.stringContaining("is Released and kept for the claim that is gone"),
    });
    expect(await restoring(kube, dumped, { prepare, override: true })).toMatchObject({
      [`persistentvolumes/lost-${tag}`]: { did: "updated" },
      "persistentvolumeclaims/lost": { did: "created" },
    });
    await eventually(() => bound("lost"));
  });
});
