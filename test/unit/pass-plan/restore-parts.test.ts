import { expect, test } from "vitest";
import { catalogueAddons, catalogueFunctions } from "../../../src/api/catalogue.ts";
import { Draft } from "../../../src/pass/plan/draft.ts";
import { restoreWork } from "../../../src/pass/plan/kinds/restore-jobs.ts";
import { resolveTasks } from "../../../src/pass/plan/resolve-task.ts";
import { now, objectOf, worldOf } from "./world-of.ts";

const catalogue = [...catalogueAddons, ...catalogueFunctions];

function statefulSet(replicas: number) {
  const template = {
    spec: { containers: [{ name: "db", volumeMounts: [{ name: "data", mountPath: "/data" }] }] },
  };
  const claims = [{ metadata: { name: "data" } }];
  return {
    ...objectOf("StatefulSet", "shop/db", { spec: { replicas, template, volumeClaimTemplates: claims } }),
    apiVersion: "apps/v1",
  };
}

/** What a restore of two pods' data says of a target of so many pods, and the Jobs that it makes. */
function restoreInto(replicas: number): { readonly refusal: string | undefined; readonly jobs: number } {
  const restore = objectOf("RestoreSession", "shop/back", {
    spec: {
      target: { apiGroup: "apps", kind: "StatefulSet", name: "db", namespace: "shop" },
      dataSource: { repository: "db-repo", snapshot: "latest" },
      addon: { name: "workload-addon", tasks: [{ name: "logical-backup-restore" }] },
    },
  });
  const source = {
    snapshot: objectOf("Snapshot", "shop/db-repo-1"),
    repository: objectOf("Repository", "shop/db-repo"),
    storage: objectOf("BackupStorage", "vault/store", {
      spec: { usagePolicy: { allowedNamespaces: { from: "All" } } },
    }),
    components: ["dump-pod-0", "dump-pod-1"],
  };
  const world = worldOf(restore, statefulSet(replicas), ...catalogue);
  const work = restoreWork({ draft: new Draft(restore, now), world, source });
  return typeof work === "string"
    ? { refusal: work, jobs: 0 }
    : { refusal: undefined, jobs: work.wanted.filter((one) => one.kind === "Job").length };
}

test("a target that is too small for the Snapshot is refused, and no part of it is restored", () => {
  const { refusal, jobs } = restoreInto(1);
  expect(refusal).toMatch(/nothing to restore the component\(s\) dump-pod-1 into: .*spec\.dataSource\.comp/);
  expect(jobs).toBe(0);
  expect(restoreInto(2)).toEqual({ refusal: undefined, jobs: 2 });
});

test("a volume for a template that the task does not have is refused by name", () => {
  const info = (name: string) => ({
    name: "pvc-addon",
    tasks: [{ name: "logical-backup", addonVolumes: [{ name, source: { emptyDir: {} } }] }],
  });
  const world = worldOf(...catalogue);
  expect(resolveTasks(info("kubestash-data-volume"), "backup", world).ok).toBe(true);
  expect(resolveTasks(info("kubestash-dada-volume"), "backup", world)).toMatchObject({
    ok: false,
    message: "task logical-backup has no volume template kubestash-dada-volume",
  });
});
