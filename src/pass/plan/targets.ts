import { type LabelSelector, matchesSelector } from "../../api/label-selector.ts";
import type { KubeObject } from "../../api/meta.ts";
import { asRecord, isFields, records } from "../../base/json.ts";
import type { World } from "./world.ts";

type Json = Readonly<Record<string, unknown>>;

export type TargetReference = {
  readonly apiGroup?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
};

/** One Job's worth of a target: a component, the volumes that it needs and the node that has them. */
export type TargetPart = {
  readonly component: string;
  readonly volumes: readonly Json[];
  readonly mounts: readonly Json[];
  /** Set when the volumes can be mounted on one node only. */
  readonly node: string | undefined;
  /** For `${POD_ORDINAL}` in volume templates. */
  readonly ordinal: string | undefined;
};

const workloads = ["Deployment", "StatefulSet", "DaemonSet"];

export function targetOf(object: KubeObject): TargetReference | undefined {
  const target = asRecord(object["spec"])["target"];
  return target === undefined || target === null ? undefined : (target as TargetReference);
}

/** The claim that is the target, as the addon's volumes call it. */
export function claimVariable(object: KubeObject): Readonly<Record<string, string>> {
  const target = targetOf(object);
  return target?.kind === "PersistentVolumeClaim" ? { PVC_NAME: target.name } : {};
}

/** Whether the target is there; an empty target always is. */
export function targetFound(target: TargetReference | undefined, namespace: string, world: World): boolean {
  return target === undefined || findTarget(target, namespace, world) !== undefined;
}

export function findTarget(target: TargetReference, namespace: string, world: World): KubeObject | undefined {
  const kind = target.kind ?? "";
  const where = kind === "Namespace" ? undefined : (target.namespace ?? namespace);
  return world.observed.named(kind, where, target.name);
}

/** Whether two references mean one object. */
export function sameTarget(
  a: TargetReference | undefined,
  aNamespace: string,
  b: TargetReference | undefined,
  bNamespace: string,
): boolean {
  if (a === undefined || b === undefined) return a === b && aNamespace === bNamespace;
  const sameNamespace = (a.namespace ?? aNamespace) === (b.namespace ?? bNamespace);
  return a.kind === b.kind && a.name === b.name && (a.kind === "Namespace" || sameNamespace);
}

/** The parts whose volumes hold the target's data: one for a Deployment, one per pod of the other workloads. */
export function dataParts(target: KubeObject | undefined, world: World): readonly TargetPart[] {
  if (target === undefined || !workloads.includes(target.kind)) return [wholePart("dump")];
  const template = podSpecOf(target);
  if (target.kind === "Deployment")
    return [partOf("dump", template, [], { node: nodeOf(target, template, world), ordinal: undefined })];
  if (target.kind === "StatefulSet") return statefulParts(target, template, world);
  return podsOf(target, world)
    .map((pod) => nodeNameOf(pod))
    .filter((node) => node !== "")
    .map((node) => partOf(`dump-${node}`, template, [], { node, ordinal: undefined }));
}

/** A part without volumes of the target: manifests, or volumes that the addon or the task brings itself. */
export function wholePart(component: string): TargetPart {
  return { component, volumes: [], mounts: [], node: undefined, ordinal: undefined };
}

function statefulParts(target: KubeObject, template: Json, world: World): readonly TargetPart[] {
  const spec = isFields(target["spec"]) ? target["spec"] : {};
  const replicas = typeof spec["replicas"] === "number" ? spec["replicas"] : 1;
  const claims = records(spec["volumeClaimTemplates"]).map((claim) =>
    String(asRecord(claim["metadata"])["name"]),
  );
  return Array.from({ length: replicas }, (_, ordinal) => {
    const own = claims.map((claim) => ({
      name: claim,
      persistentVolumeClaim: { claimName: `${claim}-${target.metadata.name}-${ordinal}` },
    }));
    const pod = podsOf(target, world).find(
      (one) => one.metadata.name === `${target.metadata.name}-${ordinal}`,
    );
    const node = pod === undefined ? undefined : nodeNameOf(pod) || undefined;
    return partOf(`dump-pod-${ordinal}`, template, own, { node, ordinal: String(ordinal) });
  });
}

function partOf(
  component: string,
  template: Json,
  claims: readonly Json[],
  where: { readonly node: string | undefined; readonly ordinal: string | undefined },
): TargetPart {
  const volumes = [...records(template["volumes"]), ...claims];
  const byPath = new Map<string, Json>();
  for (const container of records(template["containers"])) {
    for (const mount of records(container["volumeMounts"])) byPath.set(String(mount["mountPath"]), mount);
  }
  const mounts = [...byPath.values()].filter((mount) =>
    volumes.some((volume) => volume["name"] === mount["name"]),
  );
  return { component, volumes, mounts, ...where };
}

/** A ReadWriteOnce claim can be mounted on the node of the pod that holds it, so the Job goes there. */
function nodeOf(target: KubeObject, template: Json, world: World): string | undefined {
  const claims = records(template["volumes"]).map(
    (volume) => asRecord(volume["persistentVolumeClaim"])["claimName"],
  );
  const once = claims.some((name) => {
    const claim = world.observed.named("PersistentVolumeClaim", target.metadata.namespace, name);
    const modes = asRecord(claim?.["spec"])["accessModes"];
    return Array.isArray(modes) && !modes.includes("ReadWriteMany") && !modes.includes("ReadOnlyMany");
  });
  if (!once) return undefined;
  return podsOf(target, world)
    .map(nodeNameOf)
    .find((node) => node !== "");
}

/** Running pods that the target's selector matches, in name order. */
function podsOf(target: KubeObject, world: World): readonly KubeObject[] {
  const selector = asRecord(asRecord(target["spec"])["selector"]) as LabelSelector;
  return world.observed
    .list("Pod", target.metadata.namespace)
    .filter((pod) => matchesSelector(selector, pod.metadata.labels ?? {}))
    .filter((pod) => pod.metadata.deletionTimestamp === undefined);
}

function nodeNameOf(pod: KubeObject): string {
  return String(asRecord(pod["spec"])["nodeName"] ?? "");
}

function podSpecOf(target: KubeObject): Json {
  return asRecord(asRecord(asRecord(target["spec"])["template"])["spec"]);
}
