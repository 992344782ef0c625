import { groupOf, type KubeObject, type OwnerReference } from "../../api/meta.ts";
import { isFields } from "../../base/json.ts";
import { type Fields, fieldAt, listAt, textAt, withField, withoutField } from "../storage/fields.ts";
import { sanitise, selectedNode } from "./sanitise.ts";

export type PrepareOptions = {
  readonly restorePVs: boolean;
  /** Old name of a StorageClass to its new one; one that is not in it stays. */
  readonly storageClasses: ReadonlyMap<string, string>;
  /** Where all namespaced objects go instead of their own namespace. */
  readonly move?: { readonly from: string; readonly to: string };
};

/** An object as it is sent, and the owners that it had, which get new uids later. */
export type PreparedObject = {
  readonly object: KubeObject;
  readonly owners: readonly OwnerReference[];
  /** What is not as it was in the dump, for the person who restores. */
  readonly notes: readonly string[];
};

type Prepared = Pick<PreparedObject, "object" | "notes">;

export const jobLabels: readonly string[] = ["controller-uid", "batch.kubernetes.io/controller-uid"];
const betaClass = "volume.beta.kubernetes.io/storage-class";

/** The dumped object made fit for another cluster. */
export function prepareObject(dumped: KubeObject, options: PrepareOptions): PreparedObject {
  const { status: _status, ...clean } = sanitise(dumped);
  const { ownerReferences, ...metadata } = clean.metadata;
  const moved =
    options.move === undefined || metadata.namespace === undefined
      ? { ...clean, metadata }
      : { ...clean, metadata: { ...metadata, namespace: options.move.to } };
  return { ...prepareKind(moved, dumped, options), owners: ownerReferences ?? [] };
}

function prepareKind(object: KubeObject, dumped: KubeObject, options: PrepareOptions): Prepared {
  switch (`${groupOf(object.apiVersion)}/${object.kind}`) {
    case "/PersistentVolume":
      return withClass(preparePV(object), options);
    case "/PersistentVolumeClaim":
      return withClass(preparePVC(object, dumped, options), options);
    case "/Pod":
      return preparePod(object);
    case "apps/StatefulSet":
      return prepareStatefulSet(object, options);
    case "batch/Job":
      return { object: prepareJob(object), notes: [] };
    case "rbac.authorization.k8s.io/RoleBinding":
    case "rbac.authorization.k8s.io/ClusterRoleBinding":
      return { object: moveSubjects(object, options.move), notes: [] };
    default:
      return { object, notes: [] };
  }
}

/** Without uid and version the claim is reserved by name, and binds to the claim that comes back. */
function preparePV(object: KubeObject): KubeObject {
  return asObject(
    withoutField(withoutField(object, "spec", "claimRef", "uid"), "spec", "claimRef", "resourceVersion"),
  );
}

/** With its PersistentVolume a claim keeps the name of its volume, where the dump has it. */
function preparePVC(object: KubeObject, dumped: KubeObject, options: PrepareOptions): KubeObject {
  const anywhere = asObject(withoutField(object, "metadata", "annotations", selectedNode));
  const volumeName = fieldAt(dumped, "spec", "volumeName");
  if (!options.restorePVs || volumeName === undefined) return anywhere;
  return asObject(withField(anywhere, ["spec", "volumeName"], volumeName));
}

/** Of a claim, a volume or a template of a claim: in the field, and in the annotation that came before it. */
function withClass<Claim extends Fields>(
  claim: Claim,
  { storageClasses }: PrepareOptions,
): { readonly object: Claim; readonly notes: readonly string[] } {
  const paths = [
    ["spec", "storageClassName"],
    ["metadata", "annotations", betaClass],
  ] as const;
  let object: Fields = claim;
  const notes = new Set<string>();
  for (const path of paths) {
    const name = textAt(object, ...path);
    const mapped = name === undefined ? undefined : storageClasses.get(name);
    if (mapped === undefined) continue;
    object = withField(object, [...path], mapped);
    notes.add(`storage class ${mapped} instead of ${name}`);
  }
  return { object: object as Claim, notes: [...notes] };
}

/** The claims that it makes later have the class of its templates. */
function prepareStatefulSet(object: KubeObject, options: PrepareOptions): Prepared {
  const templates = listAt(object, "spec", "volumeClaimTemplates");
  const mapped = templates.map((template) =>
    isFields(template) ? withClass(template, options) : { object: template, notes: [] },
  );
  const notes = [...new Set(mapped.flatMap((one) => one.notes))];
  if (notes.length === 0) return { object, notes };
  const claims = mapped.map((one) => one.object);
  return { object: asObject(withField(object, ["spec", "volumeClaimTemplates"], claims)), notes };
}

/** Containers for debugging are added to a pod that runs; no server creates a pod with them. */
function preparePod(object: KubeObject): Prepared {
  const plain = withoutField(object, "spec", "ephemeralContainers");
  const had = listAt(object, "spec", "ephemeralContainers").length > 0;
  return { object: asObject(plain), notes: had ? ["without its ephemeral containers"] : [] };
}

/** A selector that the server made holds the uid of the job that is gone; the server makes a new one. */
function prepareJob(object: KubeObject): KubeObject {
  if (fieldAt(object, "spec", "manualSelector") === true) return object;
  const withoutSelector = withoutField(object, "spec", "selector");
  const paths = [
    ["metadata", "labels"],
    ["spec", "template", "metadata", "labels"],
  ];
  return asObject(
    paths.reduce(
      (job, path) => jobLabels.reduce((left, label) => withoutField(left, ...path, label), job),
      withoutSelector,
    ),
  );
}

/** Accounts of the namespace that moves move with it. */
function moveSubjects(object: KubeObject, move: PrepareOptions["move"]): KubeObject {
  const subjects = object["subjects"];
  if (move === undefined || !Array.isArray(subjects)) return object;
  const moved = subjects.map((subject) =>
    isFields(subject) && subject["kind"] === "ServiceAccount" && subject["namespace"] === move.from
      ? { ...subject, namespace: move.to }
      : subject,
  );
  return { ...object, subjects: moved };
}

/** The changes above touch neither apiVersion nor kind nor name. */
function asObject(fields: Readonly<Record<string, unknown>>): KubeObject {
  return fields as KubeObject;
}
