import type { KubeObject, Resource } from "../../../src/api/meta.ts";

export const configMaps: Resource = resource("", "v1", "ConfigMap", "configmaps");
export const deployments: Resource = resource("apps", "v1", "Deployment", "deployments");
export const jobs: Resource = resource("batch", "v1", "Job", "jobs");

/** Field manager of writes whose manager does not matter. */
export const write = { manager: "conformance" };

export function resource(group: string, version: string, kind: string, plural: string): Resource {
  return { group, version, kind, plural, namespaced: true };
}

export function configMap(
  namespace: string,
  name: string,
  data: Record<string, string> = {},
  metadata: Record<string, unknown> = {},
): KubeObject {
  const filled = Object.keys(data).length === 0 ? {} : { data };
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, ...metadata }, ...filled };
}

export type Container = { readonly name: string; readonly image: string; readonly [field: string]: unknown };

export function deployment(
  namespace: string,
  name: string,
  containers: readonly Container[] = [{ name: "app", image: "example.com/app:1" }],
  spec: Record<string, unknown> = {},
): KubeObject {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
      ...spec,
    },
  };
}

export const path = {
  configMaps: (namespace: string, name?: string) => core(namespace, "configmaps", name),
  secrets: (namespace: string, name?: string) => core(namespace, "secrets", name),
  pods: (namespace: string, name?: string) => core(namespace, "pods", name),
  deployments: (namespace: string, name?: string) => inGroup("apps/v1", namespace, "deployments", name),
  jobs: (namespace: string, name?: string) => inGroup("batch/v1", namespace, "jobs", name),
  crds: (name?: string) => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions${tail(name)}`,
};

function core(namespace: string, plural: string, name?: string): string {
  return `/api/v1/namespaces/${namespace}/${plural}${tail(name)}`;
}

export function inGroup(groupVersion: string, namespace: string, plural: string, name?: string): string {
  return `/apis/${groupVersion}/namespaces/${namespace}/${plural}${tail(name)}`;
}

function tail(name: string | undefined): string {
  return name === undefined ? "" : `/${name}`;
}
