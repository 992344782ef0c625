import { errorText } from "../../api/field-error.ts";
import type { KubeObject } from "../../api/meta.ts";
import { validateObject } from "../../api/validate.ts";
import { asRecord } from "../../base/json.ts";
import { storageOf } from "./kinds/repository.ts";
import { restoreSecret, sourceRepository } from "./kinds/restore-source.ts";
import { unknownParameters } from "./resolve-task.ts";
import { secretRefusal, storageRefusal } from "./secret-use.ts";
import type { World } from "./world.ts";

/** What stands against a RestoreSession: rules of its own fields, parameters that no task knows, usage policies. */
export function restoreErrors(restore: KubeObject, world: World): readonly string[] {
  const addonInfo = asRecord(asRecord(restore["spec"])["addon"]);
  return [
    ...validateObject(restore)
      .filter((error) => error.severity === "error")
      .map(errorText),
    ...usageErrors(restore, world),
    ...unknownParameters(addonInfo, "restore", world).map(
      (name) => `no task of the addon has the parameter ${name}`,
    ),
  ];
}

/** The BackupStorage must allow the namespace that restores, and the encryption Secret must be there for it. */
function usageErrors(restore: KubeObject, world: World): readonly string[] {
  const namespace = restore.metadata.namespace ?? "";
  const repository = sourceRepository(restore, world);
  const storage = repository === undefined ? undefined : storageOf(repository, world);
  if (repository === undefined || storage === undefined) return [];
  const secret = restoreSecret(restore, repository);
  const refusal = secret && secretRefusal(secret, namespace, storage, world);
  const refused = refusal === undefined ? [] : [`${refusal.message}. ${refusal.next}`];
  const closed = storageRefusal(storage, namespace, world);
  return closed === undefined ? refused : [...refused, closed];
}
