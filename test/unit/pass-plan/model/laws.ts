import { recordFinalizer } from "../../../../src/api/labels.ts";
import { type KubeObject, nameOf, refOf } from "../../../../src/api/meta.ts";
import { isOutboxMap, outboxRef } from "../../../../src/api/own-notes.ts";
import { entryPath } from "../../../../src/api/record-layout.ts";
import { asRecord, records } from "../../../../src/base/json.ts";
import type { Entry, Plan, Step } from "../../../../src/pass/plan/step.ts";
import type { World } from "../../../../src/pass/plan/world.ts";
import type { Cluster } from "./cluster.ts";
import { componentLabel } from "./mover.ts";
import type { RecordBranch } from "./record.ts";

export const cluster = "lab";
const finals: Readonly<Record<string, readonly string[]>> = {
  BackupSession: ["Succeeded", "Failed", "Skipped"],
  Snapshot: ["Succeeded", "Failed"],
  RestoreSession: ["Succeeded", "Failed", "Unknown"],
};
const prunable = [
  "RestoreSession",
  "BackupConfiguration",
  "RetentionPolicy",
  "BackupStorage",
  "Addon",
  "Function",
];

export function phase(object: KubeObject | undefined): string {
  return String(asRecord(object?.["status"])["phase"] ?? "");
}

export function isFinal(object: KubeObject): boolean {
  return finals[object.kind]?.includes(phase(object)) ?? false;
}

function has(object: KubeObject, type: string, status: string): boolean {
  return records(asRecord(object["status"])["conditions"]).some(
    (one) => one["type"] === type && one["status"] === status,
  );
}

/** What must hold at every moment of every history; a breach is thrown with the law's own words. */
export class Laws {
  private readonly live: Cluster;
  private readonly record: RecordBranch;
  private seen = 0;
  private readonly restoreJobs = new Set<string>();
  private readonly told = new Set<string>();
  /** Objects that ended under the record's finalizer: by uid, the path of their entry. */
  private readonly ended = new Map<string, string>();
  /** Names that were declared with consent in a commit that is in force. */
  readonly consents = new Set<string>();

  constructor(live: Cluster, record: RecordBranch) {
    this.live = live;
    this.record = record;
  }

  ofPlan(plan: Plan, world: World): void {
    for (const step of plan.steps) {
      if (isRestoreJob(step)) this.isClaimed(step.object, world);
      if (step.kind === "delete") this.mayBePruned(step, world);
      if (step.kind === "create" && componentLabel(step.object) === "kubestash-retention-policy")
        this.sparesTheLastGood(step.object);
    }
  }

  /** Asked before an effect happens. */
  ofStep(step: Step): void {
    if (isRestoreJob(step)) {
      const key = `${step.object.metadata.namespace}/${step.object.metadata.name}`;
      const made = this.live.get(refOf(step.object)) === undefined && !this.live.refused.has("Job");
      if (made) {
        law(!this.restoreJobs.has(key), `a restore runs at most once, and Job ${key} is made again`);
        this.restoreJobs.add(key);
      }
    }
    if (step.kind === "store" && step.write.do === "wipe")
      law(
        this.consents.has(step.mark?.ref.name ?? ""),
        `data of ${step.mark?.ref.name} is wiped without consent`,
      );
    if (step.kind === "create" && componentLabel(step.object) === "kubestash-cleaner")
      law(
        this.consents.has(step.object.metadata.ownerReferences?.[0]?.name ?? ""),
        `Job ${step.object.metadata.name} would wipe without consent`,
      );
  }

  ofEntries(entries: readonly Entry[]): void {
    for (const entry of entries.filter((one) => one.when === "now" && one.content !== undefined)) {
      const record = asRecord(entry.content?.["record"]);
      const status = asRecord(entry.content?.["status"]);
      const uid = asRecord(entry.content?.["metadata"])["uid"];
      const key = `${entry.path} ${String(uid)} ${String(record["phase"] ?? status["phase"])}`;
      law(!this.told.has(key), `what is final is recorded once, and ${key} is told again`);
      this.told.add(key);
    }
  }

  /** Looks at every change since it was asked last. */
  ofChanges(): void {
    for (const { before, after, by } of this.live.changes.slice(this.seen)) {
      if (before !== undefined && isFinal(before) && after !== undefined)
        law(
          phase(after) === phase(before),
          `a final phase stays, and ${nameOf(refOf(before))} goes from ${phase(before)} to ${phase(after)}`,
        );
      this.mustBeRecorded(before, after, by);
      if (by !== "test" && before !== undefined) this.letsGoOfRecorded(before, after);
    }
    this.seen = this.live.changes.length;
    this.oneJobPerComponent();
  }

  /** What a hand tears away from the record, or what the record forbade to run, need not be in it. */
  private mustBeRecorded(before: KubeObject | undefined, after: KubeObject | undefined, by: string): void {
    const waits = after?.metadata.finalizers?.includes(recordFinalizer) === true;
    const { uid = "" } = (after ?? before)?.metadata ?? {};
    if (after !== undefined && waits && isFinal(after) && !has(after, "Held", "True"))
      this.ended.set(uid, entryPath(cluster, after));
    const torn = by === "test" && before?.metadata.finalizers?.includes(recordFinalizer) === true && !waits;
    if (torn) this.ended.delete(uid);
  }

