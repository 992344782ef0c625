import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { eventually } from "../../support/eventually.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { mayMount, mountSmallDisk, type SmallDisk } from "../../support/small-disk.ts";
import {
  conditionMessage,
  configMap,
  configuration,
  field,
  phase,
  restore,
  retentionPolicy,
} from "../lab.ts";
import { furnish, retried, trigger } from "./fault-lab.ts";
import { type FaultWorld, openFaultWorld } from "./fault-world.ts";
import { checkBackupLaws, checkRest, sessionsOf } from "./laws.ts";

const full = /no space left on device/;
/** A try again that leaves time to make room. */
const patient = { ...retried, retryConfig: { maxRetry: 3, delay: "3s" } };

let world: FaultWorld;
/** Where pods keep their scratch volumes, and where the backend is. */
let pods: SmallDisk;
let backend: SmallDisk;

/** Unlike the one before, so that it has to be written, and not smaller by compression. */
function large(): KubeObject {
  return configMap("app", "large", { random: randomBytes(300_000).toString("base64") });
}

function localStorage(name: string, path: string): KubeObject {
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "BackupStorage",
    metadata: { name, namespace: "vault" },
    spec: {
      storage: { provider: "local", local: { hostPath: { path }, mountPath: "/backend" } },
      usagePolicy: { allowedNamespaces: { from: "All" } },
    },
  };
}

/** A standing configuration whose first backup is made. */
async function settle(): Promise<void> {
  world = await openFaultWorld({
    backend: "backend/standing",
    beforeStart(podsFolder, home) {
      pods = mountSmallDisk(podsFolder, 8_000_000);
      backend = mountSmallDisk(join(home, "backend"), 4_000_000);
      for (const folder of ["standing", "late"]) mkdirSync(join(backend.path, folder));
    },
  });
  await furnish(world);
  await world.create(large());
  world.remote.commit("Declare storage, retention and a backup", {
    "clusters/lab/storage.yaml": [
      localStorage("store", world.backend),
      retentionPolicy({ successfulSnapshots: { last: 1 } }),
    ],
    "clusters/lab/app.yaml": configuration({ session: { ...patient, sessionHistoryLimit: 4 } }),
  });
  expect((await world.run()).failures).toEqual([]);
}

/** Triggers a backup that fails, and answers what its Snapshot says; `heal` comes before the retry. */
async function failAndHeal(heal: () => void): Promise<string> {
  const known = new Set((await sessionsOf(world, "app-manifests")).map((one) => one.metadata.name));
  const first = await trigger(world);
  const run = world.run();
  await eventually(async () => {
    expect(phase(await world.get("BackupSession", "vault", first))).toBe("Failed");
  }, 90_000);
  const snapshots = await world.list("Snapshot", "vault");
  const snapshot = snapshots.find((one) => field(one, "spec", "backupSession") === first);
  heal();
  expect((await run).end).toBe("done");
  await checkBackupLaws(world, "app-manifests", known);
  await checkRest(world);
  return JSON.stringify(snapshot?.["status"]);
}

describe.runIf(requireOrSkip("restic", "git", "versitygw") && mayMount())(
  "a disk that is full",
  { retry: 0 },
  () => {
    beforeAll(settle, 120_000);

    afterEach(() => {
      pods?.makeRoom();
      backend?.makeRoom();
    });

    afterAll(async () => {
      pods?.unmount();
      backend?.unmount();
      await world?.close();
    });

    test("under the backend makes its storage NotReady and names the path, until there is room", async () => {
      const path = join(backend.path, "late");
      backend.fill();
      const declared = { name: "late", storage: "late", repository: "late", directory: "/late" };
      world.remote.commit("Declare another storage and a backup into it", {
        "clusters/lab/late-storage.yaml": localStorage("late", path),
        "clusters/lab/late.yaml": configuration({ ...declared, session: patient }),
      });
      await world.run();
      const storage = await world.get("BackupStorage", "vault", "late");
      expect(phase(storage)).toBe("NotReady");
      expect(conditionMessage(storage, "BackendInitialized")).toMatch(full);
      expect(conditionMessage(storage, "BackendInitialized")).toContain("/backend");
      backend.makeRoom();
      const { end, failures } = await world.run({ aheadMs: 61_000 });
      expect({ end, failures }).toEqual({ end: "done", failures: [] });
      await checkBackupLaws({ ...world, backend: path }, "late", new Set());
    });

    test("under the backend fails a backup in restic's words, and the retry heals", async () => {
      await world.kube.delete(builtIn.ConfigMap, { namespace: "app", name: "large" });
      await world.create(large());
      backend.fill(40_000);
      const said = await failAndHeal(() => backend.makeRoom());
      expect(said).toMatch(full);
      expect(said).toMatch(/\/backend\/app\/manifests/);
    });

    test("under the scratch volume fails a backup and names the file, and the retry heals", async () => {
      pods.fill(300_000);
      const said = await failAndHeal(() => pods.makeRoom());
      expect(said).toMatch(full);
      expect(said).toMatch(/kubestash-tmp\/manifest\/[^ ]+ cannot be written/);
    });

    test("under the scratch volume fails a restore, which runs under a new name", async () => {
      await world.kube.delete(builtIn.ConfigMap, { namespace: "app", name: "large" });
      pods.fill(200_000);
      world.remote.commit("Restore", { "clusters/lab/restores/back.yaml": restore("back") });
      await world.run();
      const failed = await world.get("RestoreSession", "vault", "back");
      expect(phase(failed)).toBe("Failed");
      expect(JSON.stringify(failed?.["status"])).toMatch(full);
      pods.makeRoom();
      world.remote.commit("Restore again", { "clusters/lab/restores/again.yaml": restore("again") });
      expect((await world.run()).failures).toEqual([]);
      expect(phase(await world.get("RestoreSession", "vault", "again"))).toBe("Succeeded");
      expect(await world.get("ConfigMap", "app", "large")).toBeDefined();
    });
  },
);
