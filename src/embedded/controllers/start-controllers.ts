import { join, resolve } from "node:path";
import type { KubeObject } from "../../api/meta.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { Api } from "../api.ts";
import type { LogSource } from "../cluster.ts";
import {
  type Controller,
  createContext,
  type Log,
  type RunningController,
  runController,
} from "./controller.ts";
import { createCronJobController } from "./cron-job-controller.ts";
import { createDaemonSetController } from "./daemon-set-controller.ts";
import { createDeploymentController } from "./deployment-controller.ts";
import { createVolumeController } from "./directory-provisioner.ts";
import { createEphemeralClaimController } from "./ephemeral-claim-controller.ts";
import { createEventExpiry } from "./event-expiry.ts";
import { createJobController } from "./job-controller.ts";
import { createKubelet } from "./kubelet/kubelet.ts";
import { createPodLog } from "./kubelet/pod-log.ts";
import { createNodeController } from "./node-controller.ts";
import { createReplicaSetController } from "./replica-set-controller.ts";
import { createStatefulSetController } from "./stateful-set-controller.ts";

export type ControllersOptions = {
  readonly api: Api;
  /** Holds `pods/` and `volumes/`; made when absent. */
  readonly stateDirectory: string;
  /** Repositories of images that run as local processes, without tag. */
  readonly images: readonly string[];
  /** What stands for those images' entrypoint, e.g. `[process.execPath, "…/holdfast.mjs"]`. */
  readonly command: readonly string[];
  /** The kubeconfig that the processes of a pod get. */
  readonly credentials: (pod: KubeObject) => Promise<string>;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Name of the one node; `embedded` by default. */
  readonly node?: string;
  /** Variables of every process beside its own; `{ PATH }` of this process by default. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Only these; all by default. On a server with controllers of its own: `["node", "kubelet"]`. */
  readonly only?: readonly ControllerName[];
  /** Which pods without a node the kubelet takes; all by default. */
  readonly accepts?: (pod: KubeObject) => boolean;
  /** Renews the node's Lease, for a cluster that watches it. */
  readonly heartbeat?: boolean;
};

export type ControllerName =
  | "node"
  | "volumes"
  | "ephemeral-claims"
  | "jobs"
  | "cron-jobs"
  | "replica-sets"
  | "deployments"
  | "stateful-sets"
  | "daemon-sets"
  | "event-expiry"
  | "kubelet";

export type Controllers = {
  /** A container's log, for the server's `pods/log`. */
  readonly podLog: LogSource;
  /** Stops everything and ends the processes of all pods; resolves when the last one is gone. */
  readonly close: () => Promise<void>;
};

/** Starts the controllers over an API server and resolves when all of them watch. */
export async function startControllers(options: ControllersOptions): Promise<Controllers> {
  const { api, clock = systemClock, log = () => undefined, node: nodeName = "embedded" } = options;
  const stateDirectory = resolve(options.stateDirectory);
  const stopping = new AbortController();
  const context = createContext({ api, clock, log, signal: stopping.signal });
  const node = {
    ...context,
    nodeName,
    stateDirectory,
    images: options.images,
    command: options.command,
    credentials: options.credentials,
    environment: options.environment ?? { PATH: process.env["PATH"] ?? "" },
    ...(options.accepts === undefined ? {} : { accepts: options.accepts }),
  };
  // In the order of their start; they are stopped the other way round, the kubelet last of all.
  const makers: Readonly<Record<ControllerName, () => Controller>> = {
    node: () => createNodeController(context, { nodeName, heartbeat: options.heartbeat === true }),
    kubelet: () => createKubelet(node),
    volumes: () => createVolumeController(context, join(stateDirectory, "volumes")),
    "ephemeral-claims": () => createEphemeralClaimController(context),
    jobs: () => createJobController(context),
    "cron-jobs": () => createCronJobController(context),
    "replica-sets": () => createReplicaSetController(context),
    deployments: () => createDeploymentController(context),
    "stateful-sets": () => createStatefulSetController(context),
    "daemon-sets": () => createDaemonSetController(context),
    "event-expiry": () => createEventExpiry(context),
  };
  const running: RunningController[] = [];
  const close = async () => {
    for (const one of running.splice(0).toReversed()) await one.close();
    stopping.abort();
  };
  try {
    for (const [name, make] of Object.entries(makers)) {
      if (options.only !== undefined && !options.only.some((one) => one === name)) continue;
      running.push(await runController(make(), context));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { podLog: createPodLog(context.client, clock, stateDirectory), close };
}
