import type { KubeObject } from "../../api/meta.ts";
import { asRecord, records } from "../../base/json.ts";
import { isBeingDeleted, type World } from "./world.ts";

/** Snapshots of a Repository, newest first. */
export function snapshotsOf(repository: KubeObject, world: World): readonly KubeObject[] {
  const { namespace = "", name } = repository.metadata;
  return world.observed
    .keyed("Snapshot", repositoryOfSnapshot, `${namespace}/${name}`)
    .toSorted((a, b) => snapshotTime(b) - snapshotTime(a) || (a.metadata.name < b.metadata.name ? 1 : -1));
}

function repositoryOfSnapshot({ metadata, spec }: KubeObject): readonly string[] {
  const { repository } = asRecord(spec);
  return typeof repository === "string" ? [`${metadata.namespace ?? ""}/${repository}`] : [];
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

export function componentsOf(snapshot: KubeObject): Readonly<Record<string, unknown>> {
  return asRecord(asRecord(snapshot["status"])["components"]);
}
