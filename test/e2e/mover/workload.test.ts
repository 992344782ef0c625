import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import { resourceOf } from "../../../src/api/kinds.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { type S3Server, startS3 } from "../../support/s3.ts";
import { type MoverWorld, password, startMoverWorld } from "./mover-world.ts";

const runs = requireOrSkip("kube-apiserver", "etcd", "kube-controller-manager", "restic", "versitygw");
let world: MoverWorld;
let s3: S3Server;
let shop: string;

beforeAll(async () => {
  if (!runs) return;
  world = await startMoverWorld();
  s3 = await startS3();
  await s3.createBucket("holdfast");
  shop = `shop-${world.tag}`;
  await world.makeNamespace(shop);
}, 60_000);
afterAll(async () => {
  await s3?.stop();
  await world?.close();
});

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe.runIf(runs)("trigger-backup", () => {
  const flags = () => ({
    "invoker-kind": "BackupConfiguration",
    "invoker-namespace": world.vault,
    "invoker-name": "bc",
    "session-name": "nightly",
  });

  it("creates one session of the BackupConfiguration, owned by it", async () => {
    const session = {
      name: "nightly",
      scheduler: { schedule: "0 2 * * *", jobTemplate: {} },
      retryConfig: { maxRetry: 2, delay: "1m" },
      backupTimeout: "30m",
      addon: { name: "workload-addon", tasks: [{ name: "manifest-backup" }] },
      repositories: [
        { name: "s3-repo", backend: "main", directory: "/s3", encryptionSecret: { name: "restic-key" } },
      ],
    };
    const configuration = await world.create(resourceOf("BackupConfiguration"), {
      metadata: { name: "bc", namespace: world.vault, labels: { team: "orders" } },
      spec: {
        target: { apiGroup: "apps", kind: "StatefulSet", name: "db", namespace: shop },
        backends: [{ name: "main", storageRef: { name: "s3" } }],
        sessions: [session],
      },
    });
    expect(await world.job("trigger-backup", "", flags())).toBe(0);
    const name = /BackupSession \S+\/(\S+)/.exec(await world.terminationMessage())?.[1] ?? "";
    expect(name).toMatch(/^bc-nightly-\d{10}$/);
    expect(await world.get(resourceOf("BackupSession"), world.vault, name)).toMatchObject({
      metadata: {
        labels: {
          team: "orders",
          "kubestash.com/invoker-name": "bc",
          "kubestash.com/session-name": "nightly",
        },
        ownerReferences: [
          { kind: "BackupConfiguration", name: "bc", uid: configuration.metadata.uid, controller: true },
        ],
      },
      spec: {
        invoker: { apiGroup: "core.kubestash.com", kind: "BackupConfiguration", name: "bc" },
        session: "nightly",
        retryLeft: 2,
        backupTimeout: "30m",
      },
    });
  });

  it("names the sessions that there are", async () => {
    expect(await world.job("trigger-backup", "", { ...flags(), "session-name": "hourly" })).toBe(1);
    expect(await world.terminationMessage()).toContain("has no session hourly; it has nightly");
  });
});

