import { groupOf, type KubeObject } from "../../api/meta.ts";
import { isFields } from "../../base/json.ts";
import { type Fields, fieldAt, fieldsAt, listAt, textAt } from "../storage/fields.ts";

/** Names of what a workload needs in its own namespace. */
export type WorkloadReferences = {
  readonly configMaps: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
  readonly serviceAccount: string;
};

/** What the pods of a workload refer to; undefined for a kind without pods. */
export function referencesOf(workload: KubeObject): WorkloadReferences | undefined {
  const pod = podSpecOf(workload);
  if (pod === undefined) return undefined;
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  const claims = new Set<string>(claimsOfTemplates(workload));
  const add = (names: Set<string>, name: string | undefined) => {
    if (name !== undefined) names.add(name);
  };
  for (const volume of listAt(pod, "volumes")) {
    add(configMaps, textAt(volume, "configMap", "name"));
    add(secrets, textAt(volume, "secret", "secretName"));
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
  return { configMaps, secrets, claims, serviceAccount: textAt(pod, "serviceAccountName") ?? "default" };
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
function claimsOfTemplates(workload: KubeObject): readonly string[] {
  if (workload.kind !== "StatefulSet" || groupOf(workload.apiVersion) !== "apps") return [];
  const spec = fieldsAt(workload, "spec");
  const replicas = typeof spec["replicas"] === "number" ? spec["replicas"] : 1;
  const start = fieldAt(spec, "ordinals", "start");
  const first = typeof start === "number" ? start : 0;
  const templates = listAt(spec, "volumeClaimTemplates").flatMap(
    (one) => textAt(one, "metadata", "name") ?? [],
  );
  return templates.flatMap((template) =>
    Array.from({ length: replicas }, (_, at) => `${template}-${workload.metadata.name}-${first + at}`),
  );
}
