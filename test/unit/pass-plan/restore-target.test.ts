import { expect, test } from "vitest";
import { catalogueAddons, catalogueFunctions } from "../../../src/api/catalogue.ts";
import { cleanupFinalizer, recordFinalizer } from "../../../src/api/labels.ts";
import { planRestoreSession } from "../../../src/pass/plan/kinds/restore-session.ts";
import { restoreErrors } from "../../../src/pass/plan/restore-rules.ts";
import { objectOf, worldOf } from "./world-of.ts";

/** What a restore says whose target, a Deployment, is gone. */
function saidBy(addon: string, task: string): readonly string[] {
  const storage = objectOf("BackupStorage", "vault/store", {
    spec: { storage: { provider: "s3" }, usagePolicy: { allowedNamespaces: { from: "All" } } },
    status: { phase: "Ready" },
  });
  const repository = objectOf("Repository", "shop/repo", {
    spec: { storageRef: { name: "store", namespace: "vault" }, path: "/repo" },
    status: { phase: "Ready" },
  });
  const components = { manifest: { phase: "Succeeded" }, dump: { phase: "Succeeded" } };
  const snapshot = objectOf("Snapshot", "shop/repo-1", {
    spec: { repository: "repo", session: "often" },
    status: { phase: "Succeeded", components },
  });
  const restore = objectOf("RestoreSession", "shop/back", {
    metadata: { finalizers: [cleanupFinalizer, recordFinalizer] },
    spec: {
      target: { apiGroup: "apps", kind: "Deployment", name: "web", namespace: "shop" },
      dataSource: { repository: "repo", snapshot: "repo-1" },
      addon: { name: addon, tasks: [{ name: task }] },
    },
  });
  const world = worldOf(
    objectOf("Namespace", "shop"),
    storage,
    repository,
    snapshot,
    restore,
    ...catalogueAddons,
    ...catalogueFunctions,
  );
  return planRestoreSession(restore, world).problems.map(({ reason }) => reason);
}

test("a restore of manifests brings its target back, and one of volumes needs it", () => {
  expect(saidBy("kubedump-addon", "manifest-restore")).toEqual([]);
  expect(saidBy("workload-addon", "manifest-restore")).toEqual([]);
  expect(saidBy("workload-addon", "logical-backup-restore")).toEqual(["TargetNotFound"]);
});

test("a parameter that the task does not know is refused with the one that is meant", () => {
  const params = { includeNamespaces: "shop", sanitize: "true" };
  const restore = objectOf("RestoreSession", "shop/back", {
    spec: {
      dataSource: { snapshot: "repo-1" },
      addon: { name: "kubedump-addon", tasks: [{ name: "manifest-restore", params }] },
    },
  });
  expect(restoreErrors(restore, worldOf(restore, ...catalogueAddons))).toEqual([
    "no task of the addon has the parameter includeNamespaces (write IncludeNamespaces if that is meant)",
    "no task of the addon has the parameter sanitize",
  ]);
});
