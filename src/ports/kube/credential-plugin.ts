import type { RequestOptions } from "node:https";
import { isAbsolute, join } from "node:path";
import type { User } from "@kubernetes/client-node";
import { HoldfastError } from "../../base/errors.ts";
import { isFields } from "../../base/json.ts";
import type { Access, CredentialSource, Credentials } from "./access.ts";

const deadlineMs = 60_000;

type PluginUser = { readonly fields: Readonly<Record<string, unknown>>; readonly dir: string };

/**
 * Users whose credentials come from a program (`exec`) or from `auth-provider: oidc`. The client library
 * does it; it is loaded here and only then, because its import costs a third of a second and 60 MB, which
 * every Job of ours would pay.
 */
export function createPluginCredentials(
  user: PluginUser,
  access: Omit<Access, "credentials">,
  base: Readonly<Record<string, string | string[]>>,
): CredentialSource {
  const description = pluginUser(user, access);
  let asking: Promise<() => Promise<Credentials>> | undefined;
  return async (fresh) => {
    // A new KubeConfig has an empty cache of credentials.
    if (fresh) asking = undefined;
    asking ??= openPlugin(description, base);
    const ask = await asking;
    return await withDeadline(ask());
  };
}

async function openPlugin(
  user: User,
  base: Readonly<Record<string, string | string[]>>,
): Promise<() => Promise<Credentials>> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  // Its own agent is not used: the address only has to pass its check.
  config.loadFromClusterAndUser({ name: "plugin", server: "https://127.0.0.1", skipTLSVerify: false }, user);
  return async () => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const headers = options.headers;
    const given = isFields(headers) ? headers["Authorization"] : undefined;
    const authorization = typeof given === "string" ? { authorization: given } : {};
    const { cert, key } = options;
    const pair = cert && key ? { certificate: { cert: String(cert), key: String(key) } } : {};
    return { headers: { ...base, ...authorization }, ...pair };
  };
}

function pluginUser({ fields, dir }: PluginUser, access: Omit<Access, "credentials">): User {
  const exec = fields["exec"];
  if (!isFields(exec)) return { name: "plugin", authProvider: fields["auth-provider"] };
  const command = typeof exec["command"] === "string" ? exec["command"] : "";
  // As kubectl does: a name is looked up in PATH, a relative path starts at the kubeconfig.
  const path = command.includes("/") && !isAbsolute(command) ? join(dir, command) : command;
  const cluster = exec["provideClusterInfo"] === true ? { cluster: clusterInfo(access) } : {};
  const info = {
    apiVersion: exec["apiVersion"],
    kind: "ExecCredential",
    spec: { interactive: false, ...cluster },
  };
  const env = [
    ...(Array.isArray(exec["env"]) ? exec["env"] : []),
    { name: "KUBERNETES_EXEC_INFO", value: JSON.stringify(info) },
  ];
  return { name: "plugin", exec: { ...exec, command: path, env } };
}

function clusterInfo(access: Omit<Access, "credentials">) {
  const { server, ca, serverName, insecure } = access;
  return {
    server,
    ...(ca === undefined ? {} : { "certificate-authority-data": Buffer.from(ca).toString("base64") }),
    ...(serverName === undefined ? {} : { "tls-server-name": serverName }),
    ...(insecure ? { "insecure-skip-tls-verify": true } : {}),
  };
}

/** What went wrong is told without the program's output, which may hold a credential. */
async function withDeadline(work: Promise<Credentials>): Promise<Credentials> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failure(`gave no answer in ${deadlineMs / 1000} s`)), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw failure(isFields(error) && error["code"] === "ENOENT" ? "does not exist" : "failed");
  } finally {
    clearTimeout(timer);
  }
}

function failure(what: string): HoldfastError {
  return new HoldfastError("CredentialPluginFailed", `the kubeconfig user's credential plugin ${what}`, {
    disposition: "stall",
    next: "Run `kubectl get namespaces` with the same kubeconfig to see what the plugin says.",
  });
}
