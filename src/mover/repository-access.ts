import { builtIn } from "../api/built-in.ts";
import { resourceOf } from "../api/kinds.ts";
import { type KubeObject, nameOf, refOf } from "../api/meta.ts";
import { HoldfastError } from "../base/errors.ts";
import { isFields } from "../base/json.ts";
import type { Objects } from "../ports/objects/objects.ts";
import type { ResticRepository } from "../ports/restic/restic.ts";
import type { JobContext } from "./job-context.ts";
import { readNeeded } from "./read-object.ts";
import { directoryOf } from "./storage/backend-layout.ts";
import { type Backend, backendOf, resticPlace, storageSecretName } from "./storage/backend-location.ts";
import { fieldsAt, textAt } from "./storage/fields.ts";
import { folderOf } from "./storage/folder.ts";
import { secretValuesOf } from "./storage/secret-values.ts";

/** A Repository with everything that is needed to open what it holds. */
export type RepositoryAccess = {
  readonly repository: KubeObject;
  readonly storage: KubeObject;
  readonly backend: Backend;
  /** Repository.spec.path as keys have it. */
  readonly directory: string;
  readonly password: string;
};

export type SecretRef = { readonly name: string; readonly namespace: string };

/** The backend of a BackupStorage with its credentials, which are read through the API and kept secret. */
export async function openBackend(context: JobContext, storage: KubeObject): Promise<Backend> {
  const secretName = storageSecretName(storage);
  const who = nameOf(refOf(storage));
  const values =
    secretName === undefined
      ? {}
      : await readSecret(context, { name: secretName, namespace: storage.metadata.namespace ?? "" }, who);
  return backendOf(storage, values, context.root);
}

export async function openStorageObjects(context: JobContext, storage: KubeObject): Promise<Objects> {
  return await context.openObjects((await openBackend(context, storage)).location);
}

/**
 * Repository, its BackupStorage and both Secrets. `encryption` (of a RestoreSession) goes before the
 * Repository's own.
 */
export async function openRepository(
  context: JobContext,
  name: { readonly namespace: string; readonly name: string },
  neededBy: string,
  encryption?: SecretRef,
): Promise<RepositoryAccess> {
  const repository = await readNeeded(context, resourceOf("Repository"), name, neededBy);
  const who = nameOf(refOf(repository));
  const storageName = textAt(repository, "spec", "storageRef", "name");
  if (storageName === undefined) throw incomplete(who, "spec.storageRef.name");
  const storageNamespace = textAt(repository, "spec", "storageRef", "namespace") ?? name.namespace;
  const storage = await readNeeded(
    context,
    resourceOf("BackupStorage"),
    { namespace: storageNamespace, name: storageName },
    who,
  );
  const backend = await openBackend(context, storage);
  const password = await readPassword(context, encryption ?? encryptionOf(repository, name.namespace), who);
  return { repository, storage, backend, directory: directoryOf(repository), password };
}

/** The restic repository at a component's path; with a cache below the pod's scratch folder when given. */
export function resticRepositoryOf(
  access: RepositoryAccess,
  path: string,
  cacheDirectory?: string,
): ResticRepository {
  const inside = folderOf(path, "path of a component");
  if (inside === "") throw incomplete(nameOf(refOf(access.repository)), "path of the component");
  return {
    ...resticPlace(access.backend, `${access.directory}/${inside}`),
    password: access.password,
    ...(cacheDirectory === undefined ? {} : { cacheDirectory }),
  };
}

export function secretRefAt(value: unknown, namespace: string): SecretRef | undefined {
  if (!isFields(value)) return undefined;
  const name = textAt(value, "name");
  return name === undefined ? undefined : { name, namespace: textAt(value, "namespace") ?? namespace };
}

function encryptionOf(repository: KubeObject, namespace: string): SecretRef {
  const ref = secretRefAt(fieldsAt(repository, "spec")["encryptionSecret"], namespace);
  if (ref === undefined) throw incomplete(nameOf(refOf(repository)), "spec.encryptionSecret");
  return ref;
}

async function readPassword(context: JobContext, ref: SecretRef, who: string): Promise<string> {
  const password = (await readSecret(context, ref, who))["RESTIC_PASSWORD"];
  if (password) return password;
  throw new HoldfastError(
    "EncryptionSecretIncomplete",
    `Secret ${ref.namespace}/${ref.name}, the encryption Secret of ${who}, has no RESTIC_PASSWORD`,
    { disposition: "stall", next: "Add the key RESTIC_PASSWORD with the repository's password." },
  );
}

async function readSecret(context: JobContext, ref: SecretRef, who: string) {
  const values = secretValuesOf(await readNeeded(context, builtIn.Secret, ref, who));
  context.secrets.add(Object.values(values));
  return values;
}

function incomplete(who: string, field: string): HoldfastError {
  return new HoldfastError("RepositoryIncomplete", `${who} has no ${field}`, {
    disposition: "stall",
    next: "Complete the repository's entry in the BackupConfiguration.",
  });
}
