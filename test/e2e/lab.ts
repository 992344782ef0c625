import { join } from "node:path";
import type { KubeObject } from "../../src/api/meta.ts";
import type { HoldfastWorld } from "../support/holdfast-world.ts";

/** A schedule that does not come due while a test runs; sessions are made by hand where one is wanted. */
export const never = "0 0 29 2 *";
export const password = "a password of the tests";

export function namespaceObject(name: string): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

export function secretObject(
  namespace: string,
  name: string,
  values: Readonly<Record<string, string>>,
): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, stringData: values };
}

export function configMap(
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>>,
): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data };
}

/** A Deployment `web` with the claim `web-data` at /data. */
export function webDeployment(namespace: string): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          containers: [
            {
              name: "web",
              image: "registry.example.com/web:1",
              volumeMounts: [{ name: "data", mountPath: "/data" }],
            },
          ],
          volumes: [{ name: "data", persistentVolumeClaim: { claimName: "web-data" } }],
        },
      },
    },
  };
}

/** A BackupStorage in a folder of the node, open to every namespace. */
export function localStorage(
  world: HoldfastWorld,
  changes: Readonly<Record<string, unknown>> = {},
): KubeObject {
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "BackupStorage",
    metadata: { name: "store", namespace: "vault" },
    spec: {
      storage: {
        provider: "local",
        local: { hostPath: { path: backendFolder(world), type: "DirectoryOrCreate" }, mountPath: "/backend" },
      },
      usagePolicy: { allowedNamespaces: { from: "All" } },
      ...changes,
    },
  };
}

export function backendFolder(world: HoldfastWorld): string {
  return join(world.remote.tree, "..", "backend");
}

export function retentionPolicy(
  spec: Readonly<Record<string, unknown>> = { successfulSnapshots: { last: 5 } },
): KubeObject {
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "RetentionPolicy",
    metadata: { name: "keep", namespace: "vault" },
    spec: { ...spec, usagePolicy: { allowedNamespaces: { from: "All" } } },
  };
}

export type ConfigurationRequest = {
  readonly namespace?: string;
  readonly name?: string;
  readonly target?: unknown;
  readonly addon?: unknown;
  readonly storage?: string;
  readonly repository?: string;
  readonly directory?: string;
  readonly session?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly repositoryFields?: Readonly<Record<string, unknown>>;
};

/** A BackupConfiguration; by default of the manifests of namespace `app`. */
export function configuration(request: ConfigurationRequest = {}): KubeObject {
  const {
    namespace = "vault",
    name = "app-manifests",
    storage = "store",
    repository = "app-manifests",
    directory = "/app/manifests",
  } = request;
  return {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "BackupConfiguration",
    metadata: { name, namespace, ...(request.annotations ? { annotations: request.annotations } : {}) },
    spec: {
      ...(request.target === undefined ? {} : { target: request.target }),
      backends: [
        {
          name: "main",
          storageRef: { name: storage, namespace: "vault" },
          retentionPolicy: { name: "keep", namespace: "vault" },
        },
      ],
      sessions: [
        {
          name: "often",
          scheduler: { schedule: never, jobTemplate: {} },
          sessionHistoryLimit: 5,
          repositories: [
            {
              name: repository,
              backend: "main",
              directory,
              encryptionSecret: { name: "restic-password", namespace: "vault" },
              ...request.repositoryFields,
            },
          ],
          addon: request.addon ?? {
            name: "kubedump-addon",
            tasks: [{ name: "manifest-backup", params: { IncludeNamespaces: "app" } }],
          },
          ...request.session,
        },
      ],
    },
  };
}

export function restore(name: string, changes: Readonly<Record<string, unknown>> = {}): KubeObject {
  return {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "RestoreSession",
    metadata: { name, namespace: "vault" },
    spec: {
      dataSource: { repository: "app-manifests", snapshot: "latest" },
      addon: {
        name: "kubedump-addon",
        tasks: [{ name: "manifest-restore", params: { IncludeNamespaces: "app" } }],
      },
      ...changes,
    },
  };
}

/** What most tests start from: two namespaces, a password, a ConfigMap to save, storage and one configuration. */
export async function settle(world: HoldfastWorld): Promise<void> {
  for (const object of [
    namespaceObject("vault"),
    namespaceObject("app"),
    secretObject("vault", "restic-password", { RESTIC_PASSWORD: password }),
    configMap("app", "settings", { mode: "0644" }),
  ])
    await world.create(object);
  world.remote.commit("Declare storage, retention and a backup", {
    "clusters/lab/storage.yaml": [localStorage(world), retentionPolicy()],
    "clusters/lab/app.yaml": configuration(),
  });
}

let sessions = 0;

/** A BackupSession as the CronJob would make it. */
export async function triggerSession(
  world: HoldfastWorld,
  namespace = "vault",
  invoker = "app-manifests",
): Promise<string> {
  sessions += 1;
  const name = `${invoker}-often-${Math.floor(Date.now() / 1000) + sessions}`;
  const owner = await world.get("BackupConfiguration", namespace, invoker);
  await world.create({
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "BackupSession",
    metadata: {
      name,
      namespace,
      ownerReferences: [
        {
          apiVersion: "core.kubestash.com/v1alpha1",
          kind: "BackupConfiguration",
          name: invoker,
          uid: owner?.metadata.uid ?? "",
          controller: true,
        },
      ],
    },
    spec: {
      invoker: { apiGroup: "core.kubestash.com", kind: "BackupConfiguration", name: invoker },
      session: "often",
      retryLeft: 0,
    },
  });
  return name;
}

export function field(object: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (at, name) => (typeof at === "object" && at !== null ? Reflect.get(at, name) : undefined),
    object,
  );
}

export function phase(object: unknown): unknown {
  return field(object, "status", "phase");
}

export function conditionMessage(object: unknown, type: string): string | undefined {
  const conditions = field(object, "status", "conditions");
  const found = Array.isArray(conditions) ? conditions.find((one) => one.type === type) : undefined;
  return found === undefined ? undefined : `${found.status} ${found.reason}: ${found.message ?? ""}`;
}
