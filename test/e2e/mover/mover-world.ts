import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtIn } from "../../../src/api/built-in.ts";
import { resourceOf } from "../../../src/api/kinds.ts";
import { apiVersionOf, type KubeObject, type Resource } from "../../../src/api/meta.ts";
import type { TypedObjectReference } from "../../../src/api/references.ts";
import type { Snapshot, SnapshotComponent } from "../../../src/api/snapshot.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { JobPorts } from "../../../src/mover/job-context.ts";
import { runJob } from "../../../src/mover/run-job.ts";
import { connectKube, type KubeConnection } from "../../../src/ports/kube/connect-kube.ts";
import { openObjects } from "../../../src/ports/objects/open-objects.ts";
import { createRestic } from "../../../src/ports/restic/create-restic.ts";
import type { Restic, ResticRepository } from "../../../src/ports/restic/restic.ts";
import { installKinds } from "../../../src/shells/install-kinds.ts";
import type { KubeAccess } from "../../support/kube-apiserver.ts";
import { rawKube } from "../../support/raw-kube.ts";
import { sharedKube } from "../../support/shared-kube.ts";

const write = { manager: "test" };
export const password = "correct horse battery staple";

/** A cluster with our kinds, a pod's file system below a folder, and a namespace with a storage and its Secrets. */
export type MoverWorld = {
  readonly kube: KubeConnection;
  readonly restic: Restic;
  /** Stands for `/` of the pod. */
  readonly root: string;
  /** Unique in this run. */
  readonly tag: string;
  /** Namespace of storage, Secrets, repositories and sessions. */
  readonly vault: string;
  readonly log: string[];
  /** Runs a job; answers its exit code. */
  job(
    name: string,
    component: string,
    flags: Readonly<Record<string, string>>,
    ports?: Partial<JobPorts>,
  ): Promise<number>;
  terminationMessage(): Promise<string>;
  /** A connection as a ServiceAccount that may do only this, in the whole cluster. */
  connectAs(rules: readonly object[], account?: string): Promise<KubeConnection>;
  create(resource: Resource, object: Omit<KubeObject, "apiVersion" | "kind">): Promise<KubeObject>;
  get(resource: Resource, namespace: string, name: string): Promise<KubeObject>;
  /** status.components[X] of a Snapshot of the vault. */
  component(snapshot: string, name: string): Promise<SnapshotComponent>;
  makeNamespace(name: string): Promise<void>;
  /** Deletes it and waits until it is gone. */
  removeNamespace(name: string): Promise<void>;
  /** A Repository, a BackupSession and its Snapshot, as the operator makes them. */
  session(given: SessionRequest): Promise<{ readonly session: string; readonly snapshot: string }>;
  /** A RestoreSession of a Snapshot of the vault. */
  restore(name: string, fields?: Readonly<Record<string, unknown>>): Promise<void>;
  /** The restic repository of a component, as a plain restic would open it. */
  resticRepository(path: string): ResticRepository;
  close(): Promise<void>;
};

export type SessionRequest = {
  readonly repository: string;
  readonly path?: string;
  readonly at: number;
  readonly storage?: string;
  readonly session?: string;
  /** spec.target of the BackupConfiguration; none when absent. */
  readonly target?: TypedObjectReference;
};

async function connectAs(
  access: KubeAccess,
  create: MoverWorld["create"],
  { name, namespace }: { readonly name: string; readonly namespace: string },
  rules: readonly object[],
): Promise<KubeConnection> {
  await create(builtIn.ServiceAccount, { metadata: { name, namespace } });
  await create(builtIn.ClusterRole, { metadata: { name }, rules });
  await create(builtIn.ClusterRoleBinding, {
    metadata: { name },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
  });
  const raw = rawKube(access);
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const answer = await raw.request("POST", path, { body });
  await raw.close();
  const kubeconfigText = JSON.stringify({
    "current-context": "it",
    contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
    clusters: [
      {
        name: "it",
        cluster: {
          server: access.url,
          "certificate-authority-data": Buffer.from(access.ca).toString("base64"),
        },
      },
    ],
    users: [{ name: "it", user: { token: answer.body.status.token } }],
  });
  return await connectKube({ kubeconfigText });
}

/** On the API server that all files share, or on one of the test's own. */
export async function startMoverWorld(own?: KubeAccess): Promise<MoverWorld> {
  const access = own ?? (await sharedKube({ controllers: true }));
  // A server of its own has nobody else to answer.
  const rate = own === undefined ? {} : { qps: 1_000, burst: 2_000 };
  const kube = await connectKube({ kubeconfigPath: access.kubeconfigPath, ...rate });
  const tag = randomBytes(4).toString("hex");
  const root = await mkdtemp(join(tmpdir(), "holdfast-mover-"));
  await mkdir(join(root, "backend"));
  await installKinds(kube, systemClock, AbortSignal.timeout(30_000));
  const environment = { PATH: process.env["PATH"] ?? "", HOME: root };
  const restic = createRestic({ environment, clock: systemClock });
  const world = worldOf({ access, kube, restic, root, tag });
  await world.makeNamespace(world.vault);
  const data = (fields: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, Buffer.from(value).toString("base64")]),
    );
  await world.create(builtIn.Secret, {
    metadata: { name: "restic-key", namespace: world.vault },
    data: data({ RESTIC_PASSWORD: password }),
  });
  await world.create(resourceOf("BackupStorage"), {
    metadata: { name: "main", namespace: world.vault },
    spec: {
      storage: { provider: "local", local: { hostPath: { path: "/srv" }, mountPath: "/backend" } },
      usagePolicy: { allowedNamespaces: { from: "All" } },
    },
  });
  return world;
}

