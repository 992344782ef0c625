import { mkdir, rm } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { KubeObject } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { claimsOf } from "../pod-claims.ts";
import { at, isObject, objectAt, textAt, textsAt } from "../value.ts";
import { isCode, targetOf } from "./client.ts";
import { type Controller, type ControllerContext, keyOfObject, targetOfKey } from "./controller.ts";
import type { EventRecorder, EventWords } from "./event-recorder.ts";
import { resources } from "./resources.ts";
import { writeStatus } from "./status.ts";
import { isAvailableFor } from "./volume-match.ts";

export const provisionerName = "holdfast.dev/directory";
const component = "persistentvolume-controller";
const provisionedBy = "pv.kubernetes.io/provisioned-by";
const defaultClassAnnotation = "storageclass.kubernetes.io/is-default-class";
const waitMs = 1_000;
const noClass = {
  reason: "FailedBinding",
  message: "no persistent volumes available for this claim and no storage class is set",
};

/**
 * Binds claims to volumes and makes volumes as directories below `volumesDirectory`, as
 * `<namespace>/<claim>-<first 8 of the claim's uid>`. A volume with reclaim policy Delete takes its directory
 * with it when its claim is gone.
 */
export function createVolumeController(given: ControllerContext, volumesDirectory: string): Controller {
  const context = { ...given, events: onceInARow(given.events) };
  const { client } = context;
  return {
    name: component,
    watches: [
      { resource: resources.claims, keys: (claim) => [keyOfObject(claim), ...volumeKeys(claim)] },
      { resource: resources.volumes, keys: (volume) => [keyOfObject(volume), ...claimKeys(volume)] },
    ],
    start: () => ensureDefaultClass(context),
    async reconcile(key) {
      const target = targetOfKey(key);
      if (target.namespace === undefined) {
        const volume = await client.get(resources.volumes, { name: target.name });
        if (volume !== undefined) await reclaim(context, volume, volumesDirectory);
        return undefined;
      }
      const claim = await client.get(resources.claims, target);
      if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return undefined;
      return bindClaim(context, claim, volumesDirectory);
    },
  };
}

function volumeKeys(claim: KubeObject): readonly string[] {
  const name = textAt(claim, "spec", "volumeName");
  return name === "" ? [] : [`/${name}`];
}

function claimKeys(volume: KubeObject): readonly string[] {
  const name = textAt(volume, "spec", "claimRef", "name");
  return name === "" ? [] : [`${textAt(volume, "spec", "claimRef", "namespace")}/${name}`];
}

async function ensureDefaultClass(context: ControllerContext): Promise<void> {
  try {
    await context.client.create(resources.storageClasses, {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: "standard", annotations: { [defaultClassAnnotation]: "true" } },
      provisioner: provisionerName,
      reclaimPolicy: "Delete",
      volumeBindingMode: "Immediate",
    });
  } catch (error) {
    // A class that is there already is the user's to change.
    if (!isCode(error, 409)) throw error;
  }
}

async function bindClaim(
  context: ControllerContext,
  found: KubeObject,
  volumesDirectory: string,
): Promise<number | undefined> {
  const { client } = context;
  const claim = await withClass(context, found);
  const named = textAt(claim, "spec", "volumeName");
  if (named !== "") {
    const volume = await client.get(resources.volumes, { name: named });
    if (volume !== undefined) return bindTo(context, claim, volume);
    const lost = textAt(claim, "status", "phase") === "Bound" || textAt(claim, "status", "phase") === "Lost";
    if (lost)
      await writeStatus(client, resources.claims, claim, { ...objectAt(claim, "status"), phase: "Lost" });
    else
      await pending(context, claim, "Warning", {
        reason: "FailedBinding",
        message: `volume "${named}" not found`,
      });
    return waitMs;
  }
  const { items } = await client.list(resources.volumes);
  const match = items.find((volume) => isAvailableFor(volume, claim));
  if (match !== undefined) return bindTo(context, claim, match);
  return provision(context, claim, volumesDirectory);
}

/** What a real server's admission does when the claim is created. */
async function withClass(context: ControllerContext, claim: KubeObject): Promise<KubeObject> {
  if (at(claim, "spec", "storageClassName") !== undefined) return claim;
  const { items } = await context.client.list(resources.storageClasses);
  const standard = items.find((one) => one.metadata.annotations?.[defaultClassAnnotation] === "true");
  if (standard === undefined) return claim;
  return context.client.patch(resources.claims, targetOf(claim), {
    metadata: { resourceVersion: claim.metadata.resourceVersion },
    spec: { storageClassName: standard.metadata.name },
  });
}

