import type { BackupConfiguration } from "../../api/backup-configuration.ts";
import type { BackupStorage } from "../../api/backup-storage.ts";
import type { FieldError } from "../../api/field-error.ts";
import { type KubeObject, keyOf, refOf } from "../../api/meta.ts";
import type { Repository } from "../../api/repository.ts";
import type { RetentionPolicy } from "../../api/retention-policy.ts";
import { sharersAgree } from "../../api/rules/backup-configuration-relations.ts";
import { placeIsOwn, storageInUseIsFixed } from "../../api/rules/backup-storage-rules.ts";
import { oneDefault } from "../../api/rules/shared-rules.ts";
import { sameJson } from "../../api/same-json.ts";
import { asRecord } from "../../base/json.ts";
import { repositoriesNamed, repositoryRequests } from "./repository-requests.ts";
import { sharersByRepository } from "./sharers.ts";
import { conditionIs } from "./snapshots.ts";
import type { World } from "./world.ts";

/** What an object may be at odds with, as it is declared, or as it is there and not declared. */
export type Neighbours = (wanted: KubeObject) => readonly KubeObject[];

/** Looked up once per pass, so that many declared objects do not each look at all others. */
export function neighboursIn({ desired, observed }: World): Neighbours {
  const near = ["BackupStorage", "RetentionPolicy"];
  const kinds = [...near, "BackupConfiguration"];
  const declared = [...desired.objects.values()].map(({ object }) => object);
  const undeclared = kinds
    .flatMap((kind) => observed.list(kind))
    .filter((object) => !desired.objects.has(keyOf(refOf(object))));
  const byKind = Map.groupBy([...undeclared, ...declared], ({ kind }) => kind);
  const sharers = sharersByRepository(byKind.get("BackupConfiguration") ?? []);
  const byPlace = Map.groupBy(
    near.flatMap((kind) => byKind.get(kind) ?? []),
    placeOf,
  );
  return (wanted) =>
    wanted.kind === "BackupConfiguration"
      ? [...new Set(repositoriesNamed(wanted).flatMap((name) => sharers.get(name) ?? []))]
      : (byPlace.get(placeOf(wanted)) ?? []);
}

function placeOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace}`;
}

/**
 * What stands against a declared object beside the objects that are there and those that are declared with it. What
 * is in force already stays in force: refused is the object that brings the conflict, or both when both are new.
 */
export function declaredRelationErrors(
  wanted: KubeObject,
  live: KubeObject | undefined,
  neighbours: Neighbours,
  world: World,
): readonly FieldError[] {
  const near = neighbours(wanted);
  switch (wanted.kind) {
    case "BackupStorage":
      return [...placeErrors(wanted, live, world), ...defaultErrors(wanted, live, near)];
    case "RetentionPolicy":
      return defaultErrors(wanted, live, near);
    case "BackupConfiguration":
      return unchanged(wanted, live, "sessions") ? [] : sharerErrors(wanted, near, world);
    default:
      return [];
  }
}

function unchanged(wanted: KubeObject, live: KubeObject | undefined, field: string): boolean {
  return live !== undefined && sameJson(asRecord(live["spec"])[field], asRecord(wanted["spec"])[field]);
}

function sharerErrors(
  wanted: KubeObject,
  near: readonly KubeObject[],
  { observed }: World,
): readonly FieldError[] {
  const others = near as readonly KubeObject[] as readonly BackupConfiguration[];
  const repositories = repositoryRequests(wanted).flatMap(
    ({ name }) => observed.named("Repository", wanted.metadata.namespace, name) ?? [],
  ) as readonly KubeObject[];
  return sharersAgree.check(wanted as BackupConfiguration, others, repositories as readonly Repository[]);
}

/**
 * A BackupStorage that was initialised stays where its Repositories' data is, and a new place must be its own, or a
 * wipe of one would take another's data. One whose place never answered may be corrected.
 */
function placeErrors(
  wanted: KubeObject,
  live: KubeObject | undefined,
  { desired, observed }: World,
): readonly FieldError[] {
  if (unchanged(wanted, live, "storage")) return [];
  const after = wanted as BackupStorage;
  const used = live !== undefined && conditionIs(live, "BackendInitialized", "True");
  const fixed = used ? storageInUseIsFixed.check(live as BackupStorage, after) : [];
  // A storage that is to move may be refused, so that where it is counts beside where it shall be.
  const all = [
    ...observed.list("BackupStorage"),
    ...[...desired.objects.values()].map(({ object }) => object),
  ].filter(({ kind }) => kind === "BackupStorage");
  return fixed.length > 0 ? fixed : placeIsOwn.check(after, all as readonly KubeObject[] as BackupStorage[]);
}

function defaultErrors(
  wanted: KubeObject,
  live: KubeObject | undefined,
  near: readonly KubeObject[],
): readonly FieldError[] {
  if (asRecord(live?.["spec"])["default"] === true) return [];
  return oneDefault.check(
    wanted as RetentionPolicy,
    near as readonly KubeObject[] as readonly RetentionPolicy[],
  );
}