type Given = Pick<MoverWorld, "kube" | "restic" | "root" | "tag"> & { readonly access: KubeAccess };

function worldOf(given: Given): MoverWorld {
  const { kube, restic, root, tag } = given;
  const vault = `vault-${tag}`;
  const log: string[] = [];
  const create: MoverWorld["create"] = async (resource, object) =>
    await kube.create(
      resource,
      { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object } as KubeObject,
      write,
    );
  const get: MoverWorld["get"] = async (resource, namespace, name) => {
    const found = await kube.get(resource, namespace === "" ? { name } : { namespace, name });
    if (found === undefined) throw new Error(`there is no ${resource.kind} ${namespace}/${name}`);
    return found;
  };
  return {
    kube,
    restic,
    root,
    tag,
    vault,
    log,
    create,
    get,
    async job(name, component, flags, ports = {}) {
      const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
      return await runJob(name, args, {
        kube,
        restic,
        openObjects,
        clock: systemClock,
        root,
        environment: { COMPONENT_NAME: component },
        version: "test",
        log: (line) => log.push(line),
        signal: AbortSignal.timeout(120_000),
        ...ports,
      });
    },
    terminationMessage: async () => await readFile(join(root, "dev", "termination-log"), "utf8"),
    async component(snapshot, name) {
      const { status } = (await get(resourceOf("Snapshot"), vault, snapshot)) as Partial<Snapshot>;
      const component = status?.components?.[name];
      if (component === undefined) throw new Error(`Snapshot ${snapshot} has no component ${name}`);
      return component;
    },
    async makeNamespace(name) {
      await create(builtIn.Namespace, { metadata: { name } });
    },
    async removeNamespace(name) {
      await kube.delete(builtIn.Namespace, { name });
      for (let wait = 0; wait < 300; wait += 1) {
        if ((await kube.get(builtIn.Namespace, { name })) === undefined) return;
        await systemClock.sleep(100);
      }
      throw new Error(`namespace ${name} does not go away`);
    },
    connectAs: async (rules, name = `limited-${tag}`) =>
      await connectAs(given.access, create, { name, namespace: vault }, rules),
    session: async (request) => await makeSession({ kube, create, vault }, request),
    async restore(name, fields = {}) {
      const { dataSource, ...rest } = fields as { dataSource?: object };
      await create(resourceOf("RestoreSession"), {
        metadata: { name, namespace: vault },
        spec: {
          dataSource: { snapshot: "given-by-flag", ...dataSource },
          addon: { name: "x", tasks: [{ name: "y" }] },
          ...rest,
        },
      });
    },
    resticRepository: (path) => ({ url: join(root, "backend", path), password, environment: {} }),
    async close() {
      await kube.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** The BackupConfiguration of a target, of which a Job reads only that. */
async function ensureConfiguration(
  { kube, create, vault: namespace }: Pick<MoverWorld, "kube" | "create" | "vault">,
  session: string,
  target: TypedObjectReference | undefined,
): Promise<string> {
  const kind = resourceOf("BackupConfiguration");
  const name = target === undefined ? "bc" : `bc-${(target.kind ?? "").toLowerCase()}-${target.name}`;
  if ((await kube.get(kind, { namespace, name })) !== undefined) return name;
  const addon = { name: "kubedump-addon", tasks: [{ name: "manifest-backup" }] };
  const repositories = [{ name: "repository", directory: "/repository" }];
  const sessions = [{ name: session, addon, repositories }];
  await create(kind, {
    metadata: { name, namespace },
    spec: { sessions, ...(target === undefined ? {} : { target }) },
  });
  return name;
}

async function makeSession(
  world: Pick<MoverWorld, "kube" | "create" | "vault">,
  { repository, path, at, storage = "main", session = "nightly", target }: SessionRequest,
) {
  const { kube, create, vault: namespace } = world;
  const app = { apiGroup: "na", name: "na" };
  if ((await kube.get(resourceOf("Repository"), { namespace, name: repository })) === undefined) {
    await create(resourceOf("Repository"), {
      metadata: { name: repository, namespace },
      spec: {
        appRef: app,
        storageRef: { name: storage },
        path: path ?? `/${repository}`,
        encryptionSecret: { name: "restic-key" },
      },
    });
  }
  const invoker = await ensureConfiguration(world, session, target);
  const name = `bc-${session}-${at}`;
  const snapshot = `${repository}-${name}`;
  const known = await kube.get(resourceOf("BackupSession"), { namespace, name });
  if (known === undefined) {
    await create(resourceOf("BackupSession"), {
      metadata: { name, namespace },
      spec: {
        invoker: { apiGroup: "core.kubestash.com", kind: "BackupConfiguration", name: invoker },
        session,
      },
    });
  }
  await create(resourceOf("Snapshot"), {
    metadata: { name: snapshot, namespace },
    spec: {
      snapshotID: `01${at}${repository}`,
      type: "FullBackup",
      version: "v1",
      repository,
      session,
      backupSession: name,
      appRef: app,
    },
  });
  const others =
    (known?.["status"] as { snapshots?: readonly { name: string }[] } | undefined)?.snapshots ?? [];
  await kube.mergePatch(
    resourceOf("BackupSession"),
    { namespace, name },
    { status: { snapshots: [...others, { name: snapshot, repository }] } },
    { ...write, subresource: "status" },
  );
  return { session: name, snapshot };
}
