import { isGood, newestFirst } from "../../api/good-snapshot.ts";
import type { KubeObject } from "../../api/meta.ts";
import { asRecord, records } from "../../base/json.ts";
import { isBeingDeleted, type World } from "./world.ts";

/** Snapshots of a Repository, newest first. */
export function snapshotsOf(repository: KubeObject, world: World): readonly KubeObject[] {
  const { namespace = "", name } = repository.metadata;
  return world.observed.keyed("Snapshot", repositoryOfSnapshot, `${namespace}/${name}`).toSorted(newestFirst);
}

function repositoryOfSnapshot({ metadata, spec }: KubeObject): readonly string[] {
  const { repository } = asRecord(spec);
  return typeof repository === "string" ? [`${metadata.namespace ?? ""}/${repository}`] : [];
}

export function phaseOf(object: KubeObject): string {
  return String(asRecord(object["status"])["phase"] ?? "");
}

export function conditionIs(object: KubeObject, type: string, status: "True" | "False"): boolean {
  return records(asRecord(object["status"])["conditions"]).some(
    (condition) => condition["type"] === type && condition["status"] === status,
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
