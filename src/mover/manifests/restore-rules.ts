import { groupOf, type KubeObject } from "../../api/meta.ts";
import { fieldAt, listAt, textAt } from "../storage/fields.ts";
import { isMadeForJobs } from "./made-for-jobs.ts";

/** Types that are never created: what a cluster makes by itself, and the runs of a backup system. */
const neverRestored: ReadonlySet<string> = new Set([
  "nodes",
  "events",
  "events.events.k8s.io",
  "endpointslices.discovery.k8s.io",
  "storage",
  "csinodes.storage.k8s.io",
  "volumeattachments.storage.k8s.io",
  "backupsessions.core.kubestash.com",
  "backupverificationsession.core.kubestash.com",
  "backupverificationsessions.core.kubestash.com",
  "backupverifier.core.kubestash.com",
  "backupverifiers.core.kubestash.com",
  "restoresessions.core.kubestash.com",
  "repositories.storage.kubestash.com",
  "snapshots.storage.kubestash.com",
]);

export function isNeverRestored(type: string): boolean {
  return neverRestored.has(type);
}

const byCluster = "the cluster makes it by itself";
const mirrorOf = "kubernetes.io/config.mirror";

/** Why an object of a dump is left out by rule; undefined when it is to be restored. */
export function reasonToSkip(
  object: KubeObject,
  options: { readonly restorePVs: boolean },
): string | undefined {
  if (isMadeForJobs(object)) return "Holdfast makes it for its Jobs";
  switch (`${groupOf(object.apiVersion)}/${object.kind}`) {
    case "/ConfigMap":
      // Every namespace gets that of its own cluster; the other one's would break what trusts it.
      return object.metadata.name === "kube-root-ca.crt" ? byCluster : undefined;
    case "/Service":
    case "/Endpoints":
      return isServiceOfCluster(object) ? byCluster : undefined;
    case "/Pod": {
      if (object.metadata.annotations?.[mirrorOf] !== undefined) return "a node makes it from a file";
      const phase = textAt(object, "status", "phase");
      return phase === "Succeeded" || phase === "Failed" ? "the pod had ended" : undefined;
    }
    case "batch/Job":
      return hasEnded(object) ? "the job had ended" : undefined;
    case "/PersistentVolume":
      return options.restorePVs ? undefined : "RestorePVs is not true";
    case "/Secret":
      // Its token is bound to the uid of a ServiceAccount that is gone; the cluster makes a new one.
      return fieldAt(object, "type") === "kubernetes.io/service-account-token"
        ? "it is a token of a ServiceAccount"
        : undefined;
    default:
      return undefined;
  }
}

/** The address of the API server. */
function isServiceOfCluster({ metadata }: KubeObject): boolean {
  return metadata.namespace === "default" && metadata.name === "kubernetes";
}

function hasEnded(job: KubeObject): boolean {
  return listAt(job, "status", "conditions").some((condition) => {
    const type = fieldAt(condition, "type");
    return (type === "Complete" || type === "Failed") && fieldAt(condition, "status") === "True";
  });
}
