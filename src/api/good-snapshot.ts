import { asRecord, records } from "../base/json.ts";
import type { KubeObject } from "./meta.ts";

/** When the data was taken; a Snapshot under way counts from its creation. */
export function snapshotTime(snapshot: KubeObject): number {
  const time = asRecord(snapshot["status"])["snapshotTime"] ?? snapshot.metadata.creationTimestamp;
  return typeof time === "string" ? Date.parse(time) : 0;
}

/** Snapshots by this order are newest first. */
export function newestFirst(a: KubeObject, b: KubeObject): number {
  return snapshotTime(b) - snapshotTime(a) || (a.metadata.name < b.metadata.name ? 1 : -1);
}

/**
 * A good snapshot: Succeeded, and not one whose source shrank, unless a person accepted that
 * (promise 8). Only good ones are "latest" and only they count as the last good one.
 */
export function isGood(snapshot: KubeObject): boolean {
  const status = asRecord(snapshot["status"]);
  const shrunk = records(status["conditions"]).some(
    (condition) => condition["type"] === "SourceShrunk" && condition["status"] === "True",
  );
  return status["phase"] === "Succeeded" && !shrunk && snapshot.metadata.deletionTimestamp === undefined;
}
