import { HoldfastError } from "../../base/errors.ts";

/** A cluster that answers and does not know what a BackupConfiguration is. */
export function kindsNotInstalled(server: string): HoldfastError {
  return new HoldfastError(
    "KindsNotInstalled",
    `the cluster at ${server} does not serve core.kubestash.com`,
    {
      disposition: "stall",
      next: "apply schemas/crds, schemas/catalogue and schemas/rbac with kubectl, or start a cluster of your own with holdfast up",
    },
  );
}
