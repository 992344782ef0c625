import { Agent, type Dispatcher, ProxyAgent } from "undici";
import { type Access, type Credentials, isLoopback } from "./access.ts";
import { type Environment, invalid } from "./kubeconfig.ts";

/** Servers close idle connections after 90 s (Go's default for the API server); ours go first. */
const keepAliveTimeout = 30_000;

/** One pool of connections: TLS as the kubeconfig says, by a proxy where one is set. */
export function createDispatcher(
  access: Access,
  certificate: Credentials["certificate"],
  env: Environment,
): Dispatcher {
  const tls = {
    ...(access.ca === undefined ? {} : { ca: access.ca }),
    ...(access.serverName === undefined ? {} : { servername: access.serverName }),
    ...(access.insecure ? { rejectUnauthorized: false } : {}),
    ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }),
  };
  // Deadlines are ours; a watch may be silent for as long as its own time-out says.
  const times = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout };
  const proxy = access.proxyUrl ?? proxyOf(new URL(access.server), env);
  if (proxy === undefined) return new Agent({ ...times, connect: tls });
  if (!/^https?:\/\//.test(proxy)) {
    throw invalid("the API server's proxy is neither http:// nor https://", "Use an HTTP proxy.");
  }
  return new ProxyAgent({ ...times, uri: proxy, requestTls: tls });
}

/** The proxy variables as Go's programs read them: loopback is never proxied. */
export function proxyOf(server: URL, env: Environment): string | undefined {
  if (isLoopback(server.hostname)) return undefined;
  const read = (name: string) => env[name.toLowerCase()] || env[name] || undefined;
  const proxy = read(server.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (proxy === undefined) return undefined;
  const exempt = (read("NO_PROXY") ?? "").split(",").map((entry) => entry.trim().toLowerCase());
  const host = server.hostname.toLowerCase();
  const port = server.port === "" ? "" : `:${server.port}`;
  const covers = (entry: string) => {
    const name = entry.replace(/^\*?\./, "");
    if (entry === "*") return true;
    if (name === "") return false;
    return host === name || `${host}${port}` === name || host.endsWith(`.${name}`);
  };
  if (exempt.some(covers)) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}
