import type { ManifestPlace } from "./manifest-tree.ts";

/** Types that others depend on, first to last. */
const first = [
  "customresourcedefinitions.apiextensions.k8s.io",
  "namespaces",
  "storageclasses.storage.k8s.io",
  "volumesnapshotclass.snapshot.storage.k8s.io",
  "volumesnapshotcontents.snapshot.storage.k8s.io",
  "volumesnapshots.snapshot.storage.k8s.io",
  "persistentvolumes",
  "persistentvolumeclaims",
  "serviceaccounts",
  "secrets",
  "configmaps",
  "limitranges",
  "pods",
  "replicasets.apps",
  "clusterclasses.cluster.x-k8s.io",
  "endpoints",
  "services",
];

/** Types whose controllers make the others, last. */
const last = [
  "clusters.cluster.x-k8s.io",
  "clusterresourcesets.addons.cluster.x-k8s.io",
  "apps.kappctrl.k14s.io",
  "packageinstalls.packaging.carvel.dev",
];

/** KubeStash's list has the class of snapshots in the singular; the API's own name goes with it. */
const alias: Readonly<Record<string, string>> = {
  "volumesnapshotclasses.snapshot.storage.k8s.io": "volumesnapshotclass.snapshot.storage.k8s.io",
};

type Where = Pick<ManifestPlace, "type" | "namespace"> & Partial<ManifestPlace>;

/** The order in which objects are created: by type, then by namespace and file, so that runs are alike. */
export function byRestoreOrder(a: Where, b: Where): number {
  const rank = rankOf(a.type) - rankOf(b.type);
  if (rank !== 0) return rank;
  return (
    compare(a.type, b.type) ||
    compare(a.namespace ?? "", b.namespace ?? "") ||
    compare(a.file ?? "", b.file ?? "")
  );
}

function rankOf(type: string): number {
  const early = first.indexOf(alias[type] ?? type);
  if (early >= 0) return early;
  const late = last.indexOf(type);
  return late >= 0 ? first.length + 1 + late : first.length;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
