import { managedByHoldfast, managedByLabel } from "../../api/labels.ts";
import { groupOf, type KubeObject } from "../../api/meta.ts";

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
 * taken, and start Jobs that have run.
 */
export function isMadeForJobs({ apiVersion, kind, metadata }: KubeObject): boolean {
  return (
    metadata.labels?.[managedByLabel] === managedByHoldfast && kinds.has(`${groupOf(apiVersion)}/${kind}`)
  );
}
