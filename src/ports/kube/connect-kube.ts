import { apiVersionOf, type KubeObject, type Resource } from "../../api/meta.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { HoldfastError } from "../../base/errors.ts";
import { isFields } from "../../base/json.ts";
import { type Access, inClusterAccess, kubeconfigAccess } from "./access.ts";
import { type ApiCall, ApiClient } from "./api-client.ts";
import { homePath, objectPath } from "./api-path.ts";
import { discover } from "./discover.ts";
import { defaultFollowTimes, type FollowTimes, followCollection } from "./follow.ts";
import type { Kube, WriteOptions } from "./kube.ts";
import { isKubeError, KubeError } from "./kube-error.ts";
import { type Environment, kubeconfigPaths, readKubeconfigFiles, readKubeconfigText } from "./kubeconfig.ts";
import { listPages } from "./list-pages.ts";
import { requestRateOf } from "./request-rate.ts";

export type ConnectOptions = {
  /** A kubeconfig file; without it and `kubeconfigText`: `KUBECONFIG`, `~/.kube/config`, then the pod's service account. */
  readonly kubeconfigPath?: string;
  /** A kubeconfig itself, in YAML or JSON. */
  readonly kubeconfigText?: string;
  /** A context of the kubeconfig; its current-context by default. */
  readonly context?: string;
  /** Requests per second and how many may come at once; by default as the environment says, or 50 and 100. */
  readonly qps?: number;
  readonly burst?: number;
  /** Milliseconds for one request, 30,000 by default. */
  readonly deadlineMs?: number;
  /** How often a server that has not answered yet is tried before it counts as unreachable; 5 by default. */
  readonly attemptsToReach?: number;
  /** Milliseconds for which a request is tried again once the server has answered any; 2 minutes by default. */
  readonly patienceMs?: number;
  readonly userAgent?: string;
  readonly env?: Environment;
  readonly clock?: Clock;
  readonly followTimes?: Partial<FollowTimes>;
  /** Where a pod's token, ca.crt and namespace are mounted. */
  readonly serviceAccountDirectory?: string;
};

/** A Kube with what belongs to the connection. */
export type KubeConnection = Kube & {
  /** Address of the API server, for messages. */
  readonly server: string;
  /** Default namespace of the context or the pod. */
  readonly namespace: string;
  /** Breaks off everything that is under way. A process may also simply end: idle connections do not hold it. */
  close(): Promise<void>;
};

/**
 * Reads the configuration and answers a client; asks the server nothing.
 * Throws `KubeconfigInvalid`, `ClusterUnknown` and `RequestRateInvalid` (all stall).
 */
export async function connectKube(options: ConnectOptions = {}): Promise<KubeConnection> {
  const clock = options.clock ?? systemClock;
  const env = options.env ?? process.env;
  const rate = requestRateOf(env);
  const access = await findAccess(options, env, clock);
  const client = new ApiClient({
    access,
    clock,
    env,
    userAgent: options.userAgent ?? "holdfast",
    qps: options.qps ?? rate.qps,
    burst: options.burst ?? rate.burst,
    deadlineMs: options.deadlineMs ?? 30_000,
    attemptsToReach: options.attemptsToReach ?? 5,
    patienceMs: options.patienceMs ?? 120_000,
  });
  const times = { ...defaultFollowTimes, ...options.followTimes };
  return {
    server: access.server,
    namespace: access.namespace,
    close: () => client.close(),
    ...readsOf(client),
    follow: (resource, follow) => followCollection({ client, clock, times }, resource, follow),
    ...writesOf(client),
  };
}

