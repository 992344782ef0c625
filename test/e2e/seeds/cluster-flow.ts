import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { type ClusterKind, type HoldfastWorld, openWorld } from "../../support/holdfast-world.ts";
import { type S3Server, startS3 } from "../../support/s3.ts";
import { field, namespaceObject, phase } from "../lab.ts";
import {
  bucket,
  condition,
  configuration,
  credentials,
  encryption,
  History,
  retention,
  storage,
  succeeded,
  until,
} from "./story.ts";

export const vault = "vault";
export const repository = "cluster-repo";

type Task = {
  readonly account: string;
  readonly params: Readonly<Record<string, string>>;
};

export type ClusterStory = {
  readonly backup: Task;
  readonly restore: Task;
  /** Accounts with their rights, and what is to be saved. */
  fill(world: HoldfastWorld): Promise<void>;
  /** Loses what was saved. */
  ruin(world: HoldfastWorld): Promise<void>;
};

/** The flow of cluster resources, from the first commit to the end of a restore, and all that a watch has seen. */
export type ClusterFlow = {
  readonly s3: S3Server;
  readonly world: HoldfastWorld;
  readonly history: History;
  readonly story: ClusterStory;
  /** Name of the BackupSession that the CronJob made. */
  readonly scheduled: string;
  /** A file of the backend. */
  file(path: string): string;
  snapshotOf(session: string): KubeObject | undefined;
  close(): Promise<void>;
};

const addon = (task: string, { account, params }: Task) => ({
  name: "kubedump-addon",
  jobTemplate: { spec: { serviceAccountName: account } },
  tasks: [{ name: task, params }],
});

