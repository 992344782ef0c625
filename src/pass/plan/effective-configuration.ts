import type { BackupConfiguration } from "../../api/backup-configuration.ts";
import type { BackupStorage } from "../../api/backup-storage.ts";
import { defaultBackends } from "../../api/defaults.ts";
import type { KubeObject } from "../../api/meta.ts";
import type { RetentionPolicy } from "../../api/retention-policy.ts";
import type { World } from "./world.ts";

/** Objects that a BackupConfiguration may refer to; what is observed has passed the schema of its CRD. */
export function holdersFor(configuration: KubeObject, world: World) {
  const name = configuration.metadata.namespace ?? "";
  const namespace = world.observed.get({ apiVersion: "v1", kind: "Namespace", name });
  return {
    storages: world.observed.list("BackupStorage") as readonly KubeObject[] as readonly BackupStorage[],
    retentionPolicies: world.observed.list(
      "RetentionPolicy",
    ) as readonly KubeObject[] as readonly RetentionPolicy[],
    namespaceLabels: namespace?.metadata.labels ?? {},
  };
}

/** A BackupConfiguration as it works: with the default BackupStorage and RetentionPolicy where it names none. */
export function effectiveConfiguration(configuration: KubeObject, world: World): KubeObject {
  const made = defaultBackends(configuration as BackupConfiguration, holdersFor(configuration, world));
  return world.observed.derived.asMadeBefore(configuration, made);
}
