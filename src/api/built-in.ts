import type { Resource } from "./meta.ts";

/** Kinds of Kubernetes itself that Holdfast reads or writes. */
export const builtIn = {
  Namespace: clusterScoped("", "v1", "Namespace", "namespaces"),
  Secret: namespaced("", "v1", "Secret", "secrets"),
  ConfigMap: namespaced("", "v1", "ConfigMap", "configmaps"),
  Event: namespaced("events.k8s.io", "v1", "Event", "events"),
  Service: namespaced("", "v1", "Service", "services"),
  ServiceAccount: namespaced("", "v1", "ServiceAccount", "serviceaccounts"),
  Pod: namespaced("", "v1", "Pod", "pods"),
  PersistentVolumeClaim: namespaced("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  PersistentVolume: clusterScoped("", "v1", "PersistentVolume", "persistentvolumes"),
  Node: clusterScoped("", "v1", "Node", "nodes"),
  Deployment: namespaced("apps", "v1", "Deployment", "deployments"),
  StatefulSet: namespaced("apps", "v1", "StatefulSet", "statefulsets"),
  DaemonSet: namespaced("apps", "v1", "DaemonSet", "daemonsets"),
  Job: namespaced("batch", "v1", "Job", "jobs"),
  CronJob: namespaced("batch", "v1", "CronJob", "cronjobs"),
  Role: namespaced("rbac.authorization.k8s.io", "v1", "Role", "roles"),
  RoleBinding: namespaced("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
  ClusterRole: clusterScoped("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles"),
  ClusterRoleBinding: clusterScoped(
    "rbac.authorization.k8s.io",
    "v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
  ),
  Lease: namespaced("coordination.k8s.io", "v1", "Lease", "leases"),
  CustomResourceDefinition: clusterScoped(
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
  ),
} as const;

export type BuiltInKind = keyof typeof builtIn;

function namespaced(group: string, version: string, kind: string, plural: string): Resource {
  return { group, version, kind, plural, namespaced: true };
}

function clusterScoped(group: string, version: string, kind: string, plural: string): Resource {
  return { group, version, kind, plural, namespaced: false };
}
