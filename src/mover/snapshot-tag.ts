import type { KubeObject } from "../api/meta.ts";
import { textAt } from "./storage/fields.ts";

/** Marks a restic snapshot as a Snapshot's, so that what a killed attempt left behind is forgotten with it. */
export function snapshotTag(snapshot: KubeObject): string {
  const { namespace = "", name } = snapshot.metadata;
  return `snapshot=${textAt(snapshot, "spec", "snapshotID") ?? `${namespace}/${name}`}`;
}
