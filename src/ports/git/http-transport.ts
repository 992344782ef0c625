import type { Dispatcher } from "undici";
import { HoldfastError } from "../../base/errors.ts";
import { createRedactor } from "../../base/redact.ts";
import {
  authenticationFailed,
  credentialsMissing,
  objectTooLarge,
  proxyRefusedUs,
  remoteNotFound,
  unreachable,
  unsupported,
  wordsOf,
} from "./git-errors.ts";
import { httpFailure } from "./http-failure.ts";
import { proxyFor } from "./http-proxy.ts";
import { holdOnLeash, type Leash } from "./leash.ts";
import { lineOf, packets } from "./pkt-line.ts";
import type { RemoteAddress } from "./remote-url.ts";
import type { Deadlines, Exchange, Transport } from "./transport.ts";

/** Basic authentication (a token is a password; forges take any user name with it), or a bearer token. */
export type RemoteCredentials =
  | { readonly username?: string; readonly password: string }
  | { readonly bearer: string };

export type HttpTransportOptions = {
  readonly address: Extract<RemoteAddress, { kind: "http" }>;
  readonly credentials?: RemoteCredentials | (() => Promise<RemoteCredentials>);
  readonly deadlines: Deadlines;
  readonly environment: NodeJS.ProcessEnv;
};

type Reply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly sentCredentials: boolean;
  /** Takes the credentials that were sent out of what the server said. */
  readonly redact: (text: string) => string;
};

type HttpRequest = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly maxReplyBytes: number;
  readonly signal: AbortSignal | undefined;
};

const userOfTokens = "x-access-token";
const advertisementBytes = 2 ** 20;
const errorBytes = 8_192;

/**
 * Smart HTTP (gitprotocol-http) with an agent of its own, proxies from the environment, and deadlines.
 * Credentials are sent with the first request, to the origin of the URL alone.
 */
export class HttpTransport implements Transport {
  readonly where: string;
  readonly #options: HttpTransportOptions;
  #agent: Dispatcher | undefined;
  #base: string;
  #capabilities: readonly string[] | undefined;

  constructor(options: HttpTransportOptions) {
    this.where = options.address.where;
    this.#options = options;
    this.#base = options.address.base;
  }

  async capabilities(signal: AbortSignal | undefined): Promise<readonly string[]> {
    this.#capabilities ??= await this.#discover(signal);
    return this.#capabilities;
  }

