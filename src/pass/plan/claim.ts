import type { KubeObject } from "../../api/meta.ts";
import { parseEntryPath, restoreEntryPath } from "../../api/record-layout.ts";
import { digestOf } from "../../base/digest.ts";
import { asRecord, records } from "../../base/json.ts";
import type { Problem } from "../../base/problem.ts";
import { withoutUserinfo } from "../../base/redact.ts";
import type { RestoreEntry } from "../record/recorded.ts";
import { withoutAway } from "./away-condition.ts";
import { conditionIs, phaseOf } from "./snapshots.ts";
import type { Entry } from "./step.ts";
import type { World } from "./world.ts";

/**
 * What the record says of a restore by this name:
 * - `free`: nothing; a claim must be at the remote's tip before a Job is made.
 * - `ours`: claimed by this run of Holdfast, or by an earlier one whose Job is still there.
 * - `elsewhere`: claimed a moment ago by another run, which may be about to make the Job.
 * - an object: it must not run, and why.
 */
export type ClaimState =
  | "free"
  | "ours"
  | "elsewhere"
  | {
      readonly phase: "Succeeded" | "Failed" | "Invalid" | "Unknown" | "Pending";
      readonly reason: string;
      readonly message: string;
      readonly next: string;
      readonly severity: "error" | "warning";
      readonly status?: Readonly<Record<string, unknown>>;
    };

/** A claim of another run without a Job is left alone for this long before it counts as lost. */
const graceMs = 30_000;

export function claimOf(restore: KubeObject, world: World, hasJob: boolean): ClaimState {
  const { namespace = "", name } = restore.metadata;
  const entry = world.recorded.restore(namespace, name);
  const digest = digestOf(restore["spec"]);
  const again = `declare it under a new name: holdfast restore --again ${name}`;
  const begun = hasJob || conditionIs(restore, "RestoreExecutorEnsured", "True");
  if (entry === undefined) {
    // Begun under a claim that the record has lost, or that cannot be read now: it ends, and its outcome is written.
    if (begun) return "ours";
    return mayHaveRun(restore) ? lost(name, again) : "free";
  }
  if (entry.unreadable !== undefined) {
    // Its Job was made under a claim that could be read then.
    if (hasJob) return "ours";
    const message = unreadableText(name, entry.unreadable);
    const next = `put back the last content that can be read, or ${again}`;
    return { phase: "Pending", reason: entryUnreadable, message, next, severity: "error" };
  }
  // What runs under its claim ends under it, whatever is written into its spec meanwhile.
  const here = entry.clusterUid === world.observed.clusterUid;
  if (entry.phase === "Claimed" && begun && (hasJob || here)) return "ours";
  if (entry.specDigest !== digest)
    return { phase: "Invalid", reason: "SpecChanged", ...changedSpec(restore, entry), severity: "error" };
  if (entry.clusterUid !== world.observed.clusterUid)
    return {
      phase: "Pending",
      reason: "ClaimedByAnotherCluster",
      message: `a restore named ${name} was claimed by the cluster with uid ${entry.clusterUid}; this one is ${world.observed.clusterUid}, so it is held`,
      next: again,
      severity: "warning",
    };
  if (entry.phase !== "Claimed")
    return {
      phase: entry.phase === "Succeeded" || entry.phase === "Failed" ? entry.phase : "Unknown",
      reason: "AlreadyRun",
      message: `a restore named ${name} has already run (${entry.phase}); it does not run again`,
      next: again,
      severity: "warning",
      status: entry.status,
    };
  // The object that was claimed may have got its Job before it went: another one of its name cannot know.
  if (entry.uid !== undefined && entry.uid !== restore.metadata.uid) return lost(name, again);
  if (mayHaveRun(restore)) return lost(name, again);
  if (entry.holder === world.instance) return "ours";
  if (world.now < entry.claimedAtMs + graceMs) return "elsewhere";
  return lost(name, again);
}

/** Its status tells of a Job that it does not know to be made: a write was lost, and then the Job was torn away. */
function mayHaveRun(restore: KubeObject): boolean {
  const components = asRecord(asRecord(restore["status"])["components"]);
  return !["", "Pending", "Invalid"].includes(phaseOf(restore)) || Object.keys(components).length > 0;
}

