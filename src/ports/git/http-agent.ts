import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { getCACertificates } from "node:tls";
import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import { proxyFor } from "./http-proxy.ts";

export type HttpAgentOptions = {
  /** The remote's origin. */
  readonly origin: URL;
  readonly environment: NodeJS.ProcessEnv;
  readonly connectMs: number;
};

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
