import { HoldfastError } from "../../base/errors.ts";

/** The proxy of the environment, if there is one. */
export type HttpProxyAddress = { readonly url: URL; readonly variable: string };

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