  async exchange({ service, body, maxReplyBytes, signal }: Exchange): Promise<Buffer> {
    await this.capabilities(signal);
    const reply = await this.#send({
      method: "POST",
      path: `/git-${service}`,
      headers: {
        "content-type": `application/x-git-${service}-request`,
        accept: `application/x-git-${service}-result`,
        ...(service === "upload-pack" ? { "git-protocol": "version=2" } : {}),
      },
      body,
      maxReplyBytes,
      signal,
    });
    if (reply.status !== 200) throw this.#refusal(reply);
    if (reply.headers["content-type"] !== `application/x-git-${service}-result`) {
      throw unreachable(this.where, "answered with something that is not Git's reply");
    }
    return reply.body;
  }

  async #discover(signal: AbortSignal | undefined): Promise<readonly string[]> {
    for (let hops = 0; hops < 4; hops++) {
      const reply = await this.#send({
        method: "GET",
        path: infoRefs,
        headers: { "git-protocol": "version=2", accept: "application/x-git-upload-pack-advertisement" },
        maxReplyBytes: advertisementBytes,
        signal,
      });
      if (reply.status >= 300 && reply.status < 400) this.#follow(String(reply.headers["location"] ?? ""));
      else if (reply.status !== 200) throw this.#refusal(reply);
      else return this.#readAdvertisement(reply);
    }
    throw unreachable(this.where, "redirects without end");
  }

  #readAdvertisement({ headers, body }: Reply): readonly string[] {
    if (headers["content-type"] !== "application/x-git-upload-pack-advertisement") {
      // What `git update-server-info` leaves for servers that only hand out files.
      if (/^[0-9a-f]{40}\trefs\//.test(body.toString("latin1", 0, 60)))
        throw unsupported(
          this.where,
          "is served as plain files (Git's dumb HTTP protocol)",
          "Serve it with git http-backend or a forge, or use an ssh:// URL.",
        );
      throw remoteNotFound(this.where, "what answers there does not speak Git's smart HTTP protocol");
    }
    const lines: string[] = [];
    for (const each of packets(body)) if (each.kind === "data") lines.push(lineOf(each.data));
    const version = lines.indexOf("version 2");
    if (version < 0) {
      throw unsupported(
        this.where,
        "does not speak version 2 of Git's protocol",
        "Use a server that does (Git 2.18 or newer), and let a proxy before it pass the Git-Protocol header.",
      );
    }
    return lines.slice(version + 1);
  }

  /** A renamed repository is followed within its origin, so that credentials never go elsewhere. */
  #follow(location: string): void {
    const target = URL.canParse(location, this.#base) ? new URL(location, this.#base) : undefined;
    const moved = target && `${target.origin}${target.pathname}`.replace(/\/info\/refs$/, "");
    if (
      target &&
      moved &&
      target.origin === new URL(this.#base).origin &&
      target.pathname.endsWith("/info/refs")
    ) {
      this.#base = moved;
      return;
    }
    const to = target ? `${target.origin}${target.pathname}` : "nowhere";
    throw unsupported(this.where, `redirects to ${wordsOf(to)}`, "Give the new URL, if you trust it.");
  }

  async #send(asked: HttpRequest): Promise<Reply> {
    const { environment, deadlines } = this.#options;
    const origin = new URL(this.#base);
    const proxy = proxyFor(origin, environment)?.url.origin;
    // Loaded here: remotes over SSH and in folders never need it.
    const { openAgent } = await import("./http-agent.ts");
    const agent = (this.#agent ??= openAgent({ origin, environment, connectMs: deadlines.connectMs }));
    const leash = holdOnLeash(this.where, deadlines, asked.signal);
    let redact = createRedactor([]);
    try {
      const credentials = await Promise.race([this.#credentials(), leash.broken]);
      redact = createRedactor(this.#secrets(credentials));
      const sent = { ...asked, headers: { ...asked.headers, ...authorizationOf(credentials) } };
      const reply = await Promise.race([this.#talk(sent, agent, leash), leash.broken]);
      return { ...reply, sentCredentials: credentials !== undefined, redact };
    } catch (error) {
      const reason = leash.reason();
      if (!reason)
        throw httpFailure(error, { where: this.where, connectMs: deadlines.connectMs, proxy, redact });
      // A proxy that does not answer CONNECT is not let go by the signal alone.
      agent.destroy().catch(() => undefined);
      if (this.#agent === agent) this.#agent = undefined;
      throw reason;
    } finally {
      leash.release();
    }
  }

  async #talk(
    { method, path, headers, body, maxReplyBytes }: HttpRequest,
    agent: Dispatcher,
    leash: Leash,
  ): Promise<Pick<Reply, "status" | "headers" | "body">> {
    const { request } = await import("undici");
    const reply = await request(this.#base + path, {
      method,
      headers: { "user-agent": "git/holdfast", ...headers },
      ...(body ? { body } : {}),
      dispatcher: agent,
      signal: leash.signal,
    });
    const limit = reply.statusCode === 200 ? maxReplyBytes : errorBytes;
    const chunks: Buffer[] = [];
    let bytes = 0;
    leash.heard();
    for await (const chunk of reply.body) {
      if (!Buffer.isBuffer(chunk)) continue;
      leash.heard();
      bytes += chunk.length;
      if (bytes > limit && reply.statusCode === 200)
        throw objectTooLarge("The remote's reply", maxReplyBytes);
      chunks.push(chunk);
      if (bytes > limit) break;
    }
    return { status: reply.statusCode, headers: reply.headers, body: Buffer.concat(chunks) };
  }

  #refusal({ status, headers, body, sentCredentials, redact }: Reply): HoldfastError {
    const plain = String(headers["content-type"] ?? "").startsWith("text/plain");
    const text = plain ? `: ${wordsOf(redact(body.toString("utf8")))}` : "";
    const said = `HTTP ${status}${text}`;
    if (status === 407) return proxyRefusedUs("in between", said);
    if (status === 401 && !sentCredentials) return credentialsMissing(this.where, said);
    if (status === 401 || status === 403) return authenticationFailed(this.where, said);
    if (status === 404 || status === 410) return remoteNotFound(this.where, said);
    const retryable = status >= 500 || status === 408 || status === 425 || status === 429;
    if (!retryable)
      return unsupported(this.where, `refused the request: ${said}`, "Check the URL and the server's log.");
    const seconds = Number(headers["retry-after"]);
    return new HoldfastError("RemoteUnreachable", `The remote ${this.where} answered ${said}`, {
      disposition: "retry",
      next: "Try again later; see the server's log if it persists.",
      ...(Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: Math.min(seconds, 3_600) * 1000 } : {}),
    });
  }

  async #credentials(): Promise<RemoteCredentials | undefined> {
    const { credentials, address } = this.#options;
    if (typeof credentials === "function") return credentials();
    if (credentials || !address.userinfo) return credentials;
    const { username, password } = address.userinfo;
    // A token alone stands in the place of the user: https://TOKEN@host/…
    return password === "" ? { password: username } : { username, password };
  }

  /** Every form in which a credential could come back in a message. */
  #secrets(credentials: RemoteCredentials | undefined): readonly string[] {
    const { address, environment } = this.#options;
    const proxy = proxyFor(new URL(address.base), environment)?.url;
    return [...formsOf(credentials), address.userinfo?.asWritten ?? "", proxy?.password ?? ""];
  }
}

function formsOf(credentials: RemoteCredentials | undefined): readonly string[] {
  if (!credentials) return [];
  if ("bearer" in credentials) return [credentials.bearer];
  return [credentials.password, pairOf(credentials)];
}

function authorizationOf(credentials: RemoteCredentials | undefined): Record<string, string> {
  if (!credentials) return {};
  if ("bearer" in credentials) return { authorization: `Bearer ${credentials.bearer}` };
  return { authorization: `Basic ${Buffer.from(pairOf(credentials), "utf8").toString("base64")}` };
}

function pairOf({
  username = userOfTokens,
  password,
}: Extract<RemoteCredentials, { password: string }>): string {
  return `${username}:${password}`;
}

const infoRefs = "/info/refs?service=git-upload-pack";
