import { type KubeObject, refOf } from "../../api/meta.ts";
import { nameOfParts } from "../../api/names.ts";
import { asRecord, records } from "../../base/json.ts";
import type { Draft } from "./draft.ts";
import type { SecretName } from "./kinds/repository.ts";
import { accessRefusal } from "./secret-use.ts";
import type { World } from "./world.ts";

/**
 * What a Job of ours may do: a ServiceAccount named like the Job, bound in its own namespace to the ClusterRole of
 * its work, and a Role per namespace of Secrets that allows `get` of exactly those by name. Nobody copies Secrets.
 * A Job whose template names a ServiceAccount of the user runs with that one, which gets the same bindings.
 * Owned by the Job's own owner where the namespace is the same, found by labels elsewhere.
 * A sentence when the namespace may not use a storage or a Secret now: what was allowed when the work began may have
 * been pointed elsewhere since, and rights are given for what is named now.
 */
export function accessFor(
  job: KubeObject,
  storages: readonly KubeObject[],
  encryption: readonly SecretName[],
  world: World,
): readonly KubeObject[] | string {
  const refusal = accessRefusal(job.metadata.namespace ?? "", storages, encryption, world);
  if (refusal !== undefined) return refusal;
  const account = String(
    asRecord(asRecord(asRecord(job["spec"])["template"])["spec"])["serviceAccountName"] ?? job.metadata.name,
  );
  const namespace = job.metadata.namespace ?? "";
  const subject = { kind: "ServiceAccount", name: account, namespace };
  const secrets = [...storages.flatMap(storageSecret), ...encryption];
  const own = account === job.metadata.name ? [ownAccount(job)] : [];
  const namespaces = [...new Set(secrets.map((secret) => secret.namespace))].sort();
  const read = namespaces.flatMap((where) =>
    secretAccess(job, where, {
      subject,
      names: secrets.filter((secret) => secret.namespace === where).map((secret) => secret.name),
    }),
  );
  return [
    ...own,
    workBinding(job, subject),
    ...(own.length === 0 ? [] : manifestBinding(job, subject)),
    ...read,
    ...storageAccess(job, storages, subject),
    ...bringBackBinding(job, subject),
  ].filter(
    (object) => object.metadata.namespace === undefined || namespaceExists(object.metadata.namespace, world),
  );
}

function namespaceExists(name: string, world: World): boolean {
  return world.observed.get({ apiVersion: "v1", kind: "Namespace", name }) !== undefined;
}

type Subject = { readonly kind: string; readonly name: string; readonly namespace: string };

function ownAccount(job: KubeObject): KubeObject {
  const metadata = metadataFor(job, job.metadata.namespace ?? "", job.metadata.name);
  return { apiVersion: "v1", kind: "ServiceAccount", metadata };
}

/** What its work needs of its own namespace: the session, the Snapshots, their status. */
function workBinding(job: KubeObject, subject: Subject): KubeObject {
  const metadata = metadataFor(job, job.metadata.namespace ?? "", job.metadata.name);
  return bindingTo(clusterRoleOf(job), "RoleBinding", metadata, subject);
}

/**
 * What the manifests of one workload need of the Job's own namespace, its Secrets among them: only for the two jobs
 * that save and restore those. An account of the user has what the user gave it.
 */
function manifestBinding(job: KubeObject, subject: Subject): readonly KubeObject[] {
  const name = commandOf(job);
  if (name !== "manifest-backup" && name !== "manifest-restore") return [];
  const metadata = metadataFor(job, job.metadata.namespace ?? "", `${job.metadata.name}-manifests`);
  return [bindingTo(`kubestash-${name}-job`, "RoleBinding", metadata, subject)];
}

/** Only the job that attaches a storage makes objects in namespaces that only its backend names. */
function bringBackBinding(job: KubeObject, subject: Subject): readonly KubeObject[] {
  if (commandOf(job) !== "storage-initialize") return [];
  const { namespace = "", name } = job.metadata;
  const { namespace: _none, ...metadata } = metadataFor(job, "", nameOfParts("holdfast", namespace, name));
  return [bindingTo("kubestash-storage-initializer-job", "ClusterRoleBinding", metadata, subject)];
}

