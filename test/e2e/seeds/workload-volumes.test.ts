import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { clusterKinds, type HoldfastWorld, openWorld } from "../../support/holdfast-world.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { type S3Server, startS3 } from "../../support/s3.ts";
import { field, namespaceObject, phase, webDeployment } from "../lab.ts";
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

const shop = "shop";
const repository = "web-repo";
const target = { apiGroup: "apps", kind: "Deployment", name: "web", namespace: shop };
const addon = (task: string, params: Readonly<Record<string, string>>) => ({
  name: "workload-addon",
  tasks: [{ name: task, params }],
});

function volume(directory: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "web-volume" },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: "",
      hostPath: { path: directory },
      claimRef: { namespace: shop, name: "web-data" },
    },
  };
}

const claim: KubeObject = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "web-data", namespace: shop },
  spec: {
    accessModes: ["ReadWriteOnce"],
    storageClassName: "",
    volumeName: "web-volume",
    resources: { requests: { storage: "1Gi" } },
  },
};

describe.runIf(requireOrSkip("versitygw")).each(clusterKinds.filter(({ runs }) => runs))(
  "the flow of workload volumes on $kind",
  ({ kind }) => {
    let s3: S3Server;
    let world: HoldfastWorld;
    let history: History;
    let scheduled: string;
    let directory: string;
    const file = (path: string) => join(s3.directory, bucket, "lab", path);

    beforeAll(async () => {
      s3 = await startS3();
      await s3.createBucket(bucket);
      world = await openWorld({ kind });
      history = new History(world);
      directory = join(world.home, "web-data");
      mkdirSync(join(directory, "orders"), { recursive: true });
      writeFileSync(join(directory, "orders/1.json"), '{"total":1}\n', { mode: 0o640 });
      writeFileSync(join(directory, "größe.bin"), Buffer.alloc(70_000, 7));
      writeFileSync(join(directory, "left-out.tmp"), "x");
      symlinkSync("orders/1.json", join(directory, "latest"));
      for (const object of [
        namespaceObject(shop),
        volume(directory),
        claim,
        webDeployment(shop),
        credentials(shop, s3),
        encryption(shop),
      ])
        await world.create(object);
      world.remote.commit("Back up the web's volume", {
        "clusters/lab/web.yaml": [
          storage(shop, "lab", s3),
          retention(shop),
          configuration(shop, "web", {
            target,
            addon: addon("logical-backup", { paths: "/data", exclude: "*.tmp" }),
            directory: "/web",
            repository,
          }),
        ],
      });
      world.startController();
      const initial = await until("the initial backup", () => succeeded(history, shop)[0]);
      scheduled = await until("the CronJob's own backup", () =>
        succeeded(history, shop).find((name) => name !== initial),
      );
      for (const name of ["orders", "größe.bin", "latest"])
        rmSync(join(directory, name), { recursive: true });
      world.remote.commit("Restore the web's volume", {
        "clusters/lab/restores/web-back.yaml": {
          apiVersion: "core.kubestash.com/v1alpha1",
          kind: "RestoreSession",
          metadata: { name: "web-back", namespace: shop },
          spec: {
            target,
            dataSource: { repository, snapshot: `${repository}-${scheduled}` },
            addon: { name: "workload-addon", tasks: [{ name: "logical-backup-restore" }] },
          },
        },
      });
      await world.pass();
      await until("the restore's record", () =>
        world.remote
          .recordLog()
          .some(
            (line) =>
              line.startsWith("restore shop/web-back: S") || line.startsWith("restore shop/web-back: F"),
          ),
      );
    }, 240_000);

    afterAll(async () => {
      await history?.close();
      await world?.close();
      await s3?.stop();
    });

    test("001 B1: the user's Secret with the backend's credentials is there", async () => {
      expect(await world.get("Secret", shop, "s3-credentials")).toBeDefined();
    });

    test("001 B2: the BackupStorage that Git declares is in the cluster", () => {
      expect(field(history.last("BackupStorage", shop, "store"), "spec", "storage", "s3", "bucket")).toBe(
        bucket,
      );
    });

    test("001 B3: the BackupStorage is initialised by metadata.yaml, and Ready", () => {
      const store = history.last("BackupStorage", shop, "store");
      expect(condition(store, "BackendSecretFound")).toBe("True BackendSecretAvailable");
      expect(condition(store, "BackendInitialized")).toBe("True BackendInitializationSucceeded");
      expect(phase(store)).toBe("Ready");
      expect(existsSync(file("metadata.yaml"))).toBe(true);
    });

    test("001 B4: the BackupConfiguration names workload, paths, Repository and task", () => {
      const live = history.last("BackupConfiguration", shop, "web");
      expect(field(live, "spec", "target")).toEqual(target);
      expect(field(live, "spec", "sessions", 0, "addon", "tasks", 0)).toMatchObject({
        name: "logical-backup",
        params: { paths: "/data" },
      });
    });

    test("001 B5: the BackupConfiguration is validated, and its target and backends are looked up", () => {
      const live = history.last("BackupConfiguration", shop, "web");
      expect(condition(live, "ValidationPassed")).toBe("True ResourceValidationPassed");
      expect(field(live, "status", "targetFound")).toBe(true);
      expect(field(live, "status", "backends", 0, "ready")).toBe(true);
    });

    test("001 B6: a Repository is made for the target", () => {
      expect(history.last("Repository", shop, repository)?.["spec"]).toMatchObject({
        appRef: target,
        path: "/web",
      });
      expect(
        field(history.last("BackupConfiguration", shop, "web"), "status", "repositories", 0, "name"),
      ).toBe(repository);
    });

    test("001 B7: the Repository is initialised by repository.yaml in the directory, and Ready", () => {
      const live = history.last("Repository", shop, repository);
      expect(condition(live, "RepositoryInitialized")).toBe("True RepositoryInitializationSucceeded");
      expect(phase(live)).toBe("Ready");
      expect(readFileSync(file("web/repository.yaml"), "utf8")).toContain("kind: Repository");
    });

    test("001 B8: a CronJob carries the session's schedule", () => {
      expect(field(history.last("CronJob", shop, "trigger-web-often"), "spec", "schedule")).toBe("* * * * *");
      const session = field(history.last("BackupConfiguration", shop, "web"), "status", "sessions", 0);
      expect(condition({ status: session }, "SchedulerEnsured")).toBe("True SchedulerEnsured");
      expect(field(session, "nextSchedule")).toBeDefined();
    });

    test("001 B9: the CronJob's Job made a BackupSession when it was due", () => {
      expect(history.last("BackupSession", shop, scheduled)?.["spec"]).toMatchObject({
        invoker: { name: "web" },
        session: "often",
      });
      expect(
        history.all("Job", shop).some(([job]) => job?.metadata.ownerReferences?.[0]?.kind === "CronJob"),
      ).toBe(true);
    });

    test("001 B10: the BackupSession starts as Pending", () => {
      expect(
        history
          .of("BackupSession", shop, scheduled)
          .map(phase)
          .find((one) => one !== undefined),
      ).toBe("Pending");
    });

    test("001 B11: a Snapshot is made for the Repository", () => {
      const session = history.last("BackupSession", shop, scheduled);
      expect(condition(session, "SnapshotsEnsured")).toBe("True SuccessfullyEnsuredSnapshots");
      expect(field(session, "status", "snapshots", 0, "name")).toBe(`${repository}-${scheduled}`);
      expect(field(history.last("Snapshot", shop, `${repository}-${scheduled}`), "spec", "appRef")).toEqual(
        target,
      );
    });

    test("001 B12: Addon and Function are resolved into the Job's container", () => {
      const container = field(
        history.of("Job", shop, scheduled)[0],
        "spec",
        "template",
        "spec",
        "containers",
        0,
      );
      expect(field(container, "args")).toEqual(
        expect.arrayContaining(["workload-backup", "--paths=/data", "--exclude=*.tmp"]),
      );
      expect(field(container, "env")).toEqual(
        expect.arrayContaining([{ name: "COMPONENT_NAME", value: "dump" }]),
      );
    });

    test("001 B13: the workload's volume is mounted into the Job where the workload has it", () => {
      const pod = field(history.of("Job", shop, scheduled)[0], "spec", "template", "spec");
      expect(field(pod, "volumes")).toEqual(
        expect.arrayContaining([{ name: "data", persistentVolumeClaim: { claimName: "web-data" } }]),
      );
      expect(field(pod, "containers", 0, "volumeMounts")).toEqual(
        expect.arrayContaining([{ name: "data", mountPath: "/data" }]),
      );
      expect(condition(history.last("BackupSession", shop, scheduled), "BackupExecutorEnsured")).toBe(
        "True SuccessfullyEnsuredBackupExecutor",
      );
      expect(history.of("BackupSession", shop, scheduled).map(phase)).toContain("Running");
    });

    test("001 B14: the Job takes the backup into the restic repository of its component", () => {
      expect(existsSync(file("web/repository/v1/often/dump/config"))).toBe(true);
    });

    test("001 B15: the Job updates the Snapshot's components for the volume, and the session's phase shows completion", () => {
      const component = field(
        history.last("Snapshot", shop, `${repository}-${scheduled}`),
        "status",
        "components",
        "dump",
      );
      expect(component).toMatchObject({
        path: "repository/v1/often/dump",
        phase: "Succeeded",
        integrity: true,
        driver: "Restic",
      });
      expect(field(component, "resticStats", 0, "summary", "hostPath")).toBe("/data");
      expect(field(component, "proof")).toMatchObject({
        files: 2,
        repositoryID: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      expect(phase(history.last("BackupSession", shop, scheduled))).toBe("Succeeded");
    });

    test("001 R1: the workload to restore into is still the same one", async () => {
      const live = await world.kube.get(builtIn.Deployment, { namespace: shop, name: "web" });
      expect(
        field(live, "spec", "template", "spec", "volumes", 0, "persistentVolumeClaim", "claimName"),
      ).toBe("web-data");
    });

    test("001 R2: the RestoreSession that Git declares is in the cluster", () => {
      expect(history.last("RestoreSession", shop, "web-back")?.["spec"]).toMatchObject({
        target,
        dataSource: { repository },
      });
    });

    test("001 R3: the RestoreSession starts as Pending, validated, with its target found", () => {
      const versions = history.of("RestoreSession", shop, "web-back");
      expect(versions.map(phase).find((one) => one !== undefined)).toBe("Pending");
      expect(condition(versions.at(-1), "ValidationPassed")).toBe("True ResourceValidationPassed");
      expect(field(versions.at(-1), "status", "targetFound")).toBe(true);
    });

    test("001 R4: Addon and Function are resolved into the restore Job", () => {
      const job = history.of("Job", shop, "web-back")[0];
      expect(field(job, "spec", "template", "spec", "containers", 0, "args")).toEqual(
        expect.arrayContaining(["workload-restore", `--snapshot=${repository}-${scheduled}`]),
      );
      expect(condition(history.last("RestoreSession", shop, "web-back"), "RestoreExecutorEnsured")).toBe(
        "True SuccessfullyEnsuredRestoreExecutor",
      );
      expect(field(history.last("RestoreSession", shop, "web-back"), "status", "totalComponents")).toBe(1);
    });

    test("001 R5: the Job restores the files into the workload's volume, byte for byte", () => {
      expect(readFileSync(join(directory, "orders/1.json"), "utf8")).toBe('{"total":1}\n');
      expect(readFileSync(join(directory, "größe.bin")).equals(Buffer.alloc(70_000, 7))).toBe(true);
      expect(readFileSync(join(directory, "latest"), "utf8")).toBe('{"total":1}\n');
      expect(
        field(history.last("RestoreSession", shop, "web-back"), "status", "components", "dump"),
      ).toMatchObject({ phase: "Succeeded" });
    });

    test("001 R6: the RestoreSession's phase shows completion", () => {
      expect(phase(history.last("RestoreSession", shop, "web-back"))).toBe("Succeeded");
      expect(world.controllerErrors).toEqual([]);
    });
  },
);
