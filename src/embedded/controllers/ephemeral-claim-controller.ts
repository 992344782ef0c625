import { type KubeObject, ownerOf } from "../../api/meta.ts";
import { ephemeralClaim } from "../pod-claims.ts";
import { isObject, listAt, objectAt } from "../value.ts";
import { isCode } from "./client.ts";
import { type Controller, type ControllerContext, keyOfObject, targetOfKey } from "./controller.ts";
import { isTerminal, isTerminating, stringsAt } from "./owned-pods.ts";
import { resources } from "./resources.ts";

const component = "ephemeral-volume-controller";

/** Makes the claim `<pod>-<volume>` of every generic ephemeral volume; it goes with its pod. */
export function createEphemeralClaimController(context: ControllerContext): Controller {
  return {
    name: component,
    watches: [
      {
        resource: resources.pods,
        keys: (pod) => (ephemeralVolumes(pod).length === 0 ? [] : [keyOfObject(pod)]),
      },
    ],
    async reconcile(key) {
      const pod = await context.client.get(resources.pods, targetOfKey(key));
      if (pod === undefined || isTerminating(pod) || isTerminal(pod)) return undefined;
      for (const volume of ephemeralVolumes(pod)) await ensureClaim(context, pod, volume);
      return undefined;
    },
  };
}

function ephemeralVolumes(pod: KubeObject) {
  return listAt(pod, "spec", "volumes").filter((volume) => isObject(volume) && isObject(volume["ephemeral"]));
}

async function ensureClaim(context: ControllerContext, pod: KubeObject, volume: unknown): Promise<void> {
  const template = objectAt(volume, "ephemeral", "volumeClaimTemplate");
  const { namespace = "" } = pod.metadata;
  const name = ephemeralClaim(pod, volume);
  try {
    await context.client.create(resources.claims, {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: {
        name,
        namespace,
        labels: stringsAt(template, "metadata", "labels"),
        annotations: stringsAt(template, "metadata", "annotations"),
        ownerReferences: [ownerOf(pod)],
      },
      spec: objectAt(template, "spec"),
    });
  } catch (error) {
    if (!isCode(error, 409)) throw error;
    const present = await context.client.get(resources.claims, { namespace, name });
    const owned = present?.metadata.ownerReferences?.some((owner) => owner.uid === pod.metadata.uid);
    if (owned === true) return;
    const message = `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`;
    await context.events(pod, component, { type: "Warning", reason: "ControllerFailedToCreatePVC", message });
  }
}
