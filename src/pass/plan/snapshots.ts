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

/** Components whose data the Snapshots of a Repository hold, whatever session made them. */
export function componentsHeld(repository: KubeObject, world: World): ReadonlySet<string> {
  const components = snapshotsOf(repository, world)
    .filter((snapshot) => !isBeingDeleted(snapshot))
    .flatMap((snapshot) => Object.entries(componentsOf(snapshot)))
    .filter(([, component]) => asRecord(component)["phase"] === "Succeeded");
  return new Set(components.map(([name]) => name));
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
  const earlier = goodBefore(snapshot, repository, world).filter(
    (one) => componentsOf(one)[component] !== undefined,
  );
  const found = earlier.find((one) => sameSession(one, snapshot)) ?? earlier[0];
  return found === undefined ? undefined : componentsOf(found)[component];
}

/** Components of the last good Snapshot of the same session that this one has not: a pod or a volume is gone. */
export function lostComponents(
  snapshot: KubeObject,
  repository: KubeObject,
  world: World,
): readonly string[] {
  const last = goodBefore(snapshot, repository, world).find((one) => sameSession(one, snapshot));
  if (last === undefined) return [];
  const now = componentsOf(snapshot);
  return Object.keys(componentsOf(last)).filter((component) => now[component] === undefined);
}

function goodBefore(snapshot: KubeObject, repository: KubeObject, world: World): readonly KubeObject[] {
  return snapshotsOf(repository, world).filter(
    (one) =>
      one.metadata.name !== snapshot.metadata.name &&
      snapshotTime(one) <= snapshotTime(snapshot) &&
      isGood(one),
  );
}

function sameSession(one: KubeObject, other: KubeObject): boolean {
  return asRecord(one["spec"])["session"] === asRecord(other["spec"])["session"];
}

function componentsOf(snapshot: KubeObject): Readonly<Record<string, unknown>> {
  return asRecord(asRecord(snapshot["status"])["components"]);
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
  return Object.entries(componentsOf(snapshot)).flatMap(([component, value]) => {
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
  return Object.entries(componentsOf(snapshot)).flatMap(([component, value]) => {
    const proof = asRecord(asRecord(value)["proof"]);
    const count = proof["objects"] ?? proof["files"];
    return count === 0 ? [component] : [];
  });
}
