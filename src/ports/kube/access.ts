import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import { createPluginCredentials } from "./credential-plugin.ts";
import { type Environment, invalid, type KubeContext, pathField, pemField, textField } from "./kubeconfig.ts";

export type Credentials = {
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** PEM of a client certificate with its key. */
  readonly certificate?: { readonly cert: string; readonly key: string };
};

/** Where the API server is, whom it must prove to be, and who asks. */
export type Access = {
  /** Without a slash at the end; may have a path, as behind a proxy. */
  readonly server: string;
  readonly namespace: string;
  /** PEM; absent: the system's authorities. */
  readonly ca: string | undefined;
  readonly serverName: string | undefined;
  readonly insecure: boolean;
  readonly proxyUrl: string | undefined;
  /** `fresh` asks for new ones, because the server did not accept the last. */
  credentials(fresh: boolean): Promise<Credentials>;
};

/** Who asks: how each request says it. */
export type CredentialSource = (fresh: boolean) => Promise<Credentials>;

const serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The service account of this pod, or undefined outside a cluster. */
export async function inClusterAccess(
  env: Environment,
  clock: Clock,
  directory = serviceAccountDirectory,
): Promise<Access | undefined> {
  const host = env["KUBERNETES_SERVICE_HOST"];
  const port = env["KUBERNETES_SERVICE_PORT"];
  if (host === undefined || port === undefined) return undefined;
  const file = (name: string) => readFile(join(directory, name), "utf8").catch(() => undefined);
  const [ca, namespace] = await Promise.all([file("ca.crt"), file("namespace")]);
  if (ca === undefined) return undefined;
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    namespace: namespace?.trim() ?? "default",
    ca,
    serverName: undefined,
    insecure: false,
    proxyUrl: undefined,
    credentials: tokenFileCredentials(join(directory, "token"), {}, clock),
  };
}

export async function kubeconfigAccess(context: KubeContext, clock: Clock): Promise<Access> {
  const { cluster, user, source } = context;
  const server = textField(cluster, "server")?.replace(/\/+$/, "");
  if (server === undefined || !URL.canParse(server))
    throw invalid(`${source}: the cluster's server is no URL`);
  const insecure = cluster.fields["insecure-skip-tls-verify"] === true;
  const access = {
    server,
    namespace: context.namespace ?? "default",
    ca: await pemField(cluster, "certificate-authority"),
    serverName: textField(cluster, "tls-server-name"),
    insecure,
    proxyUrl: textField(cluster, "proxy-url"),
  };
  const url = new URL(server);
  if (url.protocol === "http:" && Object.keys(user.fields).length > 0 && !isLoopback(url.hostname)) {
    throw invalid(
      `${source}: the user's credentials would be sent to ${server} in the clear`,
      "Use an https:// server, or a context without a user.",
    );
  }
  return { ...access, credentials: await credentialSource(context, access, clock) };
}

async function credentialSource(
  { cluster, user, source }: KubeContext,
  access: Omit<Access, "credentials">,
  clock: Clock,
): Promise<CredentialSource> {
  const base = impersonation(user.fields);
  const tokenFile = pathField(user, "tokenFile");
  const certificate = await clientCertificate({ cluster, user, source, namespace: undefined });
  const withCertificate = (inner: CredentialSource): CredentialSource =>
    certificate === undefined ? inner : async (fresh) => ({ certificate, ...(await inner(fresh)) });
  if (user.fields["exec"] !== undefined || user.fields["auth-provider"] !== undefined) {
    return withCertificate(createPluginCredentials(user, access, base));
  }
  if (tokenFile !== undefined) return withCertificate(tokenFileCredentials(tokenFile, base, clock));
  const token = textField(user, "token");
  const name = textField(user, "username");
  const secret = Buffer.from(`${name}:${textField(user, "password") ?? ""}`).toString("base64");
  const authorization = token !== undefined ? `Bearer ${token}` : name !== undefined ? `Basic ${secret}` : "";
  const headers = authorization === "" ? base : { ...base, authorization };
  return withCertificate(async () => ({ headers }));
}

async function clientCertificate({ user, source }: KubeContext): Promise<Credentials["certificate"]> {
  const cert = await pemField(user, "client-certificate");
  const key = await pemField(user, "client-key");
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw invalid(`${source}: the user has only one of client-certificate and client-key`);
  }
  return { cert, key };
}

function impersonation(user: Readonly<Record<string, unknown>>): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  if (typeof user["as"] === "string") headers["impersonate-user"] = user["as"];
  if (typeof user["as-uid"] === "string") headers["impersonate-uid"] = user["as-uid"];
  if (Array.isArray(user["as-groups"])) headers["impersonate-group"] = user["as-groups"].map(String);
  const extra = user["as-user-extra"];
  if (typeof extra === "object" && extra !== null) {
    for (const [name, values] of Object.entries(extra)) {
      headers[`impersonate-extra-${encodeURIComponent(name)}`] = [values].flat().map(String);
    }
  }
  return headers;
}

/** How long a token that was read may be used; kubelet replaces it long before it ends. */
const tokenAgeMs = 60_000;

/** A bearer token that others replace in its file: read again every minute, and after a 401. */
function tokenFileCredentials(
  path: string,
  base: Readonly<Record<string, string | string[]>>,
  clock: Clock,
): CredentialSource {
  let held: { readonly token: string; readonly readAt: number } | undefined;
  return async (fresh) => {
    if (held === undefined || fresh || clock.now() - held.readAt >= tokenAgeMs) {
      const token = await readFile(path, "utf8").catch((error: unknown) => {
        throw new HoldfastError("CredentialsMissing", `token file cannot be read: ${messageOf(error)}`, {
          disposition: "stall",
          next: "Mount the service account's token, or correct tokenFile in the kubeconfig.",
        });
      });
      held = { token: token.trim(), readAt: clock.now() };
    }
    return { headers: { ...base, authorization: `Bearer ${held.token}` } };
  };
}

export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}
