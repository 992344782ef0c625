import { filterParams } from "./manifest-params.ts";
import { means, misread, type Read } from "./param-text.ts";
import type { TypedObjectReference } from "./references.ts";

/** Kinds of workloads that can be a target, and their API group. */
export const workloadGroups: Readonly<Record<string, string>> = {
  Deployment: "apps",
  StatefulSet: "apps",
  DaemonSet: "apps",
};

/** For docs/spec. */
export const manifestTargets = [
  "`spec.target` says what is saved or restored, and the parameters choose among that:",
  "- absent: the whole cluster;",
  "- a Namespace: the objects in it, without the Namespace itself and without anything else that has no namespace;",
  "- a Deployment, StatefulSet or DaemonSet: that and the ConfigMaps, Secrets, claims and ServiceAccount that its pods refer to.",
  "",
  "A restore takes that from whatever its Snapshot holds, and needs no target that is still there.",
  "A name in the parameters that chooses nothing is told as a warning; a backup or a restore that takes no object at all fails.",
].join("\n");

/** What the tasks of kubedump-addon save or restore. */
export type ManifestTarget =
  | { readonly scope: "cluster" }
  /** Its namespaced objects; the Namespace itself is none of them. */
  | { readonly scope: "namespace"; readonly namespace: string }
  /** A workload and what its pods need. */
  | {
      readonly scope: "application";
      readonly apiGroup: string;
      readonly kind: string;
      readonly namespace: string;
      readonly name: string;
    };

/** `own` is the namespace of the object that has the target. */
export function readManifestTarget(
  target: Partial<TypedObjectReference> | undefined,
  own: string,
): Read<ManifestTarget> {
  if (target === undefined) return means({ scope: "cluster" });
  const { kind = "", name = "" } = target;
  if (kind === "Namespace") return means({ scope: "namespace", namespace: name });
  const group = Object.hasOwn(workloadGroups, kind) ? workloadGroups[kind] : undefined;
  if (group !== undefined) {
    const namespace = target.namespace || own;
    return means({ scope: "application", apiGroup: target.apiGroup ?? group, kind, namespace, name });
  }
  return misread(
    `a ${kind} is no target of kubedump-addon`,
    `Name a Namespace or a ${Object.keys(workloadGroups).join(", ")}, or leave the target out and choose by the parameters.`,
  );
}

type Places = {
  readonly clusterResources: boolean;
  readonly includeNamespaces: ReadonlySet<string> | undefined;
  readonly excludeNamespaces: ReadonlySet<string>;
};

/** A target narrows what the parameters choose to its namespace: the one that asks for something outside of it. */
export function paramAgainstTarget(
  target: ManifestTarget,
  { clusterResources, includeNamespaces, excludeNamespaces }: Places,
): { readonly param: string; readonly message: string; readonly next: string } | undefined {
  if (target.scope === "cluster") return undefined;
  const { namespace } = target;
  const next = (what: string) => `${what}, or leave the target out.`;
  if (clusterResources) {
    const message = `asks for objects without a namespace, and the target is in namespace ${namespace}`;
    return { param: filterParams.clusterResources.name, message, next: next("Take it out") };
  }
  if (includeNamespaces !== undefined && !includeNamespaces.has(namespace)) {
    const message = `does not name ${namespace}, the namespace of the target`;
    return { param: filterParams.includeNamespaces.name, message, next: next("Take it out") };
  }
  if (!excludeNamespaces.has(namespace)) return undefined;
  const message = `leaves out ${namespace}, the namespace of the target`;
  return { param: filterParams.excludeNamespaces.name, message, next: next(`Take ${namespace} out`) };
}
