import { afterEach, expect, test } from "vitest";
import type { KubeObject, Resource } from "../../src/api/meta.ts";
import { eventually } from "../support/eventually.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { requireOrSkip } from "../support/real-parts.ts";
import {
  conditionMessage,
  configuration,
  field,
  localStorage,
  namespaceObject,
  password,
  phase,
  restore,
  retentionPolicy,
  secretObject,
  triggerSession,
} from "./lab.ts";

const runs = requireOrSkip("restic", "git", "kube-apiserver", "etcd", "kube-controller-manager");
const quotas: Resource = {
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  namespaced: true,
};
const quota: KubeObject = {
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { namespace: "vault", name: "no-more-jobs" },
  spec: { hard: { "count/jobs.batch": "0" } },
};

/** A real server asks for rights: who saves and restores manifests may do everything here. */
const account: readonly KubeObject[] = [
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "dumper", namespace: "vault" } },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "dumper" },
    subjects: [{ kind: "ServiceAccount", name: "dumper", namespace: "vault" }],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
  },
];

const addon = (task: string) => ({
  name: "kubedump-addon",
  jobTemplate: { spec: { serviceAccountName: "dumper" } },
  tasks: [{ name: task, params: { IncludeNamespaces: "app" } }],
});

let world: HoldfastWorld | undefined;

afterEach(async () => {
  await world?.close();
});

test.runIf(runs)(
  "a quota that lets no Job be made is told by the sessions in the API server's own words, and a restore runs once it may",
  async () => {
    const here = await openWorld({ kind: "kube-apiserver" });
    world = here;
    for (const object of [
      namespaceObject("vault"),
      namespaceObject("app"),
      secretObject("vault", "restic-password", { RESTIC_PASSWORD: password }),
      ...account,
    ])
      await here.create(object);
    here.remote.commit("Back up", {
      "clusters/lab/app.yaml": [
        localStorage(here),
        retentionPolicy(),
        configuration({ addon: addon("manifest-backup") }),
      ],
    });
    await here.run();
    await here.kube.create(quotas, quota, { manager: "test" });
    await eventually(async () => {
      const inForce = await here.kube.get(quotas, quota.metadata);
      expect(field(inForce, "status", "hard", "count/jobs.batch")).toBe("0");
    });
    here.remote.commit("Restore", {
      "clusters/lab/restores/back.yaml": restore("back", { addon: addon("manifest-restore") }),
    });
    const name = await triggerSession(here);
    for (let passes = 0; passes < 8; passes += 1) await here.pass();
    const refused =
      /^Unknown Forbidden: .*403 Forbidden: .*exceeded quota: no-more-jobs, requested: count\/jobs.batch=1/;
    const session = await here.get("BackupSession", "vault", name);
    expect(conditionMessage(session, "BackupExecutorEnsured")).toMatch(refused);
    const held = await here.get("RestoreSession", "vault", "back");
    expect(conditionMessage(held, "RestoreExecutorEnsured")).toMatch(refused);
    expect(field(held, "status", "restoreDeadline")).toBeDefined();
    await here.pass();
    const after = await here.get("RestoreSession", "vault", "back");
    expect(after?.metadata.resourceVersion).toBe(held?.metadata.resourceVersion);
    await here.kube.delete(quotas, { namespace: "vault", name: "no-more-jobs" });
    await here.run();
    expect(phase(await here.get("RestoreSession", "vault", "back"))).toBe("Succeeded");
    expect(phase(await here.get("BackupSession", "vault", name))).toBe("Succeeded");
  },
  240_000,
);
