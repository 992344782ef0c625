import { ulid } from "ulid";
import { systemClock } from "../../base/clock.ts";
import type { PassPorts, PassRequest } from "../../pass/reconcile.ts";
import { openObjects } from "../../ports/objects/open-objects.ts";
import { image } from "../image.ts";
import { version } from "../version.ts";
import { kindsNotInstalled } from "./kinds-not-installed.ts";
import { openCluster } from "./open-cluster.ts";
import { type GivenSecrets, remoteOf } from "./remote-of.ts";
import {
  acceptedOf,
  type KubeOptions,
  ownNamespaceOf,
  type PassOptions,
  type RemoteOptions,
  requireCluster,
} from "./remote-options.ts";

export type Connection = {
  readonly ports: PassPorts;
  readonly request: Omit<PassRequest, "flush" | "previous">;
};

/** Everything a pass needs, from the options of the command line. */
export async function connect(
  options: RemoteOptions & KubeOptions & PassOptions & GivenSecrets,
  signal: AbortSignal,
): Promise<Connection> {
  const cluster = requireCluster(options);
  const kube = await openCluster(options);
  if (!(await kube.discover(signal)).resources.some((one) => one.group === "core.kubestash.com"))
    throw kindsNotInstalled(kube.server);
  return {
    ports: { kube, openObjects, version, clock: systemClock, remote: remoteOf(options, signal), signal },
    request: {
      cluster,
      branch: options.branch,
      ...(options.path === undefined ? {} : { path: options.path }),
      ownNamespace: ownNamespaceOf(options),
      acceptRewritten: acceptedOf(options),
      instance: ulid(),
      image: image(),
      version,
    },
  };
}
