import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { clusterKinds } from "../../support/holdfast-world.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { field, namespaceObject, phase } from "../lab.ts";
import {
  type ClusterFlow,
  type ClusterStory,
  commonBackupRows,
  commonRestoreRows,
  commonSessionRows,
  repository,
  runClusterFlow,
  vault,
} from "./cluster-flow.ts";
import { condition } from "./story.ts";

const app = "app";

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

const configMap: KubeObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace: app },
  data: { mode: "0644", open: "yes" },
};

const story: ClusterStory = {
  backup: {
    account: "cluster-dumper",
    params: { IncludeNamespaces: app, IncludeClusterResources: "false" },
  },
  restore: { account: "cluster-dumper", params: { IncludeNamespaces: app } },
  async fill(world) {
    for (const object of [namespaceObject(app), configMap, ...dumperAccount]) await world.create(object);
  },
  async ruin(world) {
    await world.kube.delete(builtIn.ConfigMap, { namespace: app, name: "settings" });
  },
};

// Most of the time goes by until a CronJob is due, so both clusters wait for it together.
describe.runIf(requireOrSkip("versitygw")).concurrent.each(clusterKinds.filter(({ runs }) => runs))(
  "the flow of cluster resources on $kind",
  ({ kind }) => {
    let begun: ClusterFlow;
    const flow = () => begun;
    beforeAll(async () => {
      begun = await runClusterFlow(kind, story);
    }, 240_000);
    afterAll(async () => {
      await begun?.close();
    });
    commonBackupRows("000", flow);
    commonSessionRows("000", flow);

    test("000 B6: a Repository is made from the BackupConfiguration's data and listed in its status", () => {
      const { history } = flow();
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

    test("000 B12: Addon and Function are resolved into the Job's container with its parameters", () => {
      const { history, scheduled } = flow();
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
      const { history, scheduled } = flow();
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
      const { file, history, scheduled } = flow();
      expect(existsSync(file("cluster/repository/v1/often/manifest/config"))).toBe(true);
      expect(
        history
          .of("Snapshot", vault, `${repository}-${scheduled}`)
          .map((one) => field(one, "status", "components", "manifest", "phase")),
      ).toContain("Running");
    });

    test("000 B15: the Job updates the Snapshot's components, and phases and Repository follow", () => {
      const { file, history, scheduled, snapshotOf, world } = flow();
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

    test("000 R4: the Job restores the manifests into the cluster", async () => {
      const { history, world } = flow();
      expect(history.of("RestoreSession", vault, "back").map(phase)).toContain("Running");
      expect((await world.get("ConfigMap", app, "settings"))?.["data"]).toEqual(configMap["data"]);
    });

    commonRestoreRows("000", flow);
  },
);
