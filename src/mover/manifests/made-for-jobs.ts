import { managedByHoldfast, managedByLabel } from "../../api/labels.ts";
import { groupOf, type KubeObject } from "../../api/meta.ts";
import { isNote } from "../../api/own-notes.ts";

const kinds: ReadonlySet<string> = new Set([
  "/Pod",
  "/ServiceAccount",
  "batch/CronJob",
  "batch/Job",
  "rbac.authorization.k8s.io/ClusterRoleBinding",
  "rbac.authorization.k8s.io/Role",
  "rbac.authorization.k8s.io/RoleBinding",
]);

/**
 * What Holdfast makes for its own Jobs and takes away after them. In a dump it would bring rights back that were
 * taken, and start Jobs that have run. Its own notes are left out too: they would record again what is recorded.
 */
export function isMadeForJobs(object: KubeObject): boolean {
  const { apiVersion, kind, metadata } = object;
  if (metadata.labels?.[managedByLabel] !== managedByHoldfast) return false;
  return isNote(object) || kinds.has(`${groupOf(apiVersion)}/${kind}`);
}