/** Reason of a restore that is held because its entry says nothing. */
export const entryUnreadable = "RecordEntryUnreadable";

function unreadableText(name: string, unreadable: string): string {
  return `the record's entry of restore ${name} cannot be read, so whether it ran is unknown: ${unreadable}`;
}

/** Restores' entries that cannot be read, whether their restores are there or not: each holds its own name. */
export function planUnreadable({ recorded }: World): readonly Problem[] {
  return recorded.paths().flatMap((path) => {
    const { kind, namespace = "", name = "" } = parseEntryPath(path) ?? {};
    const entry = kind === "RestoreSession" ? recorded.restore(namespace, name) : undefined;
    if (entry?.unreadable === undefined) return [];
    const said = { severity: "error", reason: entryUnreadable } as const;
    const message = unreadableText(name, entry.unreadable);
    const next = "put back the last content that can be read; until then no restore runs under this name";
    return [{ ...said, message, object: `RestoreSession ${namespace}/${name}`, next }];
  });
}

/** Why a restore cannot be declared with another spec once it is claimed, and the way on. */
export function changedSpec(
  restore: KubeObject,
  { commit, unreadable }: RestoreEntry,
): { readonly message: string; readonly next: string } {
  const { name } = restore.metadata;
  if (unreadable !== undefined)
    return {
      message: `${unreadableText(name, unreadable)}; a changed spec under its name is refused`,
      next: `declare it under a new name: holdfast restore --again ${name}`,
    };
  return {
    message: `a restore named ${name} was claimed with another spec in commit ${commit.slice(0, 12)}; a changed spec under the same name is refused`,
    next: `declare it under a new name: holdfast restore --again ${name}`,
  };
}

const claimWithoutOutcome = "ClaimWithoutOutcome";

/** Whether a Job of it was made, as far as the object tells: then it has an outcome, whatever is known of its claim. */
export function hasBegun(restore: KubeObject): boolean {
  const conditions = records(asRecord(restore["status"])["conditions"]);
  return (
    conditionIs(restore, "RestoreExecutorEnsured", "True") ||
    conditions.some(({ type, reason }) => type === "Held" && reason === claimWithoutOutcome)
  );
}

/** Claimed, no outcome, no Job: whether it ran cannot be known, so it is never run by itself. */
function lost(name: string, next: string): ClaimState {
  const message = `restore ${name} was claimed and its Job cannot be found: whether it ran is unknown, so it is held`;
  return { phase: "Unknown", reason: claimWithoutOutcome, message, next, severity: "error" };
}

/** The write-ahead entry: before its first Job this is at the remote's tip, or no Job is made. */
export function claimEntry(restore: KubeObject, world: World): Entry {
  const { namespace = "", name } = restore.metadata;
  return {
    path: restoreEntryPath(world.desired.cluster, namespace, name),
    content: restoreEntryContent(restore, { phase: "Claimed", digest: digestOf(restore["spec"]), world }),
    when: "now",
    summary: `restore ${namespace}/${name}: Claimed`,
  };
}

type RestoreFacts = { readonly phase: string; readonly digest: string; readonly world: World };

/** The entry of a restore: the object, and the claim that makes it run once. */
export function restoreEntryContent(
  restore: KubeObject,
  facts: RestoreFacts,
): Readonly<Record<string, unknown>> {
  const { world } = facts;
  const { namespace = "", name } = restore.metadata;
  const claimed = world.recorded.restore(namespace, name);
  const status = facts.phase === "Claimed" ? undefined : withoutUserinfo(withoutAway(restore["status"]));
  return {
    apiVersion: restore.apiVersion,
    kind: restore.kind,
    metadata: { name, namespace, uid: restore.metadata.uid },
    // Only what is shown: the digest is of the spec as it is.
    spec: withoutUserinfo(restore["spec"]),
    ...(status === undefined ? {} : { status }),
    record: {
      phase: facts.phase,
      specDigest: facts.digest,
      clusterUid: claimed?.clusterUid ?? world.observed.clusterUid,
      holder: claimed?.holder ?? world.instance,
      claimedAt: new Date(claimed?.claimedAtMs ?? world.now).toISOString(),
      declaredCommit: world.desired.revision,
    },
  };
}
