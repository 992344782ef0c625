import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { restoreSource } from "../../../src/pass/plan/kinds/restore-source.ts";
import { restoreErrors } from "../../../src/pass/plan/restore-rules.ts";
import { objectOf, worldOf } from "./world-of.ts";

const ready = { phase: "Ready" };

function repository(name: string, storage: string): KubeObject {
  const spec = { storageRef: { name: storage, namespace: "vault" }, path: `/${name}` };
  return objectOf("Repository", `shop/${name}`, { spec, status: ready });
}

function snapshot(name: string, of: string): KubeObject {
  return objectOf("Snapshot", `shop/${name}`, {
    spec: { repository: of, session: "often" },
    status: { phase: "Succeeded", components: { dump: { phase: "Succeeded" } } },
  });
}

function storage(name: string, from: string): KubeObject {
  return objectOf("BackupStorage", `vault/${name}`, {
    spec: { storage: { provider: "s3" }, usagePolicy: { allowedNamespaces: { from } } },
    status: ready,
  });
}

function restore(dataSource: Readonly<Record<string, unknown>>): KubeObject {
  return objectOf("RestoreSession", "strange/back", {
    spec: {
      dataSource: { namespace: "shop", ...dataSource },
      addon: { name: "workload-addon", tasks: [{ name: "logical-backup-restore" }] },
    },
  });
}

const world = worldOf(
  objectOf("Namespace", "strange"),
  storage("closed", "Same"),
  storage("open", "All"),
  repository("secrets", "closed"),
  repository("public", "open"),
  snapshot("secrets-1", "secrets"),
  snapshot("public-1", "public"),
);

test("a usagePolicy holds for a restore that names a Snapshot and no Repository", () => {
  const refused = [expect.stringContaining("BackupStorage vault/closed may not be used from namespace")];
  expect(restoreErrors(restore({ snapshot: "secrets-1" }), world)).toEqual(refused);
  expect(restoreErrors(restore({ repository: "secrets", snapshot: "latest" }), world)).toEqual(refused);
  expect(restoreErrors(restore({ snapshot: "public-1" }), world)).toEqual([]);
});

test("a Snapshot of another Repository than the one that is named is refused", () => {
  const { source, error } = restoreSource(restore({ repository: "public", snapshot: "secrets-1" }), world);
  expect(source).toBeUndefined();
  expect(error).toBe("Snapshot shop/secrets-1 is of Repository secrets, not of public");
  const own = restoreSource(restore({ repository: "public", snapshot: "public-1" }), world);
  expect(own.source?.snapshot.metadata.name).toBe("public-1");
});
