import type { Session } from "./backup-configuration.ts";
import { backupSessionKind } from "./backup-session.ts";
import { cleanupFinalizer, kubestashLabels, labelValue, offshootLabels, recordFinalizer } from "./labels.ts";
import { apiVersionOf, type KubeObject, ownerOf } from "./meta.ts";
import { backupSessionName } from "./names.ts";

type Settings = Pick<Session, "name" | "retryConfig" | "backupTimeout">;

/**
 * The BackupSession `<configuration>-<session>-<unix seconds>`, as the trigger, a retry, the first pass and a person
 * make it: made twice in one second it is one. Without `retryLeft` it has all of its session's retries.
 */
export function newBackupSession(
  configuration: KubeObject,
  session: Settings,
  { atMs, retryLeft = retriesOf(session) }: { readonly atMs: number; readonly retryLeft?: number },
): KubeObject {
  const { resource } = backupSessionKind;
  const { name, namespace } = configuration.metadata;
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: {
      name: backupSessionName(name, session.name, Math.floor(atMs / 1000)),
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...offshootLabels(configuration), [kubestashLabels.sessionName]: labelValue(session.name) },
      ownerReferences: [ownerOf(configuration)],
      finalizers: [cleanupFinalizer, recordFinalizer],
    },
    spec: {
      invoker: { apiGroup: resource.group, kind: configuration.kind, name },
      session: session.name,
      retryLeft,
      ...(session.backupTimeout === undefined ? {} : { backupTimeout: session.backupTimeout }),
    },
  };
}

/** None without a retryConfig; one where that does not say how many. */
function retriesOf({ retryConfig }: Settings): number {
  return retryConfig === undefined ? 0 : (retryConfig.maxRetry ?? 1);
}
