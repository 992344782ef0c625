import { expect } from "vitest";
import type { Session } from "../../../../src/api/backup-configuration.ts";
import { type KubeObject, refOf } from "../../../../src/api/meta.ts";
import { newBackupSession } from "../../../../src/api/new-backup-session.ts";
import { type ClusterState, stateOf, stateRef } from "../../../../src/api/own-notes.ts";
import { asRecord, records } from "../../../../src/base/json.ts";
import type { Declared } from "../../../../src/pass/declared/declared.ts";
import type { Desired } from "../../../../src/pass/desired/desired.ts";
import { resolveDesired } from "../../../../src/pass/desired/resolve-desired.ts";
import { outboxOf } from "../../../../src/pass/plan/outbox.ts";
import { planPass } from "../../../../src/pass/plan/plan.ts";
import type { Plan } from "../../../../src/pass/plan/step.ts";
import type { World } from "../../../../src/pass/plan/world.ts";
import { Backend } from "./backend.ts";
import { carryOut, type Trouble } from "./carry-out.ts";
import { Cluster, Refusal } from "./cluster.ts";
import { deepFreeze } from "./deep-freeze.ts";
import type { DeclaredFile, Event } from "./events.ts";
import { atRest, cluster as clusterName, Laws, law } from "./laws.ts";
import { endJob, isRunning, type JobEnding } from "./mover.ts";
import { type RecordAtTip, RecordBranch } from "./record.ts";
import {
  backupStorage,
  catalogueObjects,
  deployment,
  namespaceObject,
  restoreSession,
  retentionPolicy,
  type SceneOptions,
  secretObject,
  shopConfiguration,
} from "./scene.ts";

type Planned = { readonly plan: Plan; readonly seen: RecordAtTip };

const startMs = Date.parse("2026-11-20T12:00:00Z");
const well: JobEnding = { ok: true, report: true, source: "whole" };

/** Long enough for a retry, for a claim's grace, for an upload and for a schedule. */
const pauses = [61_000, 61_000, 700_000, 3_700_000, 0];

/** A world in memory with one cluster, one record, one bucket and two runs of Holdfast. */
export class Simulation {
  readonly cluster = new Cluster(startMs, "uid-of-kube-system");
  readonly record = new RecordBranch();
  readonly backend = new Backend();
  readonly laws = new Laws(this.cluster, this.record);
  private readonly options: SceneOptions;
  private readonly instances = ["run-a-1", "run-b-1"];
  private readonly files = new Set<DeclaredFile>(["storage", "policy", "web"]);
  private restarts = 1;
  private commits = 0;
  private paused = false;
  private accepted: string | undefined;
  private restoreTimeout: string | undefined;
  private unreadable = false;
  private away = false;
  /** What each run has read of the record; a run that begins while the remote is away knows nothing of it. */
  private readonly known = new Map<number, RecordAtTip>();
  private plans = 0;
  private resolved: { readonly key: string; readonly desired: Desired } | undefined;

  constructor(options: SceneOptions) {
    this.options = options;
    for (const name of ["kube-system", "holdfast", "vault", "app"])
      this.cluster.create(namespaceObject(name));
    for (const object of catalogueObjects()) this.cluster.create(object);
    this.cluster.create(secretObject("vault", "store-key"));
    this.furnish();
    if (options.lived) this.settle();
  }

  private furnish(): void {
    this.cluster.create(secretObject("app", "restic-key"));
    this.cluster.create(deployment("app", "web"));
  }

  happen(event: Event): void {
    this.cluster.writer = "test";
    switch (event.do) {
      case "pass":
        this.finish(event.by, this.plan(event.by), event.trouble);
        break;
      case "passes":
        for (let pass = 0; pass < event.count; pass += 1) {
          this.finish(event.by, this.plan(event.by), {});
          this.laws.ofChanges();
        }
        break;
      case "race": {
        const second = 1 - event.first;
        const both = [this.plan(event.first), this.plan(second)] as const;
        this.finish(event.first, both[0], event.trouble);
        this.finish(second, both[1], {});
        break;
      }
      case "restart":
        this.restart(event.by);
        break;
      case "clock":
        this.cluster.nowMs += event.seconds * 1000;
        break;
      default:
        this.outside(event);
    }
    this.laws.ofChanges();
  }

