import { builtIn } from "../../../src/api/built-in.ts";
import { kinds } from "../../../src/api/kinds.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import type { HoldfastWorld } from "../../support/holdfast-world.ts";
import type { S3Server } from "../../support/s3.ts";
import { field, password, phase, secretObject } from "../lab.ts";

/** Every version of every object that a watch has shown, oldest first. */
export class History {
  private readonly versions = new Map<string, KubeObject[]>();
  private readonly ending = new AbortController();
  private readonly followers: Promise<void>[];

  constructor(world: HoldfastWorld) {
    const resources = [
      ...kinds.map(({ resource }) => resource),
      builtIn.CronJob,
      builtIn.Job,
      builtIn.ServiceAccount,
      builtIn.RoleBinding,
    ];
    this.followers = resources.map(async (resource) => {
      for await (const change of world.kube.follow(resource, { signal: this.ending.signal })) {
        const objects =
          change.kind === "listed" ? change.items : change.kind === "put" ? [change.object] : [];
        for (const object of objects) this.note(object);
      }
    });
  }

  private note(object: KubeObject): void {
    const key = `${object.kind}/${object.metadata.namespace ?? ""}/${object.metadata.name}`;
    const known = this.versions.get(key) ?? [];
    if (known.at(-1)?.metadata.resourceVersion !== object.metadata.resourceVersion) known.push(object);
    this.versions.set(key, known);
  }

  of(kind: string, namespace: string, name: string): readonly KubeObject[] {
    return this.versions.get(`${kind}/${namespace}/${name}`) ?? [];
  }

  all(kind: string, namespace: string): readonly (readonly KubeObject[])[] {
    return [...this.versions]
      .filter(([key]) => key.startsWith(`${kind}/${namespace}/`))
      .map(([, list]) => list);
  }

  last(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.of(kind, namespace, name).at(-1);
  }

  async close(): Promise<void> {
    this.ending.abort();
    await Promise.all(this.followers);
  }
}

/** Names of the sessions that have succeeded, in the order in which they were first seen. */
export function succeeded(history: History, namespace: string): readonly string[] {
  return history
    .all("BackupSession", namespace)
    .map((versions) => versions.at(-1))
    .filter((session) => phase(session) === "Succeeded")
    .map((session) => session?.metadata.name ?? "");
}

/** A condition as `status reason`. */
export function condition(object: unknown, type: string): string | undefined {
  const conditions = field(object, "status", "conditions");
  const found = Array.isArray(conditions) ? conditions.find((one) => one.type === type) : undefined;
  return found === undefined ? undefined : `${found.status} ${found.reason}`;
}

export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 150_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not happen in ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export const bucket = "backups";

export function credentials(namespace: string, s3: S3Server): KubeObject {
  return secretObject(namespace, "s3-credentials", {
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  });
}

export function encryption(namespace: string): KubeObject {
  return secretObject(namespace, "restic-password", { RESTIC_PASSWORD: password });
}

export function storage(namespace: string, prefix: string, s3: S3Server): KubeObject {
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "BackupStorage",
    metadata: { name: "store", namespace },
    spec: {
      storage: {
        provider: "s3",
        s3: { endpoint: s3.endpoint, bucket, prefix, region: s3.region, secretName: "s3-credentials" },
      },
      usagePolicy: { allowedNamespaces: { from: "All" } },
    },
  };
}

export function retention(namespace: string): KubeObject {
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "RetentionPolicy",
    metadata: { name: "few", namespace },
    spec: { successfulSnapshots: { last: 3 }, usagePolicy: { allowedNamespaces: { from: "All" } } },
  };
}

type Session = {
  readonly target?: unknown;
  readonly addon: unknown;
  readonly directory: string;
  readonly repository: string;
};

export function configuration(
  namespace: string,
  name: string,
  { target, addon, directory, repository }: Session,
): KubeObject {
  return {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "BackupConfiguration",
    metadata: { name, namespace },
    spec: {
      ...(target === undefined ? {} : { target }),
      backends: [
        {
          name: "main",
          storageRef: { name: "store", namespace },
          retentionPolicy: { name: "few", namespace },
        },
      ],
      sessions: [
        {
          name: "often",
          scheduler: { schedule: "* * * * *", jobTemplate: {} },
          sessionHistoryLimit: 5,
          repositories: [
            {
              name: repository,
              backend: "main",
              directory,
              encryptionSecret: { name: "restic-password", namespace },
            },
          ],
          addon,
        },
      ],
    },
  };
}
