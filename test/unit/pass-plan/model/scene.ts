import { catalogueAddons, catalogueFunctions } from "../../../../src/api/catalogue.ts";
import { managedByHoldfast, managedByLabel } from "../../../../src/api/labels.ts";
import type { KubeObject } from "../../../../src/api/meta.ts";

/** The objects of one small shop: what is declared, and what runs. */
export type SceneOptions = {
  readonly provider: "s3" | "local";
  /** RetentionPolicy: successful Snapshots that stay. */
  readonly keep: number;
  readonly history: number;
  readonly retries: number;
  readonly timeout: string | undefined;
  readonly wipeOut: boolean;
  /** Begins with a backup that is done, and not with nothing. */
  readonly lived: boolean;
  /** Consent to remove the data together with the objects. */
  readonly consent: boolean;
};

/** A shop with its initial backups behind it, that keeps two of everything and tries nothing again. */
export const scene: SceneOptions = {
  provider: "s3",
  keep: 2,
  history: 2,
  retries: 0,
  timeout: undefined,
  wipeOut: false,
  consent: false,
  lived: true,
};

const core = "core.kubestash.com/v1alpha1";
const storage = "storage.kubestash.com/v1alpha1";

export function namespaceObject(name: string): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

export function secretObject(namespace: string, name: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace, name },
    data: { KEY: "c2VjcmV0", RESTIC_PASSWORD: "c2VjcmV0" },
  };
}

export function deployment(namespace: string, name: string): KubeObject {
  const pod = {
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
    containers: [{ name: "main", image: "shop", volumeMounts: [{ name: "data", mountPath: "/data" }] }],
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace, name },
    spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: { spec: pod } },
  };
}

export function catalogueObjects(): readonly KubeObject[] {
  return [...catalogueAddons, ...catalogueFunctions].map((object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { [managedByLabel]: managedByHoldfast } },
  }));
}

export function backupStorage(options: SceneOptions): KubeObject {
  const place =
    options.provider === "s3"
      ? { provider: "s3", s3: { endpoint: "http://store", bucket: "b", secretName: "store-key" } }
      : { provider: "local", local: { mountPath: "/b", persistentVolumeClaim: { claimName: "backups" } } };
  return {
    apiVersion: storage,
    kind: "BackupStorage",
    metadata: { name: "store", namespace: "vault", ...consentTo("store", options) },
    spec: {
      storage: place,
      usagePolicy: { allowedNamespaces: { from: "All" } },
      deletionPolicy: options.wipeOut ? "WipeOut" : "Delete",
    },
  };
}

function consentTo(name: string, options: SceneOptions) {
  return options.consent ? { annotations: { "holdfast.dev/allow-wipe-out": name } } : {};
}

export function retentionPolicy(options: SceneOptions): KubeObject {
  return {
    apiVersion: storage,
    kind: "RetentionPolicy",
    metadata: { name: "few", namespace: "vault" },
    spec: {
      successfulSnapshots: { last: options.keep },
      failedSnapshots: { last: 1 },
      usagePolicy: { allowedNamespaces: { from: "All" } },
    },
  };
}

export const target = { apiGroup: "apps", kind: "Deployment", name: "web", namespace: "app" };

/** The shop's files and manifests, in two sessions that share one Repository. */
export function shopConfiguration(
  options: SceneOptions,
  changes: { readonly paused?: boolean; readonly accept?: string } = {},
): KubeObject {
  const { accept, paused } = changes;
  const consent = consentTo("web", options);
  const tasks = [{ name: "logical-backup", params: { paths: "/data" } }, { name: "manifest-backup" }];
  const session = (name: string, only: readonly unknown[]) => ({
    name,
    scheduler: { schedule: "*/30 * * * *", jobTemplate: {} },
    ...(options.retries === 0 ? {} : { retryConfig: { maxRetry: options.retries, delay: "1m" } }),
    ...(options.timeout === undefined ? {} : { backupTimeout: options.timeout }),
    sessionHistoryLimit: options.history,
    addon: { name: "workload-addon", tasks: only },
    repositories: [
      {
        name: "web-repo",
        backend: "main",
        directory: "/web",
        encryptionSecret: { name: "restic-key", namespace: "app" },
        deletionPolicy: options.wipeOut ? "WipeOut" : "Delete",
      },
    ],
  });
  return {
    apiVersion: core,
    kind: "BackupConfiguration",
    metadata: {
      name: "web",
      namespace: "app",
      annotations: {
        ...consent.annotations,
        ...(accept === undefined ? {} : { "holdfast.dev/accept-shrink": accept }),
      },
    },
    spec: {
      target,
      ...(paused === true ? { paused } : {}),
      backends: [
        {
          name: "main",
          storageRef: { name: "store", namespace: "vault" },
          retentionPolicy: { name: "few", namespace: "vault" },
        },
      ],
      sessions: [session("often", tasks), session("files", tasks.slice(0, 1))],
    },
  };
}

export function restoreSession(name: string, snapshot: string, timeout?: string): KubeObject {
  return {
    apiVersion: core,
    kind: "RestoreSession",
    metadata: { name, namespace: "app" },
    spec: {
      target,
      ...(timeout === undefined ? {} : { restoreTimeout: timeout }),
      dataSource: { repository: "web-repo", snapshot },
      addon: {
        name: "workload-addon",
        tasks: [{ name: "logical-backup-restore" }, { name: "manifest-restore" }],
      },
    },
  };
}