describe.runIf(runs)("manifests of one workload, in S3", () => {
  let keys: string[] = [];

  it("are saved with what the workload refers to, and with the roles of its account", async () => {
    await makeStorage();
    await makeDatabase();
    const { session, snapshot } = await world.session({
      repository: "s3-repo",
      path: "/s3",
      storage: "s3",
      at: 3000,
    });
    const flags = { namespace: world.vault, backupsession: session, "include-rbac-resources": "true" };
    expect(await world.job("manifest-backup", "manifest", flags)).toBe(0);
    const found = await world.get(resourceOf("Snapshot"), world.vault, snapshot);
    const component = (
      found["status"] as { components: Record<string, { resticStats: { summary: { id: string } }[] }> }
    ).components["manifest"];
    const repository = {
      url: `s3:${s3.endpoint}/holdfast/lab/s3/repository/v1/nightly/manifest`,
      password,
      environment: { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey },
    };
    for await (const node of world.restic.list(repository, component?.resticStats[0]?.summary.id ?? "")) {
      if (node.type === "file") keys.push(node.path.replace("/kubestash-tmp/manifest/", ""));
    }
    keys = keys.toSorted();
    expect(keys).toEqual([
      `configmaps/namespaces/${shop}/settings.yaml`,
      `persistentvolumeclaims/namespaces/${shop}/data-db-0.yaml`,
      `rolebindings.rbac.authorization.k8s.io/namespaces/${shop}/db.yaml`,
      `roles.rbac.authorization.k8s.io/namespaces/${shop}/db.yaml`,
      `secrets/namespaces/${shop}/login.yaml`,
      `serviceaccounts/namespaces/${shop}/db.yaml`,
      `services/namespaces/${shop}/db.yaml`,
      `statefulsets.apps/namespaces/${shop}/db.yaml`,
    ]);
    expect(world.log.join("\n")).toContain(`ConfigMap ${shop}/optional is referred to and does not exist`);
    expect(world.log.join("\n")).not.toContain(s3.secretAccessKey);
  });

  it("go into another namespace when asked, and roles only when asked", async () => {
    const copy = `copy-${world.tag}`;
    await world.restore("copy", { manifestOptions: { workload: { restoreNamespace: copy } } });
    const flags = { namespace: world.vault, restoresession: "copy", snapshot: "s3-repo-bc-nightly-3000" };
    expect(await world.job("manifest-restore", "manifest", flags)).toBe(0);
    expect(await world.get(builtIn.StatefulSet, copy, "db")).toMatchObject({ spec: { replicas: 1 } });
    expect(await world.get(builtIn.Secret, copy, "login")).toMatchObject({
      data: { password: base64("s3cret") },
    });
    expect(await world.kube.get(builtIn.Role, { namespace: copy, name: "db" })).toBeUndefined();

    await world.restore("copy-rbac", { manifestOptions: { workload: { restoreNamespace: copy } } });
    const rbac = { ...flags, restoresession: "copy-rbac", "include-rbac-resources": "true" };
    expect(await world.job("manifest-restore", "manifest", rbac)).toBe(0);
    expect(await world.get(builtIn.RoleBinding, copy, "db")).toMatchObject({
      subjects: [{ kind: "ServiceAccount", name: "db", namespace: copy }],
    });
  });

  it("of a workload that is not there cannot be saved, and say so", async () => {
    await world.kube.delete(builtIn.StatefulSet, { namespace: shop, name: "db" });
    const { session } = await world.session({ repository: "s3-repo", storage: "s3", at: 3001 });
    expect(
      await world.job("manifest-backup", "manifest", { namespace: world.vault, backupsession: session }),
    ).toBe(1);
    expect(await world.terminationMessage()).toContain(`there is no StatefulSet.apps ${shop}/db`);
  });
});

async function makeStorage(): Promise<void> {
  await world.create(builtIn.Secret, {
    metadata: { name: "s3-cred", namespace: world.vault },
    data: { AWS_ACCESS_KEY_ID: base64(s3.accessKeyId), AWS_SECRET_ACCESS_KEY: base64(s3.secretAccessKey) },
  });
  const { endpoint, region } = s3;
  await world.create(resourceOf("BackupStorage"), {
    metadata: { name: "s3", namespace: world.vault },
    spec: {
      storage: {
        provider: "s3",
        s3: { endpoint, region, bucket: "holdfast", prefix: "lab", secretName: "s3-cred" },
      },
    },
  });
}

async function makeDatabase(): Promise<void> {
  const namespace = shop;
  await world.create(builtIn.ConfigMap, { metadata: { name: "settings", namespace }, data: { mode: "on" } });
  await world.create(builtIn.ConfigMap, { metadata: { name: "unrelated", namespace }, data: { a: "1" } });
  await world.create(builtIn.Secret, {
    metadata: { name: "login", namespace },
    data: { password: base64("s3cret") },
  });
  await world.create(builtIn.ServiceAccount, { metadata: { name: "db", namespace } });
  await world.create(builtIn.Role, {
    metadata: { name: "db", namespace },
    rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get"] }],
  });
  await world.create(builtIn.RoleBinding, {
    metadata: { name: "db", namespace },
    subjects: [{ kind: "ServiceAccount", name: "db", namespace }],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "db" },
  });
  await world.create(builtIn.PersistentVolumeClaim, {
    metadata: { name: "data-db-0", namespace },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  });
  await world.create(builtIn.PersistentVolumeClaim, {
    metadata: { name: "data-db-1", namespace },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  });
  await world.create(builtIn.Service, {
    metadata: { name: "db", namespace },
    spec: { clusterIP: "None", selector: { app: "db" }, ports: [{ port: 5432 }] },
  });
  const claim = {
    metadata: { name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  };
  await world.create(builtIn.StatefulSet, {
    metadata: { name: "db", namespace },
    spec: {
      replicas: 1,
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      volumeClaimTemplates: [claim],
      template: {
        metadata: { labels: { app: "db" } },
        spec: {
          serviceAccountName: "db",
          volumes: [
            { name: "x", projected: { sources: [{ configMap: { name: "optional", optional: true } }] } },
          ],
          containers: [
            {
              name: "db",
              image: "registry.example.com/db:1",
              envFrom: [{ configMapRef: { name: "settings" } }],
              env: [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name: "login", key: "password" } } }],
            },
          ],
        },
      },
    },
  });
}