  private outside(event: Exclude<Event, { do: "pass" | "passes" | "race" | "restart" | "clock" }>): void {
    switch (event.do) {
      case "end-job":
        this.endOne(event.pick, event.ending);
        return;
      case "vanish":
        this.vanish(event.kind, event.pick);
        return;
      case "force":
        this.vanish(event.kind, event.pick, true);
        return;
      case "namespace":
        this.namespace(event.there);
        return;
      case "secret":
        this.secret(event.there);
        return;
      case "backend":
        this.backend.broken = event.broken;
        return;
      case "remote":
        this.away = event.away;
        return;
      case "trigger":
        this.trigger(event.session);
        return;
      case "accept-shrink":
        this.accepted = this.cluster
          .list("Snapshot")
          .filter((one) =>
            records(asRecord(one["status"])["conditions"]).some(
              (condition) => condition["type"] === "SourceShrunk",
            ),
          )
          .slice(0, event.one ? 1 : undefined)
          .map((one) => one.metadata.name)
          .join(",");
        this.commits += 1;
        return;
      case "pause":
        this.paused = event.paused;
        this.commits += 1;
        return;
      case "unreadable":
        this.unreadable = event.unreadable;
        return;
      case "change-restore":
        this.restoreTimeout = event.timeout;
        this.commits += 1;
        return;
      case "file":
        if (event.there) this.files.add(event.name);
        else this.files.delete(event.name);
        this.commits += 1;
    }
  }

  private restart(by: number): void {
    this.restarts += 1;
    this.known.delete(by);
    this.instances[by] = `run-${by === 0 ? "a" : "b"}-${this.restarts}`;
  }

  private declared(): readonly KubeObject[] {
    const snapshot = this.cluster.list("Snapshot", "app")[0]?.metadata.name ?? "web-repo-web-often-1";
    const named = this.declaredNamed ?? restoreSession("named", snapshot);
    const all: Readonly<Record<DeclaredFile, KubeObject>> = {
      storage: backupStorage(this.options),
      policy: retentionPolicy(this.options),
      web: shopConfiguration(this.options, {
        paused: this.paused,
        ...(this.accepted === undefined ? {} : { accept: this.accepted }),
      }),
      back: restoreSession("back", "latest", this.restoreTimeout),
      named,
    };
    if (this.files.has("named")) this.declaredNamed = named;
    return [...this.files].map((file) => all[file]);
  }

  private declaredNamed: KubeObject | undefined;

  /** What Git declares now, resolved as a pass does it; kept while the files stay as they are. */
  private desired(): Desired {
    const documents = this.declared().map((object, index) => ({
      object,
      path: `clusters/lab/${object.kind}-${object.metadata.name}.yaml`.toLowerCase(),
      line: index + 1,
      digest: "",
      placeOf: () => ({ path: "", line: 1 }),
    }));
    const key = JSON.stringify([documents, this.commits, this.unreadable]);
    if (this.resolved?.key === key) return this.resolved.desired;
    const declared = {
      revision: { branch: "main", commit: String(this.commits).padStart(40, "c") },
      documents,
      problems: [],
      complete: !this.unreadable,
      settings: {
        cluster: clusterName,
        path: "clusters/lab",
        record: { kind: "branch", branch: "record" },
        pollMs: 60_000,
      },
      others: {},
      digest: "",
    } satisfies Declared;
    const desired = resolveDesired(declared, clusterName);
    for (const { object } of desired.objects.values()) {
      deepFreeze(object);
      if (object.metadata.annotations?.["holdfast.dev/allow-wipe-out"] !== object.metadata.name) continue;
      this.laws.consents.add(object.metadata.name);
      if (object.kind === "BackupConfiguration") this.laws.consents.add("web-repo");
    }
    this.resolved = { key, desired };
    return desired;
  }

  private world(by: number, seen: RecordAtTip): World {
    const desired = this.desired();
    const observed = this.cluster.observed();
    const namespace = "holdfast";
    const outbox = outboxOf(observed, { cluster: clusterName, namespace });
    return {
      desired,
      observed,
      recorded: seen,
      own: { namespace, state: this.state(desired, seen), outbox },
      now: this.cluster.nowMs,
      instance: this.instances[by] ?? "",
      image: { registry: "r", repository: "holdfast", tag: "1" },
    };
  }

  /** What Holdfast should note: as a pass finds it, or as it was noted before the remote went away. */
  private state(desired: Desired, seen: RecordAtTip): ClusterState {
    const noted = stateOf(this.cluster.get(stateRef({ cluster: clusterName, namespace: "holdfast" })));
    if (this.away) return { ...noted, away: noted.away ?? { sinceMs: this.cluster.nowMs, because: "cut" } };
    return {
      declared: { branch: "main", commit: desired.revision },
      record: { branch: "record", commit: seen.tip, folder: "" },
    };
  }

  plan(by: number): Planned {
    const seen = this.away ? (this.known.get(by) ?? RecordBranch.unread()) : this.record.read();
    this.known.set(by, seen);
    const world = this.world(by, seen);
    const plan = planPass(world);
    this.plans += 1;
    // Every fourth time, because it doubles the work.
    if (this.plans % 4 === 0)
      law(JSON.stringify(planPass(world)) === JSON.stringify(plan), "two plans of one world are the same");
    const [bug] = plan.problems.filter(({ reason }) => reason === "PlanFailed");
    law(bug === undefined, `every object can be planned: ${bug?.object}: ${bug?.message}`);
    this.laws.ofPlan(plan, world);
    return { plan, seen };
  }