function bindingTo(
  role: string,
  kind: "RoleBinding" | "ClusterRoleBinding",
  metadata: KubeObject["metadata"],
  subject: Subject,
): KubeObject {
  const apiGroup = "rbac.authorization.k8s.io";
  const roleRef = { apiGroup, kind: "ClusterRole", name: role };
  return { apiVersion: `${apiGroup}/v1`, kind, metadata, subjects: [subject], roleRef };
}

/** `manifest-backup` of the arguments `job manifest-backup --namespace=…` of its first container. */
function commandOf(job: KubeObject): string | undefined {
  const pod = asRecord(asRecord(asRecord(job["spec"])["template"])["spec"]);
  const args = records(pod["containers"])[0]?.["args"];
  return Array.isArray(args) && args[0] === "job" ? String(args[1]) : undefined;
}

function secretAccess(
  job: KubeObject,
  namespace: string,
  grant: { readonly subject: Subject; readonly names: readonly string[] },
): readonly KubeObject[] {
  const metadata = metadataFor(job, namespace, `${job.metadata.name}-secrets`);
  const resourceNames = [...new Set(grant.names)].sort();
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata,
      rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames }],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      subjects: [grant.subject],
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: metadata.name },
    },
  ];
}

/** Reading the BackupStorage itself, where it stands in another namespace than the Job. */
function storageAccess(
  job: KubeObject,
  storages: readonly KubeObject[],
  subject: Subject,
): readonly KubeObject[] {
  const elsewhere = storages.filter((storage) => storage.metadata.namespace !== job.metadata.namespace);
  return elsewhere.map((storage) => {
    const metadata = metadataFor(job, storage.metadata.namespace ?? "", `${job.metadata.name}-storage`);
    return bindingTo("kubestash-backend-job", "RoleBinding", metadata, subject);
  });
}

function storageSecret(storage: KubeObject): readonly SecretName[] {
  const name = asRecord(asRecord(asRecord(storage["spec"])["storage"])["s3"])["secretName"];
  return typeof name === "string" && name !== ""
    ? [{ namespace: storage.metadata.namespace ?? "", name }]
    : [];
}

const rolesByComponent: Readonly<Record<string, string>> = {
  "kubestash-backup": "kubestash-backup-job",
  "kubestash-restore": "kubestash-restore-job",
  "kubestash-initializer": "kubestash-storage-initializer-job",
  "kubestash-uploader": "kubestash-backend-job",
  "kubestash-cleaner": "kubestash-backend-job",
  "kubestash-retention-policy": "kubestash-retention-policy-job",
};

function clusterRoleOf(job: KubeObject): string {
  return (
    rolesByComponent[job.metadata.labels?.["app.kubernetes.io/component"] ?? ""] ?? "kubestash-backup-job"
  );
}

/** Label by which what stands outside the owner's namespace is found and removed. */
export const accessOf = "holdfast.dev/access-of";

function metadataFor(job: KubeObject, namespace: string, name: string): KubeObject["metadata"] {
  const owner = job.metadata.ownerReferences?.[0];
  return {
    name,
    namespace,
    labels: { "app.kubernetes.io/managed-by": "holdfast", [accessOf]: owner?.uid ?? "" },
    ...(namespace === job.metadata.namespace && owner !== undefined
      ? { ownerReferences: [{ ...owner, controller: false, blockOwnerDeletion: false }] }
      : {}),
  };
}

/** Access that outlived its session, to be deleted: what the owner reference cannot reach, and what is done with. */
export function accessToRemove(ownerUid: string, world: World): readonly KubeObject[] {
  return ["ClusterRoleBinding", "RoleBinding", "Role", "ServiceAccount"]
    .flatMap((kind) => world.observed.list(kind))
    .filter((object) => object.metadata.labels?.[accessOf] === ownerUid);
}

/** Takes back what the Jobs of the draft's object were allowed. */
export function removeAccess(draft: Draft, because: string, world: World): void {
  for (const access of accessToRemove(draft.object.metadata.uid ?? "", world))
    draft.step({ kind: "delete", ref: refOf(access), uid: access.metadata.uid ?? "", because });
}
