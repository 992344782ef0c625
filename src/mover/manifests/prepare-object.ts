import { groupOf, type KubeObject, type OwnerReference } from "../../api/meta.ts";
import { isFields } from "../../base/json.ts";
import { fieldAt, withField, withoutField } from "../storage/fields.ts";
import { sanitise } from "./sanitise.ts";

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
};

const jobLabels = ["controller-uid", "batch.kubernetes.io/controller-uid"];

/** The dumped object made fit for another cluster. */
export function prepareObject(dumped: KubeObject, options: PrepareOptions): PreparedObject {
  const { status: _status, ...clean } = sanitise(dumped);
  const { ownerReferences, ...metadata } = clean.metadata;
  const moved =
    options.move === undefined || metadata.namespace === undefined
      ? { ...clean, metadata }
      : { ...clean, metadata: { ...metadata, namespace: options.move.to } };
  return { object: prepareKind(moved, dumped, options), owners: ownerReferences ?? [] };
}

function prepareKind(object: KubeObject, dumped: KubeObject, options: PrepareOptions): KubeObject {
  switch (`${groupOf(object.apiVersion)}/${object.kind}`) {
    case "/PersistentVolume":
      return withClass(preparePV(object), options);
    case "/PersistentVolumeClaim":
      return withClass(preparePVC(object, dumped, options), options);
    case "batch/Job":
      return prepareJob(object);
    case "rbac.authorization.k8s.io/RoleBinding":
    case "rbac.authorization.k8s.io/ClusterRoleBinding":
      return moveSubjects(object, options.move);
    default:
      return object;
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
  const volumeName = fieldAt(dumped, "spec", "volumeName");
  if (!options.restorePVs || volumeName === undefined) return object;
  return asObject(withField(object, ["spec", "volumeName"], volumeName));
}

function withClass(object: KubeObject, options: PrepareOptions): KubeObject {
  const name = fieldAt(object, "spec", "storageClassName");
  const mapped = typeof name === "string" ? options.storageClasses.get(name) : undefined;
  return mapped === undefined ? object : asObject(withField(object, ["spec", "storageClassName"], mapped));
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