export async function runClusterFlow(kind: ClusterKind, story: ClusterStory): Promise<ClusterFlow> {
  const s3 = await startS3();
  await s3.createBucket(bucket);
  const world = await openWorld({ kind });
  const history = new History(world);
  const close = async () => {
    await history.close();
    await world.close();
    await s3.stop();
  };
  try {
    const scheduled = await carryOut(story, { s3, world, history });
    return {
      s3,
      world,
      history,
      story,
      scheduled,
      file: (path) => join(s3.directory, bucket, "lab", path),
      snapshotOf: (session) => history.last("Snapshot", vault, `${repository}-${session}`),
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function carryOut(
  story: ClusterStory,
  { s3, world, history }: Pick<ClusterFlow, "s3" | "world" | "history">,
): Promise<string> {
  for (const object of [namespaceObject(vault), credentials(vault, s3), encryption(vault)])
    await world.create(object);
  await story.fill(world);
  world.remote.commit("Back up the cluster's resources", {
    "clusters/lab/backup.yaml": [
      storage(vault, "lab", s3),
      retention(vault),
      configuration(vault, "cluster", {
        addon: addon("manifest-backup", story.backup),
        directory: "/cluster",
        repository,
      }),
    ],
  });
  world.startController();
  const initial = await until("the initial backup", () => succeeded(history, vault)[0]);
  const scheduled = await until("the CronJob's own backup", () =>
    succeeded(history, vault).find((name) => name !== initial),
  );
  await story.ruin(world);
  world.remote.commit("Restore what was lost", {
    "clusters/lab/restores/back.yaml": {
      apiVersion: "core.kubestash.com/v1alpha1",
      kind: "RestoreSession",
      metadata: { name: "back", namespace: vault },
      spec: {
        dataSource: { repository, snapshot: `${repository}-${scheduled}` },
        addon: addon("manifest-restore", story.restore),
      },
    },
  });
  // As a push webhook would, so that nobody waits for the poll.
  await world.pass();
  const ended = await until("the restore's end", () => {
    const live = history.last("RestoreSession", vault, "back");
    return ["Succeeded", "Failed", "Invalid", "Unknown"].includes(String(phase(live))) && live;
  });
  if (phase(ended) !== "Succeeded") throw new Error(`the restore: ${JSON.stringify(ended["status"])}`);
  await until("the restore's record", () =>
    world.remote.recordLog().some((line) => line.startsWith("restore vault/back: Succeeded")),
  );
  return scheduled;
}

/** The rows that every seed of cluster resources has alike. */
export function commonBackupRows(seed: string, flow: () => ClusterFlow): void {
  test(`${seed} B1: the user's Secret with the backend's credentials is there and nobody has copied it`, async () => {
    const { s3, world } = flow();
    expect(await world.get("Secret", vault, "s3-credentials")).toBeDefined();
    const copies = (await world.list("Secret")).filter(
      (one) =>
        one.metadata.name === "s3-credentials" ||
        JSON.stringify(one["data"] ?? {}).includes(Buffer.from(s3.secretAccessKey).toString("base64")),
    );
    expect(copies).toHaveLength(1);
  });

  test(`${seed} B2: the BackupStorage that Git declares is in the cluster, with its reference to the Secret`, () => {
    const { history } = flow();
    const store = history.last("BackupStorage", vault, "store");
    expect(field(store, "spec", "storage", "s3", "secretName")).toBe("s3-credentials");
    expect(store?.metadata.annotations?.["holdfast.dev/declared-in"]).toBe("lab/clusters/lab/backup.yaml");
  });

  test(`${seed} B3: the BackupStorage is initialised by metadata.yaml in the bucket, and Ready`, () => {
    const { file, history } = flow();
    const store = history.last("BackupStorage", vault, "store");
    expect(condition(store, "BackendSecretFound")).toBe("True BackendSecretAvailable");
    expect(condition(store, "BackendInitialized")).toBe("True BackendInitializationSucceeded");
    expect(phase(store)).toBe("Ready");
    expect(readFileSync(file("metadata.yaml"), "utf8")).toContain("kind: BackendMeta");
  });

  test(`${seed} B4: the BackupConfiguration that Git declares is in the cluster as it was written`, () => {
    const { history, story } = flow();
    const live = history.last("BackupConfiguration", vault, "cluster");
    expect(field(live, "spec", "sessions", 0, "addon", "tasks", 0, "params")).toEqual(story.backup.params);
  });

  test(`${seed} B5: the BackupConfiguration is validated, with its target, backends and dependencies`, () => {
    const { history } = flow();
    const live = history.last("BackupConfiguration", vault, "cluster");
    expect(condition(live, "ValidationPassed")).toBe("True ResourceValidationPassed");
    expect(field(live, "status", "targetFound")).toBe(true);
    expect(field(live, "status", "backends", 0)).toMatchObject({
      name: "main",
      ready: true,
      storage: { phase: "Ready" },
      retentionPolicy: { found: true },
    });
    expect(field(live, "status", "dependencies")).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: "Addon", name: "kubedump-addon", found: true }),
        expect.objectContaining({ kind: "Function", name: "kubedump-backup", found: true }),
      ]),
    );
  });

  test(`${seed} B7: the Repository is initialised by repository.yaml in its directory, and Ready`, () => {
    const { file, history } = flow();
    const live = history.last("Repository", vault, repository);
    expect(condition(live, "RepositoryInitialized")).toBe("True RepositoryInitializationSucceeded");
    expect(phase(live)).toBe("Ready");
    expect(readFileSync(file("cluster/repository.yaml"), "utf8")).toContain(`name: ${repository}`);
  });
}

