import { expect, test } from "vitest";
import { pathText } from "../../../src/api/field-error.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { validateObject } from "../../../src/api/validate.ts";
import { changed, kubestashObject } from "../../fixtures/kubestash/kubestash-objects.ts";

const shopWeb = kubestashObject("BackupConfiguration/shop-web");
const minio = kubestashObject("BackupStorage/minio");
const shelf = kubestashObject("BackupStorage/shelf");
const webBack = kubestashObject("RestoreSession/web-back");
const session = ["spec", "sessions", 0];
const repository = [...session, "repositories", 0];

const tasks = (name: string) => changed(shopWeb, [...session, "addon", "tasks", 0, "name"], name);

test.each<[string, KubeObject, string, "error" | "warning"]>([
  [
    "gcs",
    changed(minio, ["spec", "storage"], { provider: "gcs", gcs: { bucket: "b" } }),
    "spec.storage.provider",
    "error",
  ],
  [
    "azure",
    changed(minio, ["spec", "storage"], { provider: "azure", azure: { container: "b" } }),
    "spec.storage.provider",
    "error",
  ],
  [
    "hooks before a backup",
    changed(shopWeb, [...session, "hooks"], { preBackup: [{ name: "quiesce" }] }),
    "spec.sessions[0].hooks.preBackup[0]",
    "error",
  ],
  ["hooks after a backup", shopWeb, "spec.sessions[0].hooks.postBackup[0]", "warning"],
  [
    "verifiers",
    changed(shopWeb, [...repository, "backupVerifier"], { name: "dry" }),
    "spec.sessions[0].repositories[0].backupVerifier",
    "warning",
  ],
  ["volume snapshots", tasks("volume-snapshot"), "spec.sessions[0].addon.tasks[0].name", "error"],
  [
    "volume clones",
    changed(webBack, ["spec", "addon", "tasks", 0, "name"], "volume-clone"),
    "spec.addon.tasks[0].name",
    "error",
  ],
  [
    "points in time",
    changed(webBack, ["spec", "dataSource", "pitr"], { targetTime: "2026-01-31T12:00:00Z" }),
    "spec.dataSource.pitr",
    "error",
  ],
  [
    "databases",
    changed(webBack, ["spec", "manifestOptions", "postgres"], { db: true }),
    "spec.manifestOptions.postgres",
    "error",
  ],
  [
    "batches",
    changed(
      kubestashObject("BackupSession/shop-web-hourly-1754041620"),
      ["spec", "invoker", "kind"],
      "BackupBatch",
    ),
    "spec.invoker.kind",
    "error",
  ],
  [
    "claim templates of a backup",
    changed(shopWeb, [...session, "addon", "tasks", 0, "targetVolumes"], { volumeClaimTemplates: [{}] }),
    "spec.sessions[0].addon.tasks[0].targetVolumes.volumeClaimTemplates[0]",
    "error",
  ],
  [
    "a claim template's namespace",
    changed(webBack, ["spec", "addon", "tasks", 0, "targetVolumes"], {
      volumeClaimTemplates: [{ metadata: { name: "data", namespace: "x" } }],
    }),
    "spec.addon.tasks[0].targetVolumes.volumeClaimTemplates[0].metadata.namespace",
    "warning",
  ],
  [
    "another namespace for kubedump",
    changed(webBack, ["spec", "addon", "name"], "kubedump-addon"),
    "spec.manifestOptions.workload.restoreNamespace",
    "error",
  ],
  [
    "settings of Jobs that an object store has not",
    changed(minio, ["spec", "runtimeSettings"], { pod: { nodeName: "n" } }),
    "spec.runtimeSettings",
    "warning",
  ],
  [
    "pods that start again",
    changed(shopWeb, [...session, "addon", "jobTemplate", "spec", "restartPolicy"], "OnFailure"),
    "spec.sessions[0].addon.jobTemplate.spec.restartPolicy",
    "warning",
  ],
  [
    "triggers that start again",
    changed(shopWeb, [...session, "scheduler", "jobTemplate", "template"], {
      spec: { restartPolicy: "Always" },
    }),
    "spec.sessions[0].scheduler.jobTemplate.template.spec.restartPolicy",
    "warning",
  ],
  [
    "databases as targets",
    changed(shopWeb, ["spec", "target", "kind"], "MongoDB"),
    "spec.target.kind",
    "error",
  ],
  [
    "niceness",
    changed(webBack, ["spec", "addon", "containerRuntimeSettings"], { nice: { adjustment: 5 } }),
    "spec.addon.containerRuntimeSettings.nice",
    "warning",
  ],
])("what this release does not do is named for %s", (_title, object, path, severity) => {
  const found = validateObject(object).filter((one) => one.reason === "NotSupportedYet");
  expect(found.map((one) => [pathText(one.path), one.severity])).toEqual(
    expect.arrayContaining([[path, severity]]),
  );
  for (const one of found) expect(one.next).toMatch(/^[A-Z].*\.$/);
});

test("what this release does not do is not named where nothing of it is asked for", () => {
  const local = changed(shelf, ["spec", "runtimeSettings"], { pod: { nodeName: "n" } });
  expect(validateObject(local)).toEqual([]);
  expect(validateObject(webBack)).toEqual([]);
});
