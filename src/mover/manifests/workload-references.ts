import { groupOf, type KubeObject } from "../../api/meta.ts";
import { isFields } from "../../base/json.ts";
import { type Fields, fieldAt, fieldsAt, listAt, textAt } from "../storage/fields.ts";

/** Names of what a workload needs in its own namespace. */
export type WorkloadReferences = {
  readonly configMaps: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  /** Which claims belong to the replicas of a StatefulSet; undefined where they have none of their own. */
  readonly claimsOfReplicas: ClaimTest | undefined;
  readonly serviceAccount: string;
};

export type ClaimTest = (claim: string) => boolean;

/** Where a volume names a Secret; the `csi` one is what the kubelet hands to the driver. */
const secretsOfVolumes: readonly (readonly string[])[] = [
  ["secret", "secretName"],
  ["csi", "nodePublishSecretRef", "name"],
  ["azureFile", "secretName"],
  ["cephfs", "secretRef", "name"],
  ["flexVolume", "secretRef", "name"],
  ["iscsi", "secretRef", "name"],
  ["rbd", "secretRef", "name"],
  ["scaleIO", "secretRef", "name"],
  ["storageos", "secretRef", "name"],
];

/** What the pods of a workload refer to; undefined for a kind without pods. */
export function referencesOf(workload: KubeObject): WorkloadReferences | undefined {
  const pod = podSpecOf(workload);
  if (pod === undefined) return undefined;
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  const claims = new Set<string>();
  const services = new Set<string>();
  const add = (names: Set<string>, name: string | undefined) => {
    if (name !== undefined) names.add(name);
  };
  for (const volume of listAt(pod, "volumes")) {
    add(configMaps, textAt(volume, "configMap", "name"));
    for (const place of secretsOfVolumes) add(secrets, textAt(volume, ...place));
    add(claims, textAt(volume, "persistentVolumeClaim", "claimName"));
    for (const source of listAt(volume, "projected", "sources")) {
      add(configMaps, textAt(source, "configMap", "name"));
      add(secrets, textAt(source, "secret", "name"));
    }
  }
  for (const container of containersOf(pod)) {
    for (const source of listAt(container, "envFrom")) {
      add(configMaps, textAt(source, "configMapRef", "name"));
      add(secrets, textAt(source, "secretRef", "name"));
    }
    for (const variable of listAt(container, "env")) {
      add(configMaps, textAt(variable, "valueFrom", "configMapKeyRef", "name"));
      add(secrets, textAt(variable, "valueFrom", "secretKeyRef", "name"));
    }
  }
  for (const secret of listAt(pod, "imagePullSecrets")) add(secrets, textAt(secret, "name"));
  // Of other kinds they come and go with the pods; one that came back alone would keep its pod from starting.
  if (isKind(workload, "", "Pod")) {
    for (const volume of ephemeralVolumes(pod)) claims.add(`${workload.metadata.name}-${volume}`);
  }
  if (isKind(workload, "apps", "StatefulSet")) add(services, textAt(workload, "spec", "serviceName"));
  return {
    configMaps,
    secrets,
    claims,
    services,
    claimsOfReplicas: claimsOfReplicas(workload),
    serviceAccount: textAt(pod, "serviceAccountName") ?? "default",
  };
}

function ephemeralVolumes(pod: Fields): readonly string[] {
  return listAt(pod, "volumes").flatMap((volume) =>
    fieldAt(volume, "ephemeral") === undefined ? [] : (textAt(volume, "name") ?? []),
  );
}

function isKind(object: KubeObject, group: string, kind: string): boolean {
  return object.kind === kind && groupOf(object.apiVersion) === group;
}

/** Names of the Secrets that a ServiceAccount brings along. */
export function secretsOfAccount(account: KubeObject): readonly string[] {
  return ["secrets", "imagePullSecrets"].flatMap((list) =>
    listAt(account, list).flatMap((secret) => textAt(secret, "name") ?? []),
  );
}

function containersOf(pod: Fields): readonly unknown[] {
  return ["initContainers", "containers"].flatMap((list) => listAt(pod, list));
}

function podSpecOf(workload: KubeObject): Fields | undefined {
  const paths: Readonly<Record<string, readonly string[]>> = {
    "/Pod": ["spec"],
    "batch/CronJob": ["spec", "jobTemplate", "spec", "template", "spec"],
  };
  const own = paths[`${groupOf(workload.apiVersion)}/${workload.kind}`];
  const spec = fieldAt(workload, ...(own ?? ["spec", "template", "spec"]));
  return isFields(spec) ? spec : undefined;
}

/** A StatefulSet makes `<template>-<name>-<ordinal>` for each of its pods. */
function claimsOfReplicas(workload: KubeObject): ClaimTest | undefined {
  if (!isKind(workload, "apps", "StatefulSet")) return undefined;
  const spec = fieldsAt(workload, "spec");
  const replicas = typeof spec["replicas"] === "number" ? spec["replicas"] : 1;
  const start = fieldAt(spec, "ordinals", "start");
  const first = typeof start === "number" ? start : 0;
  const prefixes = listAt(spec, "volumeClaimTemplates").flatMap((one) => {
    const template = textAt(one, "metadata", "name");
    return template === undefined ? [] : [`${template}-${workload.metadata.name}-`];
  });
  if (prefixes.length === 0) return undefined;
  return (claim) =>
    prefixes.some((prefix) => {
      if (!claim.startsWith(prefix)) return false;
      const ordinal = claim.slice(prefix.length);
      return /^(0|[1-9]\d*)$/.test(ordinal) && Number(ordinal) >= first && Number(ordinal) < first + replicas;
    });
}
