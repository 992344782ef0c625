import type { KubeObject } from "../../../src/api/meta.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { createBackupSession } from "../../../src/mover/trigger-backup.ts";
import {
  configMap,
  configuration,
  namespaceObject,
  password,
  retentionPolicy,
  secretObject,
} from "../lab.ts";
import { bucket, type FaultWorld } from "./fault-world.ts";

/** The S3 server behind the proxy as a BackupStorage. */
export function objectStore(
  { s3, store }: Pick<FaultWorld, "s3" | "store">,
  endpoint = store.url,
): KubeObject {
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "BackupStorage",
    metadata: { name: "store", namespace: "vault" },
    spec: {
      storage: {
        provider: "s3",
        s3: { endpoint, bucket, prefix: "lab", region: s3.region, secretName: "s3-credentials" },
      },
      usagePolicy: { allowedNamespaces: { from: "All" } },
    },
  };
}

/** One try again, at once. */
export const retried = { retryConfig: { maxRetry: 2, delay: "1s" } } as const;

/** What is saved and restored. */
export const settings = configMap("app", "settings", { mode: "0644", text: "some text ".repeat(2_000) });

/** Two namespaces, the Secrets and a ConfigMap to save; nothing is declared. */
export async function furnish(world: FaultWorld): Promise<void> {
  const { accessKeyId, secretAccessKey } = world.s3;
  for (const object of [
    namespaceObject("vault"),
    namespaceObject("app"),
    secretObject("vault", "restic-password", { RESTIC_PASSWORD: password }),
    secretObject("vault", "s3-credentials", {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    }),
    settings,
  ])
    await world.create(object);
}

/** Storage, retention that keeps one, and a configuration whose first backup is made. */
export async function settleFaultWorld(world: FaultWorld): Promise<void> {
  await furnish(world);
  world.remote.commit("Declare storage, retention and a backup", {
    "clusters/lab/storage.yaml": [objectStore(world), retentionPolicy({ successfulSnapshots: { last: 1 } })],
    "clusters/lab/app.yaml": configuration({ session: { ...retried, sessionHistoryLimit: 2 } }),
  });
  const { end, problems, failures } = await world.run();
  if (end !== "done" || failures.length > 0) throw new Error(JSON.stringify({ end, problems, failures }));
}

/** A BackupSession as the CronJob's trigger makes it; answers its name. */
export async function trigger(world: FaultWorld, name = "app-manifests"): Promise<string> {
  const configuration = await world.get("BackupConfiguration", "vault", name);
  if (configuration === undefined) throw new Error(`there is no BackupConfiguration ${name}`);
  const at = { clock: systemClock, signal: new AbortController().signal };
  return (await createBackupSession(world.kube, configuration, "often", at)).metadata.name;
}
