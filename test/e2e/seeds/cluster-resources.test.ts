import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { clusterKinds, type HoldfastWorld, openWorld } from "../../support/holdfast-world.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
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

const vault = "vault";
const app = "app";
const repository = "cluster-repo";

const dumperAccount: readonly KubeObject[] = [
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "cluster-dumper", namespace: vault } },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "cluster-dumper" },
    rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "cluster-dumper" },
    subjects: [{ kind: "ServiceAccount", name: "cluster-dumper", namespace: vault }],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-dumper" },
  },
];

const addon = (task: string, params: Readonly<Record<string, string>>) => ({
  name: "kubedump-addon",
  jobTemplate: { spec: { serviceAccountName: "cluster-dumper" } },
  tasks: [{ name: task, params }],
});

const configMap: KubeObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace: app },
  data: { mode: "0644", open: "yes" },
};

describe.runIf(requireOrSkip("versitygw")).each(clusterKinds.filter(({ runs }) => runs))(
  "the flow of cluster resources on $kind",
  ({ kind }) => {
    let s3: S3Server;
    let world: HoldfastWorld;
    let history: History;
    let scheduled: string;
    const file = (path: string) => join(s3.directory, bucket, "lab", path);
    const snapshotOf = (session: string) => history.last("Snapshot", vault, `${repository}-${session}`);

    beforeAll(async () => {
      s3 = await startS3();
      await s3.createBucket(bucket);
      world = await openWorld({ kind });
      history = new History(world);
      for (const object of [
        namespaceObject(vault),
        namespaceObject(app),
        configMap,
        credentials(vault, s3),
        encryption(vault),
        ...dumperAccount,
      ])
        await world.create(object);
      world.remote.commit("Back up the cluster's resources", {
        "clusters/lab/backup.yaml": [
          storage(vault, "lab", s3),
          retention(vault),
          configuration(vault, "cluster", {
            addon: addon("manifest-backup", { IncludeNamespaces: app, IncludeClusterResources: "false" }),
            directory: "/cluster",
            repository,
          }),
        ],
      });
      world.startController();
      const initial = await until("the initial backup", () => succeeded(history, vault)[0]);
      scheduled = await until("the CronJob's own backup", () =>
        succeeded(history, vault).find((name) => name !== initial),
      );
      await world.kube.delete(
        { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true },
        { namespace: app, name: "settings" },
      );
      world.remote.commit("Restore the settings", {
        "clusters/lab/restores/back.yaml": {
          apiVersion: "core.kubestash.com/v1alpha1",
          kind: "RestoreSession",
          metadata: { name: "back", namespace: vault },
          spec: {
            dataSource: { repository, snapshot: `${repository}-${scheduled}` },
            addon: addon("manifest-restore", { IncludeNamespaces: app }),
          },
        },
      });
      // As a push webhook would, so that nobody waits for the poll.
      await world.pass();
      await until("the restore's end", () =>
        ["Succeeded", "Failed", "Invalid", "Unknown"].includes(
          String(phase(history.last("RestoreSession", vault, "back"))),
        ),
      );
      await until("the restore's record", () =>
        world.remote.recordLog().some((line) => line.startsWith("restore vault/back: Succeeded")),
      );
    }, 240_000);

    afterAll(async () => {
      await history?.close();
      await world?.close();
      await s3?.stop();
    });

    test("000 B1: the user's Secret with the backend's credentials is there and nobody has copied it", async () => {
      expect(await world.get("Secret", vault, "s3-credentials")).toBeDefined();
      const copies = (await world.list("Secret")).filter(
        (one) =>
          one.metadata.name === "s3-credentials" ||
          JSON.stringify(one["data"] ?? {}).includes(Buffer.from(s3.secretAccessKey).toString("base64")),
      );
      expect(copies).toHaveLength(1);
    });

    test("000 B2: the BackupStorage that Git declares is in the cluster, with its reference to the Secret", () => {
      const store = history.last("BackupStorage", vault, "store");
      expect(field(store, "spec", "storage", "s3", "secretName")).toBe("s3-credentials");
      expect(store?.metadata.annotations?.["holdfast.dev/declared-in"]).toBe("lab/clusters/lab/backup.yaml");
    });

    test("000 B3: the BackupStorage is initialised by metadata.yaml in the bucket, and Ready", () => {
      const store = history.last("BackupStorage", vault, "store");
      expect(condition(store, "BackendSecretFound")).toBe("True BackendSecretAvailable");
      expect(condition(store, "BackendInitialized")).toBe("True BackendInitializationSucceeded");
      expect(phase(store)).toBe("Ready");
      expect(readFileSync(file("metadata.yaml"), "utf8")).toContain("kind: BackendMeta");
    });

    test("000 B4: the BackupConfiguration that Git declares is in the cluster as it was written", () => {
      const live = history.last("BackupConfiguration", vault, "cluster");
      expect(field(live, "spec", "sessions", 0, "addon", "tasks", 0, "params", "IncludeNamespaces")).toBe(
        app,
      );
    });

    test("000 B5: the BackupConfiguration is validated, with its target, backends and dependencies", () => {
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

    test("000 B6: a Repository is made from the BackupConfiguration's data and listed in its status", () => {
      const live = history.last("Repository", vault, repository);
      expect(live?.["spec"]).toMatchObject({
        path: "/cluster",
        storageRef: { name: "store", namespace: vault },
        appRef: { name: "na" },
      });
      expect(live?.metadata.ownerReferences ?? []).toEqual([]);
      expect(
        field(history.last("BackupConfiguration", vault, "cluster"), "status", "repositories", 0),
      ).toMatchObject({ name: repository, phase: "Ready" });
    });

    test("000 B7: the Repository is initialised by repository.yaml in its directory, and Ready", () => {
      const live = history.last("Repository", vault, repository);
      expect(condition(live, "RepositoryInitialized")).toBe("True RepositoryInitializationSucceeded");
      expect(phase(live)).toBe("Ready");
      expect(readFileSync(file("cluster/repository.yaml"), "utf8")).toContain(`name: ${repository}`);
    });

    test("000 B8: a CronJob carries the session's schedule, and the status tells when it is due next", () => {
      const cron = history.last("CronJob", vault, "trigger-cluster-often");
      expect(field(cron, "spec", "schedule")).toBe("* * * * *");
      const live = history.last("BackupConfiguration", vault, "cluster");
      expect(cron?.metadata.ownerReferences?.[0]?.uid).toBe(live?.metadata.uid);
      const session = field(live, "status", "sessions", 0);
      expect(condition({ status: session }, "SchedulerEnsured")).toBe("True SchedulerEnsured");
      expect(Date.parse(String(field(session, "nextSchedule")))).toBeGreaterThan(0);
      expect(phase(live)).toBe("Ready");
    });

    test("000 B9: when it was due the CronJob's Job made a BackupSession", () => {
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

    test("000 B10: the BackupSession starts as Pending", () => {
      const phases = history.of("BackupSession", vault, scheduled).map(phase);
      expect(phases.filter((one) => one !== undefined)[0]).toBe("Pending");
    });

    test("000 B11: a Snapshot is made for each Repository", () => {
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

    test("000 B12: Addon and Function are resolved into the Job's container with its parameters", () => {
      const job = history.of("Job", vault, scheduled)[0];
      const container = field(job, "spec", "template", "spec", "containers", 0);
      expect(field(container, "name")).toBe("manifest-backup-0");
      expect(field(container, "args")).toEqual(
        expect.arrayContaining([
          "kubedump-backup",
          `--namespace=${vault}`,
          `--backupsession=${scheduled}`,
          `--include-namespaces=${app}`,
        ]),
      );
      expect(JSON.stringify(job)).not.toContain("${");
    });

    test("000 B13: the Job has a scratch volume, runs as the account that was named, and may read just its Secrets", () => {
      const job = history.of("Job", vault, scheduled)[0];
      const pod = field(job, "spec", "template", "spec");
      expect(field(pod, "serviceAccountName")).toBe("cluster-dumper");
      expect(field(pod, "volumes")).toEqual(
        expect.arrayContaining([expect.objectContaining({ name: "kubestash-tmp-volume" })]),
      );
      const binding = history.of("RoleBinding", vault, `${scheduled}-secrets`)[0];
      expect(field(binding, "subjects", 0, "name")).toBe("cluster-dumper");
      const session = history.last("BackupSession", vault, scheduled);
      expect(condition(session, "BackupExecutorEnsured")).toBe("True SuccessfullyEnsuredBackupExecutor");
      expect(history.of("BackupSession", vault, scheduled).map(phase)).toContain("Running");
    });

    test("000 B14: the Job takes the backup into the restic repository of its component", () => {
      expect(existsSync(file("cluster/repository/v1/often/manifest/config"))).toBe(true);
      expect(
        history
          .of("Snapshot", vault, `${repository}-${scheduled}`)
          .map((one) => field(one, "status", "components", "manifest", "phase")),
      ).toContain("Running");
    });

    test("000 B15: the Job updates the Snapshot's components, and phases and Repository follow", () => {
      const snapshot = snapshotOf(scheduled);
      expect(field(snapshot, "status", "components", "manifest")).toMatchObject({
        path: "repository/v1/often/manifest",
        phase: "Succeeded",
        integrity: true,
        driver: "Restic",
      });
      const component = field(snapshot, "status", "components", "manifest");
      expect(field(component, "size")).toMatch(/^[\d.]+ (B|KiB|MiB)$/);
      expect(field(component, "duration")).toMatch(/s$/);
      expect(field(component, "resticStats", 0, "summary")).toMatchObject({
        hostPath: "/kubestash-tmp/manifest",
        id: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      expect(field(component, "proof", "objects")).toBeGreaterThan(0);
      expect(phase(snapshot)).toBe("Succeeded");
      expect(condition(snapshot, "SnapshotMetadataUploaded")).toBe(
        "True SuccessfullyUploadedSnapshotMetadata",
      );
      expect(existsSync(file(`cluster/snapshots/${repository}-${scheduled}.yaml`))).toBe(true);
      const live = history.last("Repository", vault, repository);
      expect(field(live, "status", "recentSnapshots", 0, "name")).toBeDefined();
      expect(field(live, "status", "integrity")).toBe(true);
      expect(field(live, "status", "lastBackupTime")).toBeDefined();
      expect(phase(history.last("BackupSession", vault, scheduled))).toBe("Succeeded");
      expect(world.remote.recordLog()).toEqual(
        expect.arrayContaining([expect.stringMatching(/^backup vault\/cluster: Succeeded, 1 component, /)]),
      );
    });

    test("000 R1: the RestoreSession that Git declares is in the cluster", () => {
      expect(history.last("RestoreSession", vault, "back")?.["spec"]).toMatchObject({
        dataSource: { repository, snapshot: `${repository}-${scheduled}` },
      });
    });

    test("000 R2: the RestoreSession starts as Pending, validated, with its target found", () => {
      const versions = history.of("RestoreSession", vault, "back");
      expect(versions.map(phase).filter((one) => one !== undefined)[0]).toBe("Pending");
      expect(condition(versions.at(-1), "ValidationPassed")).toBe("True ResourceValidationPassed");
      expect(field(versions.at(-1), "status", "targetFound")).toBe(true);
    });

    test("000 R3: Addon and Function are resolved into the restore Job, after the claim is in the record", () => {
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

    test("000 R4: the Job restores the manifests into the cluster", async () => {
      expect(history.of("RestoreSession", vault, "back").map(phase)).toContain("Running");
      expect((await world.get("ConfigMap", app, "settings"))?.["data"]).toEqual(configMap["data"]);
    });

    test("000 R5: the Job updates the RestoreSession's components, and the final phase follows", () => {
      const live = history.last("RestoreSession", vault, "back");
      expect(field(live, "status", "components", "manifest")).toMatchObject({
        phase: "Succeeded",
        duration: expect.stringMatching(/s$/),
      });
      expect(field(live, "status", "components", "manifest", "results", "created")).toBeGreaterThan(0);
      expect(phase(live)).toBe("Succeeded");
      expect(world.controllerErrors).toEqual([]);
    });
  },
);
