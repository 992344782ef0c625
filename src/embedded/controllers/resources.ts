import type { Resource } from "../../api/meta.ts";

function kind(apiVersion: string, name: string, plural: string, namespaced = true): Resource {
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  return { group, version: apiVersion.slice(slash + 1), kind: name, plural, namespaced };
}

/** The kinds that controllers read and write. */
export const resources = {
  pods: kind("v1", "Pod", "pods"),
  events: kind("v1", "Event", "events"),
  secrets: kind("v1", "Secret", "secrets"),
  configMaps: kind("v1", "ConfigMap", "configmaps"),
  claims: kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  volumes: kind("v1", "PersistentVolume", "persistentvolumes", false),
  nodes: kind("v1", "Node", "nodes", false),
  serviceAccounts: kind("v1", "ServiceAccount", "serviceaccounts"),
  storageClasses: kind("storage.k8s.io/v1", "StorageClass", "storageclasses", false),
  leases: kind("coordination.k8s.io/v1", "Lease", "leases"),
  jobs: kind("batch/v1", "Job", "jobs"),
  cronJobs: kind("batch/v1", "CronJob", "cronjobs"),
  deployments: kind("apps/v1", "Deployment", "deployments"),
  replicaSets: kind("apps/v1", "ReplicaSet", "replicasets"),
  statefulSets: kind("apps/v1", "StatefulSet", "statefulsets"),
  daemonSets: kind("apps/v1", "DaemonSet", "daemonsets"),
  controllerRevisions: kind("apps/v1", "ControllerRevision", "controllerrevisions"),
} as const;
