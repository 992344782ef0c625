import { type KubeObject, ownerOf } from "../../api/meta.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { isObject, listAt, objectAt, textAt } from "../value.ts";
import { revisionLabel, templateOf } from "./controller-revisions.ts";
import { podFromTemplate, stringsAt } from "./owned-pods.ts";

/** Names and shapes of a StatefulSet's children, as Kubernetes has them. */

export function ordinalOf(set: KubeObject, pod: KubeObject): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const text = pod.metadata.name.startsWith(prefix) ? pod.metadata.name.slice(prefix.length) : "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

export function claimTemplatesOf(set: KubeObject): readonly JsonObject[] {
  return listAt(set, "spec", "volumeClaimTemplates").filter(isObject);
}

/** `<claim>-<statefulset>-<ordinal>` */
export function claimName(set: KubeObject, template: JsonObject, ordinal: number): string {
  return `${textAt(template, "metadata", "name")}-${set.metadata.name}-${ordinal}`;
}

export function statefulPod(set: KubeObject, revision: KubeObject, ordinal: number): KubeObject {
  const name = `${set.metadata.name}-${ordinal}`;
  const template = templateOf(revision);
  const templates = claimTemplatesOf(set);
  const claims: Json[] = templates.map((one) => ({
    name: textAt(one, "metadata", "name"),
    persistentVolumeClaim: { claimName: claimName(set, one, ordinal) },
  }));
  const own = new Set(templates.map((one) => textAt(one, "metadata", "name")));
  const others = listAt(template, "spec", "volumes").filter((volume) => !own.has(textAt(volume, "name")));
  const serviceName = textAt(set, "spec", "serviceName");
  return podFromTemplate(template, set, name, {
    labels: {
      "statefulset.kubernetes.io/pod-name": name,
      "apps.kubernetes.io/pod-index": String(ordinal),
      [revisionLabel]: revision.metadata.name,
    },
    spec: {
      hostname: name,
      ...(serviceName === "" ? {} : { subdomain: serviceName }),
      ...(claims.length + others.length === 0 ? {} : { volumes: [...others, ...claims] }),
    },
  });
}

export function statefulClaim(set: KubeObject, template: JsonObject, ordinal: number): KubeObject {
  const { namespace } = set.metadata;
  const deleted = textAt(set, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted") === "Delete";
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: claimName(set, template, ordinal),
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        ...stringsAt(template, "metadata", "labels"),
        ...stringsAt(set, "spec", "selector", "matchLabels"),
      },
      annotations: stringsAt(template, "metadata", "annotations"),
      ...(deleted ? { ownerReferences: [ownerOf(set)] } : {}),
    },
    spec: objectAt(template, "spec"),
  };
}
