import type { KubeObject } from "../../api/meta.ts";
import { asRecord, records } from "./targets.ts";
import { isBeingDeleted, type World } from "./world.ts";

export const acceptShrink = "holdfast.dev/accept-shrink";

/** Snapshots of a Repository, newest first. */
export function snapshotsOf(repository: KubeObject, world: World): readonly KubeObject[] {
  return world.observed
    .list("Snapshot", repository.metadata.namespace)
    .filter((snapshot) => asRecord(snapshot["spec"])["repository"] === repository.metadata.name)
    .sort((a, b) => snapshotTime(b) - snapshotTime(a) || (a.metadata.name < b.metadata.name ? 1 : -1));
}

/** When the data was taken; a Snapshot under way counts from its creation. */
export function snapshotTime(snapshot: KubeObject): number {
  const time = asRecord(snapshot["status"])["snapshotTime"] ?? snapshot.metadata.creationTimestamp;
  return typeof time === "string" ? Date.parse(time) : 0;
}

export function phaseOf(object: KubeObject): string {
  return String(asRecord(object["status"])["phase"] ?? "");
}

export function conditionIs(object: KubeObject, type: string, status: "True" | "False"): boolean {
  return records(asRecord(object["status"])["conditions"]).some(
    (condition) => condition["type"] === type && condition["status"] === status,
  );
}

/**
 * A good snapshot: Succeeded, and not one whose source shrank, unless a person accepted that
 * (promise 8). Only good ones are "latest" and only they count as the last good one.
 */
export function isGood(snapshot: KubeObject): boolean {
  return (
    phaseOf(snapshot) === "Succeeded" &&
    !conditionIs(snapshot, "SourceShrunk", "True") &&
    !isBeingDeleted(snapshot)
  );
}

/** The newest good Snapshot of the repository, whatever its session. */
export function latestGood(repository: KubeObject, world: World): KubeObject | undefined {
  return snapshotsOf(repository, world).find(isGood);
}

/**
 * What a component is compared with: the last good one of the same session, or, when that session has none yet, of any
 * session of the repository, so that a new or renamed session after a ruin is not taken for a fresh start.
 */
export function goodComponentBefore(
  component: string,
  snapshot: KubeObject,
  repository: KubeObject,
  world: World,
): unknown {
  const componentOf = (one: KubeObject) => asRecord(asRecord(one["status"])["components"])[component];
  const earlier = snapshotsOf(repository, world).filter(
    (one) =>
      one.metadata.name !== snapshot.metadata.name &&
      snapshotTime(one) <= snapshotTime(snapshot) &&
      isGood(one) &&
      componentOf(one) !== undefined,
  );
  const { session } = asRecord(snapshot["spec"]);
  const found = earlier.find((one) => asRecord(one["spec"])["session"] === session) ?? earlier[0];
  return found === undefined ? undefined : componentOf(found);
}

export type Shrink = {
  readonly component: string;
  readonly measure: string;
  readonly now: number;
  readonly before: number;
};

/** Components whose objects, files or bytes are none, or under half of the last good ones. */
export function shrunkComponents(
  snapshot: KubeObject,
  before: (component: string) => unknown,
): readonly Shrink[] {
  const now = asRecord(asRecord(snapshot["status"])["components"]);
  return Object.entries(now).flatMap(([component, value]) => {
    const proof = asRecord(asRecord(value)["proof"]);
    const last = asRecord(asRecord(before(component))["proof"]);
    return ["objects", "files", "bytes"].flatMap((measure) => {
      const count = proof[measure];
      const was = last[measure];
      if (typeof count !== "number" || typeof was !== "number" || was === 0) return [];
      return count === 0 || count * 2 < was ? [{ component, measure, now: count, before: was }] : [];
    });
  });
}

/** Components of a snapshot that is empty though nothing can be compared with it. */
export function emptyComponents(snapshot: KubeObject): readonly string[] {
  return Object.entries(asRecord(asRecord(snapshot["status"])["components"])).flatMap(
    ([component, value]) => {
      const proof = asRecord(asRecord(value)["proof"]);
      const count = proof["objects"] ?? proof["files"];
      return count === 0 ? [component] : [];
    },
  );
}
