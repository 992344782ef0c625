import { usableFrom } from "../../api/labels.ts";
import type { KubeObject } from "../../api/meta.ts";
import { type UsagePolicy, usageAllowed } from "../../api/usage-policy.ts";
import { asRecord } from "../../base/json.ts";
import type { SecretName } from "./kinds/repository.ts";
import type { World } from "./world.ts";

type Refusal = { readonly message: string; readonly next: string };

/**
 * Why the Jobs of a namespace may not be given an encryption Secret; undefined when they may. Who may write a
 * BackupConfiguration or a RestoreSession in a namespace may run pods there that read what the Job reads, and must
 * not get at the Secrets of other namespaces by naming them. Usable are those of the own namespace, those beside a
 * BackupStorage whose usagePolicy allows the namespace, and those that say so themselves.
 */
export function secretRefusal(
  secret: SecretName,
  namespace: string,
  storage: KubeObject | undefined,
  world: World,
): Refusal | undefined {
  if (secret.namespace === namespace || besideStorage(secret, namespace, storage, world)) return undefined;
  const live = world.observed.get({ apiVersion: "v1", kind: "Secret", ...secret });
  const allowed = (live?.metadata.annotations?.[usableFrom] ?? "").split(",").map((one) => one.trim());
  if (allowed.includes("*") || allowed.includes(namespace)) return undefined;
  return {
    message: `Secret ${secret.namespace}/${secret.name} may not be used from namespace ${namespace}`,
    next: `Name a Secret of this namespace or of its BackupStorage's, or annotate that one with ${usableFrom}: ${namespace}.`,
  };
}

function besideStorage(
  secret: SecretName,
  namespace: string,
  storage: KubeObject | undefined,
  world: World,
): boolean {
  if (storage === undefined || storage.metadata.namespace !== secret.namespace) return false;
  return storageRefusal(storage, namespace, world) === undefined;
}

/** Why a namespace may not use a BackupStorage by its usagePolicy; undefined when it may. */
export function storageRefusal(storage: KubeObject, namespace: string, world: World): string | undefined {
  const found = world.observed.get({ apiVersion: "v1", kind: "Namespace", name: namespace });
  const policy = asRecord(storage["spec"])["usagePolicy"] as UsagePolicy | undefined;
  const own = storage.metadata.namespace ?? "";
  if (usageAllowed(policy, own, { namespace, namespaceLabels: found?.metadata.labels ?? {} }))
    return undefined;
  return `BackupStorage ${own}/${storage.metadata.name} may not be used from namespace ${namespace}; check its usagePolicy`;
}

/**
 * Why Jobs of a namespace may not be given what they would read of these storages and Secrets; undefined when they
 * may. A storage's own namespace needs nobody's leave: the storage is initialised by a Job there.
 */
export function accessRefusal(
  namespace: string,
  storages: readonly KubeObject[],
  encryption: readonly SecretName[],
  world: World,
): string | undefined {
  for (const storage of storages.filter((one) => one.metadata.namespace !== namespace)) {
    const refusal = storageRefusal(storage, namespace, world);
    if (refusal !== undefined) return refusal;
  }
  for (const secret of encryption) {
    const beside = storages.find((one) => one.metadata.namespace === secret.namespace);
    const refusal = secretRefusal(secret, namespace, beside, world);
    if (refusal !== undefined) return `${refusal.message}. ${refusal.next}`;
  }
  return undefined;
}

/** Why a restic repository cannot be opened with a Secret; undefined when it can be read and has a password. */
export function missingPassword(secret: SecretName, world: World): string | undefined {
  const name = `Secret ${secret.namespace}/${secret.name}`;
  const live = world.observed.get({ apiVersion: "v1", kind: "Secret", ...secret });
  if (live === undefined) return `${name} does not exist`;
  if (live["unreadable"] === true) return `${name} cannot be read`;
  const keys = Array.isArray(live["keys"]) ? live["keys"] : [];
  return keys.includes("RESTIC_PASSWORD") ? undefined : `${name} has no key RESTIC_PASSWORD`;
}
