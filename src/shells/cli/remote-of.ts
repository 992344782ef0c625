import { openRemote } from "../../ports/git/open-remote.ts";
import type { Remote } from "../../ports/git/remote.ts";
import { durationOption } from "../duration-option.ts";
import { cacheDirectory, type RemoteOptions, remoteUrl } from "./remote-options.ts";

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