  private finish(by: number, { plan, seen }: Planned, trouble: Trouble): void {
    this.cluster.writer = this.instances[by] ?? "";
    const ended = carryOut(
      {
        cluster: this.cluster,
        backendOf: () => this.backend,
        secretThere: () => this.cluster.find("Secret", "vault", "store-key") !== undefined,
        onStep: (step) => this.laws.ofStep(step),
      },
      plan,
      trouble,
    );
    this.cluster.writer = "test";
    if (!ended) this.restart(by);
    else if (!this.away && plan.entries.length > 0 && this.record.push(seen, plan.entries))
      this.laws.ofEntries(plan.entries);
  }

  private endOne(pick: number, ending: JobEnding): void {
    const running = this.cluster.list("Job").filter(isRunning);
    const job = running[pick % Math.max(1, running.length)];
    if (job !== undefined) endJob(this.cluster, () => this.backend, job, ending);
  }

  private vanish(kind: string, pick: number, force = false): void {
    const all = this.cluster.list(kind);
    const one = all[pick % Math.max(1, all.length)];
    if (one === undefined) return;
    if (force) this.cluster.patch(refOf(one), undefined, { metadata: { finalizers: [] } });
    if (this.cluster.get(refOf(one)) !== undefined) this.cluster.delete(refOf(one));
  }

  private namespace(there: boolean): void {
    const live = this.cluster.get({ apiVersion: "v1", kind: "Namespace", name: "app" });
    if (!there) this.cluster.deleteNamespace("app");
    else if (live === undefined) {
      this.cluster.create(namespaceObject("app"));
      this.furnish();
    } else if (
      live.metadata.deletionTimestamp === undefined &&
      this.cluster.find("Deployment", "app", "web") === undefined
    )
      this.cluster.create(deployment("app", "web"));
  }

  private secret(there: boolean): void {
    const live = this.cluster.find("Secret", "vault", "store-key");
    if (there && live === undefined) this.cluster.create(secretObject("vault", "store-key"));
    if (!there && live !== undefined) this.cluster.delete(refOf(live));
  }

  /** What the trigger Job of a CronJob does. */
  private trigger(name: string): void {
    const configuration = this.cluster.find("BackupConfiguration", "app", "web");
    const session = records(asRecord(configuration?.["spec"])["sessions"]).find(
      (one) => one["name"] === name,
    );
    if (configuration === undefined || session === undefined) return;
    const made = newBackupSession(configuration, session as Session, { atMs: this.cluster.nowMs });
    try {
      this.cluster.create(made);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
    }
  }

  /** Mends what is broken, lets every Job end and time pass, until nothing more is to do. */
  settle(mend: { readonly secret: boolean } = { secret: true }): void {
    this.backend.broken = false;
    this.away = false;
    if (mend.secret) this.secret(true);
    let quietRounds = 0;
    for (let round = 0; round < 200 && quietRounds < pauses.length; round += 1) {
      const planned = this.plan(0);
      this.finish(0, planned, {});
      const running = this.cluster.list("Job").filter(isRunning);
      for (const job of running) endJob(this.cluster, () => this.backend, job, well);
      this.laws.ofChanges();
      const { steps, entries } = planned.plan;
      const quiet = steps.length === 0 && entries.length === 0 && running.length === 0;
      if (!quiet) continue;
      this.cluster.nowMs += pauses[quietRounds] ?? 0;
      quietRounds += 1;
    }
    law(
      quietRounds >= pauses.length,
      `it never comes to rest: ${JSON.stringify(this.plan(0).plan.steps.slice(0, 3))}`,
    );
  }

  expectRest(): void {
    const { plan } = this.plan(0);
    expect({ steps: plan.steps, entries: plan.entries }).toEqual({ steps: [], entries: [] });
    atRest(this.cluster, { restoresMayWait: true });
    this.laws.everythingIsRecorded();
  }

  /** Deletes everything that a person may delete, and lets Holdfast let go of it. */
  tearDown(): void {
    this.files.clear();
    this.cluster.writer = "test";
    for (const kind of [
      "RestoreSession",
      "BackupConfiguration",
      "BackupStorage",
      "Repository",
      "BackupSession",
    ])
      for (const one of this.cluster.list(kind))
        if (this.cluster.get(refOf(one))) this.cluster.delete(refOf(one));
    this.settle();
    const left = [
      "RestoreSession",
      "BackupConfiguration",
      "BackupStorage",
      "Repository",
      "Snapshot",
      "BackupSession",
    ]
      .flatMap((kind) => this.cluster.list(kind))
      .map((one) => `${one.kind} ${one.metadata.name} ${one.metadata.finalizers?.join()}`);
    expect(left).toEqual([]);
  }
}
