import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { asRecord, records } from "../../../src/base/json.ts";
import { planBackupConfiguration } from "../../../src/pass/plan/kinds/backup-configuration.ts";
import { passes } from "./model/events.ts";
import { phase } from "./model/laws.ts";
import { backupStorage, retentionPolicy, scene, shopConfiguration } from "./model/scene.ts";
import { Simulation } from "./model/simulation.ts";
import { objectOf, worldOf } from "./world-of.ts";

function stored(object: KubeObject, changes: Readonly<Record<string, unknown>> = {}): KubeObject {
  const { name, namespace = "" } = object.metadata;
  const spec = { ...asRecord(object["spec"]), ...changes };
  const finalizers = ["kubestash.com/cleanup"];
  return objectOf(object.kind, `${namespace}/${name}`, { spec, metadata: { finalizers } });
}

describe("a BackupConfiguration without backends", () => {
  const declared = shopConfiguration(scene);
  const sessions = records(asRecord(declared["spec"])["sessions"]).map((session) => ({
    ...session,
    repositories: records(session["repositories"]).map(({ backend: _backend, ...rest }) => rest),
  }));
  const bare = stored(declared, { backends: undefined, sessions });
  const plan = (...around: readonly KubeObject[]) =>
    planBackupConfiguration(bare, worldOf(bare, objectOf("Namespace", "app"), ...around));

  test("takes the default storage and policy for its Repositories", () => {
    const { steps } = plan(
      stored(backupStorage(scene), { default: true }),
      stored(retentionPolicy(scene), { default: true }),
    );
    const repository = steps
      .flatMap((step) => (step.kind === "apply" ? [step.object] : []))
      .find((one) => one.kind === "Repository");
    expect(repository?.["spec"]).toMatchObject({
      storageRef: { name: "store", namespace: "vault" },
      path: "/web",
    });
  });

  test("is Invalid, in a sentence, where there is no default", () => {
    const { problems } = plan(stored(backupStorage(scene)), stored(retentionPolicy(scene)));
    expect(problems.map(({ message }) => message).join()).toContain(
      "no backend and no default BackupStorage",
    );
  });
});

describe("a BackupConfiguration", () => {
  test("gets its CronJobs and their accounts back when somebody removes them", () => {
    const simulation = new Simulation(scene);
    const names = (kind: string) =>
      simulation.cluster
        .list(kind)
        .map((one) => one.metadata.name)
        .filter((name) => name.startsWith("trigger-"))
        .sort();
    const before = ["CronJob", "ServiceAccount", "RoleBinding"].map(names);
    for (const kind of ["CronJob", "ServiceAccount", "RoleBinding"])
      simulation.happen({ do: "vanish", kind, pick: 0 });
    simulation.happen(passes);
    expect(["CronJob", "ServiceAccount", "RoleBinding"].map(names)).toEqual(before);
  });

  test("suspends its CronJobs while it is paused", () => {
    const simulation = new Simulation(scene);
    const suspended = () => simulation.cluster.list("CronJob").map((one) => asRecord(one["spec"])["suspend"]);
    expect(suspended()).toEqual([false, false]);
    simulation.happen({ do: "pause", paused: true });
    simulation.happen(passes);
    expect(suspended()).toEqual([true, true]);
  });

  test("makes no initial backup again when its Snapshots came back", () => {
    const simulation = new Simulation(scene);
    simulation.happen({ do: "namespace", there: false });
    simulation.settle();
    simulation.happen({ do: "namespace", there: true });
    simulation.settle();
    expect(simulation.cluster.list("BackupSession")).toEqual([]);
    const [web] = simulation.cluster.list("BackupConfiguration");
    const conditions = records(asRecord(web?.["status"])["sessions"]).flatMap((one) =>
      records(one["conditions"]),
    );
    expect(conditions.filter((one) => one["type"] === "InitialBackupTriggered")).toHaveLength(2);
    expect(phase(web)).toBe("Ready");
  });

  test("does not hold a storage that is to go by making its Repositories again", () => {
    const simulation = new Simulation(scene);
    simulation.happen({ do: "file", name: "storage", there: false });
    simulation.settle();
    expect(simulation.cluster.list("BackupStorage")).toEqual([]);
  });
});
