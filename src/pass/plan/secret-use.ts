import { usableFrom } from "../../api/labels.ts";
import type { KubeObject } from "../../api/meta.ts";
import { type UsagePolicy, usageAllowed } from "../../api/usage-policy.ts";
import { encryptionSecretOf, type SecretName, storageOf } from "./kinds/repository.ts";
import { asRecord } from "./targets.ts";
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
  const found = world.observed.get({ apiVersion: "v1", kind: "Namespace", name: namespace });
  const policy = asRecord(storage["spec"])["usagePolicy"] as UsagePolicy | undefined;
  const referrer = { namespace, namespaceLabels: found?.metadata.labels ?? {} };
  return usageAllowed(policy, secret.namespace, referrer);
}

/** The same of the Secret that a Repository itself names. */
export function repositorySecretRefusal(
  repository: KubeObject,
  namespace: string,
  world: World,
): Refusal | undefined {
  const secret = encryptionSecretOf(repository);
  return secret && secretRefusal(secret, namespace, storageOf(repository, world), world);
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
