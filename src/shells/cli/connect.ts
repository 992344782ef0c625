import { ulid } from "ulid";
import { systemClock } from "../../base/clock.ts";
import type { PassPorts, PassRequest } from "../../pass/reconcile.ts";
import { openRemote } from "../../ports/git/open-remote.ts";
import type { Remote } from "../../ports/git/remote.ts";
import { openObjects } from "../../ports/objects/open-objects.ts";
import { durationOption } from "../duration-option.ts";
import { image } from "../image.ts";
import { version } from "../version.ts";
import { kindsNotInstalled } from "./kinds-not-installed.ts";
import { openCluster } from "./open-cluster.ts";
import {
  acceptedOf,
  cacheDirectory,
  type KubeOptions,
  ownNamespaceOf,
  type PassOptions,
  type RemoteOptions,
  remoteUrl,
  requireCluster,
} from "./remote-options.ts";

/** What a shell knows that no option tells, because it is secret. */
export type GivenSecrets = {
  /** For an HTTP remote, instead of HOLDFAST_GIT_TOKEN. */
  readonly token?: string;
  /** A kubeconfig itself, instead of a file. */
  readonly kubeconfigText?: string;
};

/** Name and password or token for HTTP remotes come from the environment or as an input, never from argv. */
export function remoteOf(
  options: Pick<RemoteOptions, "remote"> & Pick<GivenSecrets, "token">,
  signal: AbortSignal,
): Remote {
  const password = options.token ?? process.env["HOLDFAST_GIT_TOKEN"];
  const username = process.env["HOLDFAST_GIT_USERNAME"] ?? "x-access-token";
  return openRemote({
    url: remoteUrl(options),
    cacheDirectory: cacheDirectory(),
    signal,
    ...silenceLimit(),
    ...(password === undefined ? {} : { credentials: { username, password } }),
    onNotice: (sentence) => process.stderr.write(`${sentence}\n`),
  });
}

/** How long a remote may say nothing, where the environment says it. */
function silenceLimit(): { readonly idleTimeoutMs?: number } {
  const text = process.env["HOLDFAST_GIT_TIMEOUT"] ?? "";
  return text === "" ? {} : { idleTimeoutMs: durationOption(text, "HOLDFAST_GIT_TIMEOUT") };
}

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