async function findAccess(options: ConnectOptions, env: Environment, clock: Clock): Promise<Access> {
  if (options.kubeconfigText !== undefined) {
    return await kubeconfigAccess(readKubeconfigText(options.kubeconfigText, options.context), clock);
  }
  const given = options.kubeconfigPath;
  const paths = given === undefined ? await kubeconfigPaths(env) : [given];
  if (paths.length > 0) {
    return await kubeconfigAccess(await readKubeconfigFiles(paths, options.context), clock);
  }
  const inCluster = await inClusterAccess(env, clock, options.serviceAccountDirectory);
  if (inCluster !== undefined) return inCluster;
  throw new HoldfastError("ClusterUnknown", "no kubeconfig and no service account of a pod were found", {
    disposition: "stall",
    next: "Set KUBECONFIG, or give the path of a kubeconfig.",
  });
}

function readsOf(client: ApiClient): Pick<Kube, "discover" | "get" | "list"> {
  return {
    discover: (signal) => discover(client, signal),
    get: async (resource, name, signal) => {
      const path = objectPath(resource, name);
      try {
        return await objectOf(client, { method: "GET", path, ...(signal === undefined ? {} : { signal }) });
      } catch (error) {
        if (isKubeError(error, 404)) return undefined;
        throw error;
      }
    },
    list: (resource, options = {}) => listPages(client, resource, options),
  };
}

function writesOf(client: ApiClient): Pick<Kube, "create" | "replace" | "apply" | "mergePatch" | "delete"> {
  return {
    create: (resource, object, options) => {
      const path = homePath(resource, object.metadata.namespace);
      return objectOf(client, { method: "POST", path, body: typed(resource, object), ...writeOf(options) });
    },
    replace: (resource, object, options) => {
      const path = objectPath(resource, object.metadata, options.subresource);
      return objectOf(client, { method: "PUT", path, body: typed(resource, object), ...writeOf(options) });
    },
    apply: (resource, object, options) => {
      const path = objectPath(resource, object.metadata, options.subresource);
      const { query, ...write } = writeOf(options);
      return objectOf(client, {
        method: "PATCH",
        path,
        body: typed(resource, object),
        // JSON is YAML, and older servers know no `apply-patch+json`.
        contentType: "application/apply-patch+yaml",
        query: { ...query, force: String(options.force) },
        ...write,
      });
    },
    mergePatch: (resource, name, patch, options) => {
      const path = objectPath(resource, name, options.subresource);
      const contentType = "application/merge-patch+json";
      return objectOf(client, { method: "PATCH", path, body: patch, contentType, ...writeOf(options) });
    },
    delete: async (resource, name, { uid, propagation, signal } = {}) => {
      const body = {
        apiVersion: "v1",
        kind: "DeleteOptions",
        ...(uid === undefined ? {} : { preconditions: { uid } }),
        ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
      };
      const path = objectPath(resource, name);
      try {
        await client.request({ method: "DELETE", path, body, ...(signal === undefined ? {} : { signal }) });
      } catch (error) {
        if (!isKubeError(error, 404)) throw error;
      }
    },
  };
}

async function objectOf(client: ApiClient, call: ApiCall): Promise<KubeObject> {
  const answer = await client.request(call);
  if (!isFields(answer) || typeof answer["kind"] !== "string" || !isFields(answer["metadata"])) {
    const message = `${call.method} ${call.path}: the answer is no Kubernetes object`;
    throw new KubeError("ApiServerAnswerInvalid", message, { code: 200 });
  }
  return answer as KubeObject;
}

/** The resource says which version is meant; an object of another one would be converted in silence. */
function typed(resource: Resource, object: KubeObject): KubeObject {
  const apiVersion = apiVersionOf(resource);
  if (object.apiVersion === apiVersion && object.kind === resource.kind) return object;
  throw new HoldfastError(
    "ResourceMismatch",
    `${object.apiVersion} ${object.kind} was sent as ${apiVersion} ${resource.kind}`,
    { disposition: "bug" },
  );
}

function writeOf(options: WriteOptions): Pick<ApiCall, "signal"> & { query: Record<string, string> } {
  return {
    query: {
      fieldManager: options.manager,
      ...(options.dryRun === true ? { dryRun: "All" } : {}),
      ...(options.fieldValidation === undefined ? {} : { fieldValidation: options.fieldValidation }),
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
}