  /** Asked when the remote is back and everything is at rest. */
  everythingIsRecorded(): void {
    const written = new Set(
      this.record.pushed.map(
        ({ path, content }) => `${path} ${String(asRecord(content?.["metadata"])["uid"])}`,
      ),
    );
    for (const [uid, path] of this.ended)
      law(written.has(`${path} ${uid}`), `what ended is recorded, and ${path} of ${uid} never was`);
    const left = this.live.list("ConfigMap").filter((one) => isOutboxMap(one, cluster));
    law(left.length === 0, `the outbox is empty in the end, and it has ${left[0]?.metadata.name}`);
  }

  private isClaimed(job: KubeObject, world: World): void {
    const { namespace = "", ownerReferences = [] } = job.metadata;
    const name = ownerReferences[0]?.name ?? "";
    const entry = world.recorded.restore(namespace, name);
    const own = entry?.phase === "Claimed" && entry.holder === world.instance;
    const begun = world.observed
      .ownedBy(job.metadata.ownerReferences?.[0]?.uid ?? "")
      .some((one) => componentLabel(one) === "kubestash-restore");
    law(own || begun, `Job ${name} is made without a claim of this run: ${JSON.stringify(entry)}`);
  }

  private mayBePruned(step: Extract<Step, { kind: "delete" }>, world: World): void {
    const object = world.observed.get(step.ref);
    if (
      !prunable.includes(step.ref.kind) ||
      object?.metadata.annotations?.["holdfast.dev/declared-in"] === undefined
    )
      return;
    law(world.desired.complete, `${nameOf(step.ref)} is pruned though something could not be read`);
    law(world.desired.objects.size > 0, `${nameOf(step.ref)} is pruned though nothing is declared`);
  }

  private sparesTheLastGood(job: KubeObject): void {
    const names = (job.metadata.annotations?.["holdfast.dev/snapshots"] ?? "").split(",");
    const all = this.live.list("Snapshot", job.metadata.namespace);
    law(
      !all.some((one) => has(one, "SourceShrunk", "True")),
      `Job ${job.metadata.name} forgets although a source shrank`,
    );
    const groups = new Map<string, KubeObject[]>();
    for (const snapshot of all.filter((one) => phase(one) === "Succeeded"))
      for (const component of Object.keys(asRecord(asRecord(snapshot["status"])["components"]))) {
        const group = `${String(asRecord(snapshot["spec"])["session"])}/${component}`;
        groups.set(group, [...(groups.get(group) ?? []), snapshot]);
      }
    for (const [group, snapshots] of groups)
      law(
        snapshots.some((one) => !names.includes(one.metadata.name)),
        `Job ${job.metadata.name} forgets every good snapshot of ${group}`,
      );
  }

  /** The record's finalizer goes only when the record has the outcome. */
  private letsGoOfRecorded(before: KubeObject, after: KubeObject | undefined): void {
    const holds = (object: KubeObject | undefined) =>
      object?.metadata.finalizers?.includes(recordFinalizer) === true;
    if (!holds(before) || holds(after) || !isFinal(before)) return;
    const path = entryPath(cluster, before);
    if (this.live.get(outboxRef("holdfast", path)) !== undefined) return;
    const content = this.record.content(path);
    const recorded = asRecord(content?.["record"])["phase"] ?? asRecord(content?.["status"])["phase"];
    law(
      recorded !== undefined && recorded !== "Claimed",
      `${nameOf(refOf(before))} is let go as ${phase(before)} and the record has ${String(recorded)}`,
    );
  }

  private oneJobPerComponent(): void {
    const seen = new Set<string>();
    for (const job of this.live.list("Job")) {
      if (!["kubestash-backup", "kubestash-restore"].includes(componentLabel(job))) continue;
      const key = `${job.metadata.ownerReferences?.[0]?.uid}/${job.metadata.annotations?.["holdfast.dev/component"]}`;
      law(!seen.has(key), `two Jobs do ${key}`);
      seen.add(key);
    }
  }
}

/** Whatever happened: in the end everything is final, and what was deleted is gone. */
export function atRest(live: Cluster, declared: { readonly restoresMayWait: boolean }): void {
  for (const kind of ["BackupSession", "Snapshot", "RestoreSession"])
    for (const object of live.list(kind)) {
      const waits =
        kind === "RestoreSession" &&
        declared.restoresMayWait &&
        ["", "Pending", "Invalid"].includes(phase(object));
      law(
        isFinal(object) || waits,
        `${nameOf(refOf(object))} never ends: ${JSON.stringify(object["status"])}`,
      );
    }
  for (const kind of [
    "BackupStorage",
    "Repository",
    "BackupConfiguration",
    "BackupSession",
    "Snapshot",
    "RestoreSession",
    "Namespace",
  ])
    for (const object of live.list(kind))
      law(
        object.metadata.deletionTimestamp === undefined,
        `${nameOf(refOf(object))} is never let go: ${object.metadata.finalizers?.join(", ")} ${JSON.stringify(object["status"])}`,
      );
}

export function law(holds: boolean, breach: string): void {
  if (!holds) throw new Error(`law broken: ${breach}`);
}

function isRestoreJob(step: Step): step is Extract<Step, { kind: "create" }> {
  return (
    step.kind === "create" &&
    step.object.kind === "Job" &&
    componentLabel(step.object) === "kubestash-restore"
  );
}