async function pending(
  context: ControllerContext,
  claim: KubeObject,
  type: EventWords["type"],
  words: Omit<EventWords, "type">,
): Promise<void> {
  await context.events(claim, component, { type, ...words });
  if (textAt(claim, "status", "phase") === "Pending") return;
  const status = { ...objectAt(claim, "status"), phase: "Pending" };
  await writeStatus(context.client, resources.claims, claim, status);
}

const claimsRemembered = 1_000;

/** The same words about the same object once in a row: a claim that waits is looked at every second. */
function onceInARow(events: EventRecorder): EventRecorder {
  const last = new Map<string, string>();
  return async (about, by, words) => {
    const { uid = "" } = about.metadata;
    const text = JSON.stringify(words);
    if (last.get(uid) === text) return;
    last.delete(uid);
    last.set(uid, text);
    const [oldest] = last.keys();
    if (last.size > claimsRemembered && oldest !== undefined) last.delete(oldest);
    await events(about, by, words);
  };
}

/** Both sides name each other; the volume first, so that no other claim takes it meanwhile. */
async function bindTo(
  context: ControllerContext,
  claim: KubeObject,
  volume: KubeObject,
): Promise<number | undefined> {
  const { client } = context;
  const { namespace, name, uid } = claim.metadata;
  const holder = textAt(volume, "spec", "claimRef", "uid");
  if (holder !== "" && holder !== uid) {
    const message = `volume "${volume.metadata.name}" already bound to a different claim.`;
    await pending(context, claim, "Warning", { reason: "FailedBinding", message });
    return waitMs;
  }
  const claimRef = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid };
  const bound =
    holder === uid
      ? volume
      : await client.patch(resources.volumes, targetOf(volume), {
          metadata: { resourceVersion: volume.metadata.resourceVersion },
          spec: { claimRef },
        });
  await writeStatus(client, resources.volumes, bound, { ...objectAt(bound, "status"), phase: "Bound" });
  const named =
    textAt(claim, "spec", "volumeName") === volume.metadata.name
      ? claim
      : await client.patch(resources.claims, targetOf(claim), {
          metadata: {
            resourceVersion: claim.metadata.resourceVersion,
            annotations: { "pv.kubernetes.io/bind-completed": "yes" },
          },
          spec: { volumeName: volume.metadata.name },
        });
  await writeStatus(client, resources.claims, named, {
    ...objectAt(named, "status"),
    phase: "Bound",
    accessModes: textsAt(bound, "spec", "accessModes"),
    capacity: objectAt(bound, "spec", "capacity"),
  });
  return undefined;
}

async function provision(
  context: ControllerContext,
  claim: KubeObject,
  volumesDirectory: string,
): Promise<number | undefined> {
  const { client, events } = context;
  const className = textAt(claim, "spec", "storageClassName");
  const storageClass =
    className === "" ? undefined : await client.get(resources.storageClasses, { name: className });
  if (storageClass === undefined) {
    const message = `storageclass.storage.k8s.io "${className}" not found`;
    if (className === "") await pending(context, claim, "Normal", noClass);
    else await pending(context, claim, "Warning", { reason: "ProvisioningFailed", message });
    return className === "" ? undefined : waitMs;
  }
  const provisioner = textAt(storageClass, "provisioner");
  if (provisioner !== provisionerName) {
    const message = `the embedded cluster provisions only for ${provisionerName}; the class "${className}" asks for ${provisioner}`;
    await pending(context, claim, "Normal", { reason: "ExternalProvisioning", message });
    return undefined;
  }
  const refused = refusalOf(claim);
  if (refused !== undefined) {
    await pending(context, claim, "Warning", { reason: "ProvisioningFailed", message: refused });
    return undefined;
  }
  if (
    textAt(storageClass, "volumeBindingMode") === "WaitForFirstConsumer" &&
    !(await isConsumed(context, claim))
  ) {
    const message = "waiting for first consumer to be created before binding";
    await pending(context, claim, "Normal", { reason: "WaitForFirstConsumer", message });
    return waitMs;
  }
  const path = directoryOf(claim, volumesDirectory);
  await mkdir(path, { recursive: true, mode: 0o755 });
  const volume = await createVolume(context, claim, storageClass, path);
  const message = `Successfully provisioned volume ${volume.metadata.name}`;
  await events(claim, provisionerName, { type: "Normal", reason: "ProvisioningSucceeded", message });
  return bindTo(context, claim, volume);
}

