import { mkdir, rm } from "node:fs/promises";
import { builtIn } from "../../api/built-in.ts";
import type { KubeObject, Resource } from "../../api/meta.ts";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import { fileNotWritten } from "../../base/file-error.ts";
import type { Kube, ObjectName } from "../../ports/kube/kube.ts";
import { KubeError } from "../../ports/kube/kube-error.ts";
import { fieldAt, listAt, textAt } from "../storage/fields.ts";
import type { Dump } from "./dump-manifests.ts";
import { type ManifestFilter, takesLabels, takesPlace, takesType } from "./manifest-filter.ts";
import { createManifestWriter } from "./manifest-writer.ts";
import { createMissingParts, type MissingParts } from "./missing-parts.ts";
import {
  type ClaimTest,
  referencesOf,
  secretsOfAccount,
  type WorkloadReferences,
} from "./workload-references.ts";

export type WorkloadTarget = {
  readonly apiGroup: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
};

export type DumpWorkload = {
  readonly kube: Kube;
  readonly target: WorkloadTarget;
  /** What of it is saved; what is left out is still followed to what it refers to. */
  readonly filter: ManifestFilter;
  /** Also roles and bindings of the workload's ServiceAccount. */
  readonly rbac: boolean;
  /** Folder of the tree; made anew. */
  readonly tree: string;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
};

type Dumping = DumpWorkload & {
  readonly missing: MissingParts;
  /** What the filter takes; it counts what it has written. */
  readonly write: (type: Resource, object: KubeObject) => void;
};

/**
 * Writes a workload and what its pods refer to: ConfigMaps, Secrets, PersistentVolumeClaims, the Service of a
 * StatefulSet, the ServiceAccount with its Secrets, and with `rbac` the roles that are bound to it. A reference to
 * nothing is no loss; one that may not be read is named in `missing`.
 */
export async function dumpWorkload(request: DumpWorkload): Promise<Dump> {
  const { tree, kube, signal, target } = request;
  await rm(tree, { recursive: true, force: true });
  await mkdir(tree, { recursive: true, mode: 0o700 }).catch((thrown: unknown) => {
    throw fileNotWritten(tree, thrown);
  });
  const missing = createMissingParts();
  const writer = createManifestWriter(tree, missing);
  const dumping: Dumping = {
    ...request,
    missing,
    write: (type, object) => {
      if (takes(request.filter, type, object)) writer.write(type, object);
    },
  };
  const resource = await resourceOfTarget(kube, target, signal);
  const { namespace, name } = target;
  const workload = await kube.get(resource, resource.namespaced ? { namespace, name } : { name }, signal);
  if (workload === undefined) throw targetNotFound(target);
  if (workload.metadata.deletionTimestamp !== undefined) throw targetNotFound(target, { leaving: true });
  dumping.write(resource, workload);
  const references = referencesOf(workload);
  if (references !== undefined) await saveReferences(dumping, references);
  return { ...writer.counts(), missing: missing.list(), warnings: [] };
}

function takes(filter: ManifestFilter, type: Resource, object: KubeObject): boolean {
  return (
    takesType(filter, type) && takesPlace(filter, object.metadata.namespace) && takesLabels(filter, object)
  );
}

async function saveReferences(dumping: Dumping, references: WorkloadReferences): Promise<void> {
  const { namespace } = dumping.target;
  const account = await save(dumping, builtIn.ServiceAccount, { namespace, name: references.serviceAccount });
  const secrets = new Set([
    ...references.secrets,
    ...(account === undefined ? [] : secretsOfAccount(account)),
  ]);
  const named: readonly (readonly [Resource, Iterable<string>])[] = [
    [builtIn.ConfigMap, references.configMaps],
    [builtIn.Secret, secrets],
    [builtIn.PersistentVolumeClaim, references.claims],
    [builtIn.Service, references.services],
  ];
  for (const [type, names] of named) {
    for (const one of names) await save(dumping, type, { namespace, name: one });
  }
  if (references.claimsOfReplicas !== undefined) await saveClaims(dumping, references.claimsOfReplicas);
  if (dumping.rbac) await saveRoles(dumping, references.serviceAccount);
}

