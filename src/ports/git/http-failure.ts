import { HoldfastError, messageOf } from "../../base/errors.ts";
import { notTrusted, proxyRefusedUs, unreachable, wordsOf } from "./git-errors.ts";

type Trouble = {
  readonly where: string;
  readonly connectMs: number;
  /** The proxy's origin, when there is one. */
  readonly proxy: string | undefined;
  readonly redact: (text: string) => string;
};

/** Codes of OpenSSL's verification and of Node's TLS. */
const certificateCodes =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_MISMATCH)/;

/** Translates what undici throws when no reply comes. */
export function httpFailure(thrown: unknown, { where, connectMs, proxy, redact }: Trouble): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  const chain = causesOf(thrown);
  const codes = chain.map(codeOf);
  // What undici attaches may hold headers, and with them credentials.
  const said = wordsOf(redact(messageOf(chain.findLast((each) => messageOf(each) !== "") ?? thrown)));
  if (codes.some((code) => certificateCodes.test(code))) return certificateNotTrusted(where, said);
  if (/proxy.*\(407\)/i.test(said)) return proxyRefusedUs(proxy ?? where, said);
  const by = proxy === undefined ? "" : ` through the proxy ${proxy}`;
  if (codes.includes("UND_ERR_CONNECT_TIMEOUT"))
    return unreachable(where, `could not be connected to${by} within ${connectMs} ms`);
  return unreachable(where, `cannot be reached${by}: ${said}`);
}

function certificateNotTrusted(where: string, said: string): HoldfastError {
  return notTrusted(
    "CertificateNotTrusted",
    `The certificate of ${where} is not trusted: ${said}`,
    "Set GIT_SSL_CAINFO to a PEM file with the certificate of the authority that signed it, or have the server's certificate mended.",
  );
}

/** The error and what caused it, outermost first; of several addresses that were tried, the last. */
function causesOf(thrown: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let at = thrown; at !== undefined && chain.length < 8; ) {
    chain.push(at);
    if (at instanceof AggregateError && at.errors.length > 0) at = at.errors.at(-1);
    else at = at instanceof Error ? at.cause : undefined;
  }
  return chain;
}

function codeOf(thrown: unknown): string {
  if (!(thrown instanceof Error) || !("code" in thrown)) return "";
  return typeof thrown.code === "string" ? thrown.code : "";
}