function refusalOf(claim: KubeObject): string | undefined {
  if (isObject(at(claim, "spec", "dataSource")) || isObject(at(claim, "spec", "dataSourceRef"))) {
    return "the embedded cluster cannot fill a volume from a dataSource: create the claim without it and restore into it";
  }
  if (textAt(claim, "spec", "volumeMode") === "Block") {
    return "the embedded cluster has no block devices: use volumeMode Filesystem";
  }
  return undefined;
}

async function isConsumed(context: ControllerContext, claim: KubeObject): Promise<boolean> {
  const { namespace = "", name } = claim.metadata;
  const { items } = await context.client.list(resources.pods, { namespace });
  return items.some((pod) => claimsOf(pod).includes(name));
}

function directoryOf(claim: KubeObject, volumesDirectory: string): string {
  const { namespace = "", name, uid = "" } = claim.metadata;
  return join(volumesDirectory, namespace, `${name}-${uid.slice(0, 8)}`);
}

async function createVolume(
  context: ControllerContext,
  claim: KubeObject,
  storageClass: KubeObject,
  path: string,
): Promise<KubeObject> {
  const { namespace, name, uid } = claim.metadata;
  const target = { name: `pvc-${uid}` };
  const options = textsAt(storageClass, "mountOptions");
  try {
    return await context.client.create(resources.volumes, {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { ...target, annotations: { [provisionedBy]: provisionerName } },
      spec: {
        accessModes: textsAt(claim, "spec", "accessModes"),
        capacity: { storage: at(claim, "spec", "resources", "requests", "storage") ?? "1Gi" },
        claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid },
        hostPath: { path, type: "Directory" },
        persistentVolumeReclaimPolicy: textAt(storageClass, "reclaimPolicy") || "Delete",
        storageClassName: storageClass.metadata.name,
        volumeMode: "Filesystem",
        ...(options.length === 0 ? {} : { mountOptions: options }),
      },
    });
  } catch (error) {
    // Made before a crash: the name says whose it is.
    const present = isCode(error, 409) ? await context.client.get(resources.volumes, target) : undefined;
    if (present === undefined) throw error;
    return present;
  }
}

/** A volume whose claim is gone is released; with policy Delete it goes, its directory first. */
async function reclaim(
  context: ControllerContext,
  volume: KubeObject,
  volumesDirectory: string,
): Promise<void> {
  const { client } = context;
  const uid = textAt(volume, "spec", "claimRef", "uid");
  if (uid === "") {
    if (textAt(volume, "status", "phase") !== "Available") {
      await writeStatus(client, resources.volumes, volume, {
        ...objectAt(volume, "status"),
        phase: "Available",
      });
    }
    return;
  }
  const namespace = textAt(volume, "spec", "claimRef", "namespace");
  const claim = await client.get(resources.claims, {
    namespace,
    name: textAt(volume, "spec", "claimRef", "name"),
  });
  if (claim?.metadata.uid === uid) return;
  const policy = textAt(volume, "spec", "persistentVolumeReclaimPolicy");
  const ours = policy === "Delete" && volume.metadata.annotations?.[provisionedBy] === provisionerName;
  if (ours) await removeDirectory(textAt(volume, "spec", "hostPath", "path"), volumesDirectory);
  // What is bound is protected from deletion, so this comes first.
  const status = { ...objectAt(volume, "status"), phase: "Released" };
  await writeStatus(client, resources.volumes, volume, status);
  if (ours) await client.delete(resources.volumes, targetOf(volume));
  else if (policy === "Delete") {
    const message =
      "the directory of a volume that was not provisioned here is left alone: delete the volume yourself";
    await context.events(volume, component, { type: "Warning", reason: "VolumeFailedDelete", message });
  }
}

/** Never removes anything outside of the volumes' directory, whatever the object says. */
async function removeDirectory(path: string, volumesDirectory: string): Promise<void> {
  const inside = relative(volumesDirectory, path);
  if (inside === "" || inside.startsWith("..") || inside.split(sep).length !== 2) {
    throw new HoldfastError("VolumeOutside", `${path} is no volume below ${volumesDirectory}`, {
      disposition: "stall",
      next: "Set the volume's reclaim policy to Retain and delete it.",
    });
  }
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}
