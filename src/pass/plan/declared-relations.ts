import type { BackupStorage } from "../../api/backup-storage.ts";
import type { FieldError } from "../../api/field-error.ts";
import { type KubeObject, keyOf, refOf } from "../../api/meta.ts";
import { placeIsOwn, storageInUseIsFixed } from "../../api/rules/backup-storage-rules.ts";
import { sameJson } from "../../api/same-json.ts";
import { conditionIs } from "./snapshots.ts";
import { asRecord } from "./targets.ts";
import type { World } from "./world.ts";

/**
 * What stands against a declared object beside the objects that are there: a BackupStorage that was initialised stays
 * where its Repositories' data is, and a new place must be its own, or a wipe of one would take another's data.
 * One whose place never answered may be corrected.
 */
export function declaredRelationErrors(
  wanted: KubeObject,
  live: KubeObject | undefined,
  world: World,
): readonly FieldError[] {
  if (wanted.kind !== "BackupStorage") return [];
  const place = asRecord(wanted["spec"])["storage"];
  if (live !== undefined && sameJson(asRecord(live["spec"])["storage"], place)) return [];
  const after = asStorage(wanted);
  const used = live !== undefined && conditionIs(live, "BackendInitialized", "True");
  const fixed = used ? storageInUseIsFixed.check(asStorage(live), after) : [];
  return fixed.length > 0 ? fixed : placeIsOwn.check(after, storagesOf(world).map(asStorage));
}

/** Those that are there, and those that are declared and are not there yet. */
function storagesOf({ desired, observed }: World): readonly KubeObject[] {
  const declared = [...desired.objects.values()].map(({ object }) => object);
  const byKey = [...declared, ...observed.list("BackupStorage")]
    .filter((object) => object.kind === "BackupStorage")
    .map((object) => [keyOf(refOf(object)), object] as const);
  return [...new Map(byKey).values()];
}

/** What is declared has passed validation, and what is observed the schema of its CRD. */
function asStorage(object: KubeObject): BackupStorage {
  return object as BackupStorage;
}