export function commonSessionRows(seed: string, flow: () => ClusterFlow): void {
  test(`${seed} B8: a CronJob carries the session's schedule, and the status tells when it is due next`, () => {
    const { history } = flow();
    const cron = history.last("CronJob", vault, "trigger-cluster-often");
    expect(field(cron, "spec", "schedule")).toBe("* * * * *");
    const live = history.last("BackupConfiguration", vault, "cluster");
    expect(cron?.metadata.ownerReferences?.[0]?.uid).toBe(live?.metadata.uid);
    const session = field(live, "status", "sessions", 0);
    expect(condition({ status: session }, "SchedulerEnsured")).toBe("True SchedulerEnsured");
    expect(Date.parse(String(field(session, "nextSchedule")))).toBeGreaterThan(0);
    expect(phase(live)).toBe("Ready");
  });

  test(`${seed} B9: when it was due the CronJob's Job made a BackupSession`, () => {
    const { history, scheduled } = flow();
    const jobs = history.all("Job", vault).map((versions) => versions[0]);
    expect(
      jobs.some((job) =>
        job?.metadata.ownerReferences?.some(
          (owner) => owner.kind === "CronJob" && owner.name === "trigger-cluster-often",
        ),
      ),
    ).toBe(true);
    const session = history.last("BackupSession", vault, scheduled);
    expect(session?.["spec"]).toMatchObject({
      invoker: { kind: "BackupConfiguration", name: "cluster" },
      session: "often",
    });
  });

  test(`${seed} B10: the BackupSession starts as Pending`, () => {
    const { history, scheduled } = flow();
    const phases = history.of("BackupSession", vault, scheduled).map(phase);
    expect(phases.filter((one) => one !== undefined)[0]).toBe("Pending");
  });

  test(`${seed} B11: a Snapshot is made for each Repository`, () => {
    const { history, scheduled, snapshotOf } = flow();
    const session = history.last("BackupSession", vault, scheduled);
    expect(condition(session, "SnapshotsEnsured")).toBe("True SuccessfullyEnsuredSnapshots");
    expect(field(session, "status", "totalSnapshots")).toBe(1);
    expect(field(session, "status", "snapshots", 0)).toMatchObject({
      name: `${repository}-${scheduled}`,
      phase: "Succeeded",
      repository,
    });
    const snapshot = snapshotOf(scheduled);
    expect(snapshot?.["spec"]).toMatchObject({
      repository,
      session: "often",
      backupSession: scheduled,
      version: "v1",
    });
    expect(snapshot?.metadata.ownerReferences?.[0]).toMatchObject({ kind: "Repository", controller: true });
  });
}

export function commonRestoreRows(seed: string, flow: () => ClusterFlow): void {
  test(`${seed} R1: the RestoreSession that Git declares is in the cluster`, () => {
    const { history, scheduled } = flow();
    expect(history.last("RestoreSession", vault, "back")?.["spec"]).toMatchObject({
      dataSource: { repository, snapshot: `${repository}-${scheduled}` },
    });
  });

  test(`${seed} R2: the RestoreSession starts as Pending, validated, with its target found`, () => {
    const { history } = flow();
    const versions = history.of("RestoreSession", vault, "back");
    expect(versions.map(phase).filter((one) => one !== undefined)[0]).toBe("Pending");
    expect(condition(versions.at(-1), "ValidationPassed")).toBe("True ResourceValidationPassed");
    expect(field(versions.at(-1), "status", "targetFound")).toBe(true);
  });

  test(`${seed} R3: Addon and Function are resolved into the restore Job, after the claim is in the record`, () => {
    const { history, scheduled, world } = flow();
    const job = history.of("Job", vault, "back")[0];
    expect(field(job, "spec", "template", "spec", "containers", 0, "args")).toEqual(
      expect.arrayContaining([
        "kubedump-restore",
        "--restoresession=back",
        `--snapshot=${repository}-${scheduled}`,
      ]),
    );
    const live = history.last("RestoreSession", vault, "back");
    expect(condition(live, "RestoreExecutorEnsured")).toBe("True SuccessfullyEnsuredRestoreExecutor");
    expect(field(live, "status", "totalComponents")).toBe(1);
    const claimed = world.remote
      .git("log", "--format=%cI %B%x00", "holdfast-record")
      .split("\0")
      .find((message) => message.includes("restore vault/back: Claimed"));
    expect(Date.parse(claimed?.trim().split(" ")[0] ?? "")).toBeLessThanOrEqual(
      Date.parse(job?.metadata.creationTimestamp ?? "") + 1000,
    );
  });

  test(`${seed} R5: the Job updates the RestoreSession's components, and the final phase follows`, () => {
    const { history, world } = flow();
    const live = history.last("RestoreSession", vault, "back");
    expect(field(live, "status", "components", "manifest")).toMatchObject({
      phase: "Succeeded",
      duration: expect.stringMatching(/s$/),
    });
    expect(field(live, "status", "components", "manifest", "results", "created")).toBeGreaterThan(0);
    expect(phase(live)).toBe("Succeeded");
    expect(world.controllerErrors).toEqual([]);
  });
}
