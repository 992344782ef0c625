import { describe, expect, test } from "vitest";
import { type KubeObject, refOf } from "../../../src/api/meta.ts";
import { asRecord, records } from "../../../src/base/json.ts";
import { deadlineOf } from "../../../src/pass/plan/deadline.ts";
import { planBackupSession } from "../../../src/pass/plan/kinds/backup-session.ts";
import { passes } from "./model/events.ts";
import { isFinal, phase } from "./model/laws.ts";
import { type SceneOptions, scene } from "./model/scene.ts";
import { Simulation } from "./model/simulation.ts";
import { now, objectOf, worldOf } from "./world-of.ts";

const failing = { ok: false, report: true, source: "whole" } as const;

/** A shop with its initial backups behind it, one second later. */
function shop(changes: Partial<SceneOptions> = {}): Simulation {
  const simulation = new Simulation({ ...scene, ...changes });
  simulation.happen({ do: "clock", seconds: 1 });
  return simulation;
}

function sessions(simulation: Simulation, session: string): readonly KubeObject[] {
  return simulation.cluster
    .list("BackupSession")
    .filter((one) => asRecord(one["spec"])["session"] === session)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

function newest(simulation: Simulation, session: string): KubeObject | undefined {
  return sessions(simulation, session).at(-1);
}

function message(object: KubeObject | undefined, type: string): string | undefined {
  const found = records(asRecord(object?.["status"])["conditions"]).find((one) => one["type"] === type);
  return found === undefined ? undefined : String(found["message"]);
}

function runningJobs(simulation: Simulation, session: KubeObject | undefined): readonly string[] {
  return simulation.cluster
    .list("Job")
    .filter((job) => job.metadata.ownerReferences?.some((owner) => owner.uid === session?.metadata.uid))
    .map((job) => job.metadata.name);
}

/** A session that has its Snapshots and no Jobs yet. */
function begin(simulation: Simulation): void {
  simulation.happen({ do: "trigger", session: "files" });
  const begun = () => message(newest(simulation, "files"), "SnapshotsEnsured") !== undefined;
  for (let pass = 0; pass < 10 && !begun(); pass += 1) simulation.happen({ do: "pass", by: 0, trouble: {} });
  expect(runningJobs(simulation, newest(simulation, "files"))).toEqual([]);
}

describe("a BackupSession that is made", () => {
  test("of two tasks makes one Snapshot and a Job per component, and ends with both", () => {
    const simulation = shop();
    simulation.happen({ do: "trigger", session: "often" });
    simulation.happen(passes);
    const session = newest(simulation, "often");
    const { name = "" } = session?.metadata ?? {};
    expect(runningJobs(simulation, session).toSorted()).toEqual([`${name}-dump`, `${name}-manifest`]);
    simulation.settle();
    const ended = newest(simulation, "often");
    expect(phase(ended)).toBe("Succeeded");
    expect(records(asRecord(ended?.["status"])["snapshots"])).toMatchObject([
      { name: `web-repo-${name}`, phase: "Succeeded", repository: "web-repo" },
    ]);
    expect(runningJobs(simulation, session).length).toBe(2);
    const accounts = simulation.cluster
      .list("ServiceAccount")
      .filter((one) => one.metadata.labels?.["holdfast.dev/access-of"] === session?.metadata.uid);
    expect(accounts).toEqual([]);
  });

  test("of one task has a Job by its own name", () => {
    const simulation = shop();
    simulation.happen({ do: "trigger", session: "files" });
    simulation.happen(passes);
    const session = newest(simulation, "files");
    expect(runningJobs(simulation, session)).toEqual([session?.metadata.name]);
  });
});

describe("a BackupSession that may not start", () => {
  test("is skipped while another one of its configuration runs", () => {
    const simulation = shop();
    simulation.happen({ do: "trigger", session: "files" });
    simulation.happen(passes);
    const first = newest(simulation, "files")?.metadata.name ?? "";
    simulation.happen({ do: "clock", seconds: 1 });
    simulation.happen({ do: "trigger", session: "often" });
    simulation.happen(passes);
    expect(phase(newest(simulation, "often"))).toBe("Skipped");
    expect(message(newest(simulation, "often"), "BackupSkipped")).toBe(
      `BackupSession ${first} is still running`,
    );
  });

  test("is skipped when its spec was changed after it was made", () => {
    const metadata = { generation: 2, annotations: { "holdfast.dev/declared-commit": "c" } };
    const finalizers = ["kubestash.com/cleanup", "holdfast.dev/record"];
    const spec = { invoker: { kind: "BackupConfiguration", name: "web" }, session: "often" };
    const changed = objectOf("BackupSession", "app/web-often-1", {
      spec,
      metadata: { ...metadata, finalizers },
    });
    const web = objectOf("BackupConfiguration", "app/web", { spec: { sessions: [{ name: "often" }] } });
    const [status] = planBackupSession(changed, worldOf(changed, web)).steps.flatMap((step) =>
      step.kind === "status" ? [step.status] : [],
    );
    expect(status).toMatchObject({ phase: "Skipped" });
    expect(JSON.stringify(status)).toContain("its spec was changed after it was made");
  });

  test("is skipped while the configuration is paused", () => {
    const simulation = shop();
    simulation.happen({ do: "pause", paused: true });
    simulation.happen(passes);
    simulation.happen({ do: "trigger", session: "often" });
    simulation.happen(passes);
    expect(message(newest(simulation, "often"), "BackupSkipped")).toContain("is paused");
  });

  test("is skipped while the configuration is not Ready", () => {
    const simulation = shop();
    simulation.happen({ do: "vanish", kind: "Deployment", pick: 0 });
    simulation.happen(passes);
    simulation.happen({ do: "trigger", session: "often" });
    simulation.happen(passes);
    expect(message(newest(simulation, "often"), "BackupSkipped")).toContain("is NotReady");
  });
});

describe("a BackupSession that has begun", () => {
  test("is followed to its end though its Repository is no longer there", () => {
    const simulation = shop();
    simulation.happen({ do: "trigger", session: "files" });
    simulation.happen(passes);
    simulation.happen({ do: "vanish", kind: "Repository", pick: 0 });
    simulation.happen(passes);
    expect(phase(newest(simulation, "files"))).not.toBe("Skipped");
    simulation.settle();
    expect(sessions(simulation, "files").every(isFinal)).toBe(true);
  });

  test("gives its Jobs no Secret that its Repository was pointed at meanwhile, and fails", () => {
    const simulation = shop();
    begin(simulation);
    const [repository] = simulation.cluster.list("Repository");
    const encryptionSecret = { name: "signing-key", namespace: "kube-system" };
    if (repository !== undefined)
      simulation.cluster.patch(refOf(repository), undefined, { spec: { encryptionSecret } });
    simulation.happen({ do: "pass", by: 0, trouble: {} });
    const session = newest(simulation, "files");
    expect(message(session, "SnapshotsEnsured")).toBe("");
    expect(message(session, "BackupExecutorEnsured")).toContain(
      "Secret kube-system/signing-key may not be used from namespace app",
    );
    simulation.happen(passes);
    expect(phase(newest(simulation, "files"))).toBe("Failed");
    expect(JSON.stringify(simulation.cluster.list("Role"))).not.toContain("signing-key");
    expect(runningJobs(simulation, session)).toEqual([]);
  });

  test("is tried again when it failed, after the delay and as often as it may", () => {
    const simulation = shop({ retries: 2, history: 2 });
    simulation.happen({ do: "trigger", session: "files" });
    simulation.happen(passes);
    const failed = newest(simulation, "files");
    simulation.happen({ do: "end-job", pick: 0, ending: failing });
    simulation.happen(passes);
    simulation.happen(passes);
    expect(phase(newest(simulation, "files"))).toBe("Failed");
    expect(newest(simulation, "files")?.metadata.name).toBe(failed?.metadata.name);
    expect(simulation.plan(0).plan.waiting).toEqual([
      `BackupSession app/${failed?.metadata.name}: its retry`,
    ]);
    simulation.happen({ do: "clock", seconds: 61 });
    simulation.happen(passes);
    const again = newest(simulation, "files");
    expect(again?.metadata.name).not.toBe(failed?.metadata.name);
    expect(asRecord(again?.["spec"])["retryLeft"]).toBe(1);
    const before = sessions(simulation, "files").find((one) => one.metadata.name === failed?.metadata.name);
    expect(asRecord(before?.["status"])["retried"]).toBe(true);
  });
});

test.each(["9999999999h", `${"9".repeat(400)}h`])(
  "a duration of %s in the cluster counts as ten years",
  (long) => {
    const tenYears = "2036-11-17T12:00:00Z";
    expect(deadlineOf(long, now)).toBe(tenYears);
    const configuration = objectOf("BackupConfiguration", "app/web", {
      spec: { sessions: [{ name: "files", retryConfig: { maxRetry: 1, delay: long } }] },
    });
    const failed = objectOf("BackupSession", "app/one", {
      spec: {
        invoker: { kind: "BackupConfiguration", name: "web" },
        session: "files",
        retryLeft: 1,
        backupTimeout: long,
      },
      status: { phase: "Failed" },
    });
    const { steps, waiting } = planBackupSession(failed, worldOf(configuration, failed));
    expect(steps).toContainEqual(
      expect.objectContaining({
        kind: "status",
        status: expect.objectContaining({ nextRetry: tenYears }) as unknown,
      }),
    );
    expect(waiting).toEqual(["BackupSession app/one: its retry"]);
  },
);

describe("a BackupSession that has begun and ends", () => {
  test("out of time loses its Jobs and fails, and says why", () => {
    const simulation = shop({ timeout: "10m" });
    simulation.happen({ do: "trigger", session: "files" });
    simulation.happen(passes);
    const session = newest(simulation, "files");
    expect(runningJobs(simulation, session)).toHaveLength(1);
    simulation.happen({ do: "clock", seconds: 700 });
    simulation.happen(passes);
    simulation.happen(passes);
    expect(runningJobs(simulation, session)).toEqual([]);
    expect(phase(newest(simulation, "files"))).toBe("Failed");
    const snapshot = simulation.cluster.find("Snapshot", "app", `web-repo-${session?.metadata.name}`);
    expect(message(snapshot, "BackupIncomplete")).toContain("backupTimeout passed");
  });

  test("that nobody has set a time for ends after seven days, and says how to give it more", () => {
    const simulation = shop();
    simulation.happen({ do: "trigger", session: "files" });
    simulation.happen(passes);
    const session = newest(simulation, "files");
    simulation.happen({ do: "clock", seconds: 6 * 86_400 });
    simulation.happen(passes);
    expect(runningJobs(simulation, session)).toHaveLength(1);
    simulation.happen({ do: "clock", seconds: 86_400 });
    simulation.happen(passes);
    simulation.happen(passes);
    expect(runningJobs(simulation, session)).toEqual([]);
    expect(phase(newest(simulation, "files"))).toBe("Failed");
    const snapshot = simulation.cluster.find("Snapshot", "app", `web-repo-${session?.metadata.name}`);
    expect(message(snapshot, "BackupIncomplete")).toMatch(
      /after 7 days; where that is too short, set backupTimeout/,
    );
  });

  test("goes when newer ones fill the history, and its entry leaves the tip", () => {
    const simulation = shop({ history: 1 });
    simulation.happen({ do: "trigger", session: "files" });
    simulation.settle();
    const [first] = sessions(simulation, "files");
    expect(first).toBeDefined();
    simulation.happen({ do: "clock", seconds: 1 });
    simulation.happen({ do: "trigger", session: "files" });
    simulation.settle();
    expect(sessions(simulation, "files")).toHaveLength(1);
    expect(newest(simulation, "files")?.metadata.name).not.toBe(first?.metadata.name);
    const entries = simulation.record.read().paths();
    expect(entries.filter((path) => path.includes(`/${first?.metadata.name}.yaml`))).toEqual([]);
    expect(
      entries.filter((path) => path.includes(`/${newest(simulation, "files")?.metadata.name}.yaml`)),
    ).toHaveLength(1);
  });

  test("does not take a Job of its name that belongs to something else for its own", () => {
    const simulation = shop();
    simulation.happen({ do: "trigger", session: "files" });
    const name = newest(simulation, "files")?.metadata.name ?? "";
    simulation.cluster.create({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name, namespace: "app", labels: { "app.kubernetes.io/managed-by": "holdfast" } },
    });
    simulation.happen(passes);
    simulation.happen(passes);
    const snapshot = simulation.cluster.find("Snapshot", "app", `web-repo-${name}`);
    expect(message(snapshot, "BackupIncomplete")).toContain(`Job app/${name} is there already`);
  });
});

test("of two sessions that save the same into one Repository the one that saves most gets the initial backup", () => {
  const simulation = new Simulation({ ...scene, lived: false });
  simulation.settle();
  const made = simulation.cluster.list("BackupSession");
  expect(made.map((one) => [asRecord(one["spec"])["session"], phase(one)])).toEqual([["often", "Succeeded"]]);
});