/** From one list, however many replicas there are. */
async function saveClaims(dumping: Dumping, isOfReplica: ClaimTest): Promise<void> {
  const claims = await listed(dumping, builtIn.PersistentVolumeClaim, ({ metadata }) =>
    isOfReplica(metadata.name),
  );
  for (const claim of claims) dumping.write(builtIn.PersistentVolumeClaim, claim);
}

async function resourceOfTarget(kube: Kube, target: WorkloadTarget, signal: AbortSignal): Promise<Resource> {
  const { resources } = await kube.discover(signal);
  const found = resources.find(
    (one) => one.preferred && one.group === target.apiGroup && one.kind === target.kind,
  );
  if (found !== undefined) return found;
  throw targetNotFound(target);
}

/** Reads and writes one object; undefined when it is not there or could not be read. */
async function save(dumping: Dumping, type: Resource, name: ObjectName): Promise<KubeObject | undefined> {
  const { kube, signal, missing, log } = dumping;
  const shown = `${type.kind} ${name.namespace === undefined ? "" : `${name.namespace}/`}${name.name}`;
  try {
    const found = await kube.get(type, name, signal);
    if (found === undefined) log(`${shown} is referred to and does not exist`);
    else dumping.write(type, found);
    return found;
  } catch (thrown) {
    if (!isAnswer(thrown)) throw thrown;
    missing.add(`${shown}: ${messageOf(thrown)}`);
  }
  return undefined;
}

/** Bindings of the account in its namespace and in the cluster, and the roles that they name. */
async function saveRoles(dumping: Dumping, account: string): Promise<void> {
  const { namespace } = dumping.target;
  const roles = new Set<string>();
  for (const type of [builtIn.RoleBinding, builtIn.ClusterRoleBinding]) {
    for (const binding of await bindingsOf(dumping, type, account)) {
      dumping.write(type, binding);
      roles.add(`${textAt(binding, "roleRef", "kind")}/${textAt(binding, "roleRef", "name")}`);
    }
  }
  for (const role of roles) {
    const [kind, ...rest] = role.split("/");
    const name = rest.join("/");
    if (kind === "ClusterRole") await save(dumping, builtIn.ClusterRole, { name });
    else await save(dumping, builtIn.Role, { namespace, name });
  }
}

async function bindingsOf(dumping: Dumping, type: Resource, account: string): Promise<readonly KubeObject[]> {
  const { target } = dumping;
  const names = (subject: unknown) =>
    fieldAt(subject, "kind") === "ServiceAccount" &&
    fieldAt(subject, "name") === account &&
    (textAt(subject, "namespace") ?? target.namespace) === target.namespace;
  return await listed(dumping, type, (binding) => listAt(binding, "subjects").some(names));
}

/** What passes of a type in the target's namespace, or in the cluster. */
async function listed(
  { kube, signal, missing, target }: Dumping,
  type: Resource,
  passes: (object: KubeObject) => boolean,
): Promise<readonly KubeObject[]> {
  const found: KubeObject[] = [];
  try {
    const where = type.namespaced ? { namespace: target.namespace } : {};
    for await (const page of kube.list(type, { ...where, signal })) {
      found.push(...page.items.filter(passes));
    }
  } catch (thrown) {
    if (!isAnswer(thrown)) throw thrown;
    missing.add(`${type.plural}: ${messageOf(thrown)}`);
  }
  return found;
}

function isAnswer(thrown: unknown): boolean {
  return thrown instanceof KubeError && thrown.code !== 0;
}

function targetNotFound(target: WorkloadTarget, { leaving = false } = {}): HoldfastError {
  const { apiGroup, kind, namespace, name } = target;
  const shown = `${apiGroup === "" ? kind : `${kind}.${apiGroup}`} ${namespace}/${name}`;
  const message = leaving
    ? `${shown}, the target of the backup, is being deleted`
    : `there is no ${shown}, the target of the backup`;
  return new HoldfastError("TargetNotFound", message, {
    disposition: "stall",
    next: "Correct spec.target of the BackupConfiguration, or create the workload.",
  });
}
