import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { getCACertificates } from "node:tls";
import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import { HoldfastError, messageOf } from "../../base/errors.ts";

export type HttpAgentOptions = {
  /** The remote's origin. */
  readonly origin: URL;
  readonly environment: NodeJS.ProcessEnv;
  readonly connectMs: number;
};

/** The proxy of the environment, if there is one. */
export type HttpProxyAddress = { readonly url: URL; readonly variable: string };

/**
 * Connections to an HTTP remote, direct or through the proxy of the environment, each made within `connectMs`.
 * Waiting for a reply is not limited here: undici's own limits do not hold behind a proxy.
 */
export function openAgent({ origin, environment, connectMs }: HttpAgentOptions): Dispatcher {
  const ca = trustedCertificates(environment);
  // Said, so that no variable of Node's switches the check off.
  const tls = { rejectUnauthorized: true, ...(ca ? { ca } : {}) };
  const common = {
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect: { timeout: connectMs, ...tls },
  };
  const proxy = proxyFor(origin, environment);
  if (!proxy) return new Agent(common);
  return new EnvHttpProxyAgent({
    ...common,
    httpProxy: proxy.url.href,
    httpsProxy: proxy.url.href,
    noProxy: environment["no_proxy"] ?? environment["NO_PROXY"] ?? "",
    connectTimeout: connectMs,
    requestTls: tls,
    proxyTls: tls,
  });
}

/** `http_proxy` or `https_proxy`, by the scheme of the remote; the small name goes first, as with curl and git. */
export function proxyFor(origin: URL, environment: NodeJS.ProcessEnv): HttpProxyAddress | undefined {
  const small = origin.protocol === "https:" ? "https_proxy" : "http_proxy";
  const variable = environment[small] === undefined ? small.toUpperCase() : small;
  const value = environment[variable] ?? "";
  if (value === "") return undefined;
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The value itself may hold a password.
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === "")
    throw new HoldfastError("ProxyRefused", `${variable} is not the address of an HTTP proxy`, {
      disposition: "stall",
      next: `Set ${variable} to http://[user:password@]host:port; other kinds of proxies, such as SOCKS, are not supported.`,
    });
  return { url, variable };
}

/** The well-known authorities and those of `GIT_SSL_CAINFO`; undefined for the well-known ones alone. */
function trustedCertificates(environment: NodeJS.ProcessEnv): string[] | undefined {
  const file = environment["GIT_SSL_CAINFO"];
  if (file === undefined || file === "") return undefined;
  try {
    const own = readFileSync(file, "utf8");
    const pems = own.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (pems.length === 0) throw new Error("it holds no certificate in PEM form");
    for (const pem of pems) new X509Certificate(pem);
    return [...getCACertificates("default"), ...pems];
  } catch (error) {
    throw new HoldfastError("CaFileUnusable", `GIT_SSL_CAINFO names ${file}: ${messageOf(error)}`, {
      disposition: "stall",
      next: "Name a readable file with the certificates, in PEM form, of the authorities to trust.",
      cause: error,
    });
  }
}
