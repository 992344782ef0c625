import type { Dispatcher } from "undici";
import type { Clock } from "../../base/clock.ts";
import { jsonText, parseJson } from "../../base/exact-json.ts";
import type { Access, Credentials } from "./access.ts";
import { readBounded } from "./bounded-body.ts";
import { createDispatcher } from "./dispatcher.ts";
import { errorOfAnswer, errorOfTransport, interrupted, KubeError } from "./kube-error.ts";
import type { Environment } from "./kubeconfig.ts";
import { createPatience, type Patience } from "./patience.ts";
import { retryAfterMsOf, waitBeforeRetry } from "./retry.ts";
import { createTokenBucket, type TokenBucket } from "./token-bucket.ts";

export type ApiCall = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From `/api` or `/apis` on, encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** JSON value. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** Bytes of the answer, 16 MiB by default: etcd holds 1.5 MiB per object. */
  readonly maxBytes?: number;
  /** Milliseconds for which this is tried again; the client's own by default. */
  readonly patienceMs?: number;
  /** Hears how long the answer was, in characters. */
  readonly onLength?: (characters: number) => void;
  readonly signal?: AbortSignal;
};

export type ApiClientOptions = {
  readonly access: Access;
  readonly clock: Clock;
  readonly env: Environment;
  readonly userAgent: string;
  readonly qps: number;
  readonly burst: number;
  /** For one attempt, from connecting to the last byte of the answer. */
  readonly deadlineMs: number;
  /** Of a server that has not answered yet. */
  readonly attemptsToReach: number;
  /** How long a server that has answered before is borne with while it does nothing that it is asked. */
  readonly patienceMs: number;
};

type Response = Dispatcher.ResponseData;

const defaultMaxBytes = 16 * 1024 * 1024;
const errorMaxBytes = 256 * 1024;

/**
 * Requests to one API server. Reads are tried again after any transport error, 429 and 5xx, and when no answer came
 * in time, because the connection may have been lost in silence; writes only where the server surely did not act
 * (429, or no connection), because it may have acted before the connection broke. A 401 is answered once with fresh
 * credentials. A 429 asks the whole client to wait: no request begins before its time.
 */
export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #bucket: TokenBucket;
  readonly #patience: Patience;
  readonly #origin: string;
  readonly #prefix: string;
  #reached = false;
  #pool: { readonly dispatcher: Dispatcher; readonly certificate: Credentials["certificate"] } | undefined;

  constructor(options: ApiClientOptions) {
    this.#options = options;
    this.#bucket = createTokenBucket(options.qps, options.burst, options.clock);
    this.#patience = createPatience(options.clock, options.patienceMs);
    const url = new URL(options.access.server);
    this.#origin = url.origin;
    this.#prefix = url.pathname === "/" ? "" : url.pathname;
  }

  /** The answer's JSON value; throws a KubeError for every status from 400 on. */
  async request(call: ApiCall): Promise<unknown> {
    const { clock, attemptsToReach } = this.#options;
    const patienceMs = call.patienceMs ?? this.#options.patienceMs;
    let firstAt: number | undefined;
    let fresh = false;
    for (let attempt = 1; ; attempt += 1) {
      await this.#take(call);
      firstAt ??= clock.now();
      try {
        const answer = await this.#withDeadline(call, (signal) => this.#exchange(call, signal, fresh));
        this.#patience.worked();
        return answer;
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        fresh = error.code === 401 && !fresh;
        if (fresh) continue;
        const waitMs = waitBeforeRetry(call.method, error, attempt);
        if (waitMs === undefined) {
          if (error.code > 0 && error.code < 500) this.#patience.worked();
          throw error;
        }
        const spentMs = this.#patience.failed(firstAt) + waitMs;
        if (this.#reached ? spentMs > patienceMs : attempt >= attemptsToReach) throw error;
        if (error.code === 429) this.#bucket.hold(waitMs);
        else await clock.sleep(waitMs, call.signal);
      }
    }
  }

  /**
   * The answer's bytes as they come. The deadline covers everything up to the answer's head; the body ends by the
   * server or by the signal.
   */
  async stream(call: ApiCall & { readonly signal: AbortSignal }): Promise<AsyncIterable<Uint8Array>> {
    const where = whereOf(call);
    const open = async (signal: AbortSignal, fresh: boolean) => {
      const response = await this.#send(call, signal, fresh);
      if (response.statusCode >= 400) throw await this.#errorOf(where, response);
      return response.body;
    };
    await this.#take(call);
    return await this.#withDeadline(call, async (attempt) => {
      // The body outlives this attempt, so it hangs on the caller's signal too.
      const signal = AbortSignal.any([attempt, call.signal]);
      try {
        return await open(signal, false);
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (error.code === 401) return await open(signal, true);
        const { retryAfterMs = 0 } = error;
        if (error.code === 429 && retryAfterMs <= this.#options.patienceMs) this.#bucket.hold(retryAfterMs);
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.dispatcher.destroy();
  }

  async #exchange(call: ApiCall, signal: AbortSignal, fresh: boolean): Promise<unknown> {
    const where = whereOf(call);
    const response = await this.#send(call, signal, fresh);
    if (response.statusCode >= 400) throw await this.#errorOf(where, response);
    const text = await readBounded(response.body, call.maxBytes ?? defaultMaxBytes, where);
    call.onLength?.(text.length);
    try {
      return text === "" ? undefined : parseJson(text);
    } catch (error) {
      throw new KubeError("ApiServerAnswerInvalid", `${where}: the answer is not JSON`, {
        code: response.statusCode,
        disposition: "retry",
        next: "Check that the kubeconfig's server is a Kubernetes API server.",
        cause: error,
      });
    }
  }

  async #send(call: ApiCall, signal: AbortSignal, fresh: boolean): Promise<Response> {
    const credentials = await this.#options.access.credentials(fresh);
    const query = new URLSearchParams(call.query).toString();
    const dispatcher = this.#dispatcher(credentials.certificate);
    const response = await dispatcher.request({
      origin: this.#origin,
      path: `${this.#prefix}${call.path}${query === "" ? "" : `?${query}`}`,
      method: call.method,
      headers: {
        ...credentials.headers,
        "user-agent": this.#options.userAgent,
        accept: call.accept ?? "application/json",
        ...(call.body === undefined ? {} : { "content-type": call.contentType ?? "application/json" }),
      },
      body: call.body === undefined ? null : jsonText(call.body),
      signal,
    });
    this.#reached = true;
    return response;
  }

  async #errorOf(where: string, { statusCode, headers, body }: Response): Promise<KubeError> {
    const text = await readBounded(body, errorMaxBytes, where).catch(() => "");
    const waitMs = retryAfterMsOf(headers, this.#options.clock.now());
    return errorOfAnswer(where, statusCode, jsonOrText(text), waitMs);
  }

  /** Certificates may change while we run (an exec plugin renews them); connections hold the old one. */
  #dispatcher(certificate: Credentials["certificate"]): Dispatcher {
    const held = this.#pool;
    if (held !== undefined && held.certificate?.cert === certificate?.cert) return held.dispatcher;
    const dispatcher = createDispatcher(this.#options.access, certificate, this.#options.env);
    this.#pool = { dispatcher, certificate };
    void held?.dispatcher.close();
    return dispatcher;
  }

  async #take(call: ApiCall): Promise<void> {
    await this.#bucket.take(call.signal);
    if (call.signal?.aborted) throw interrupted(whereOf(call));
  }

  async #withDeadline<T>(call: ApiCall, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, deadlineMs } = this.#options;
    const where = whereOf(call);
    const attempt = new AbortController();
    const done = new AbortController();
    let late = false;
    const stop = () => attempt.abort();
    call.signal?.addEventListener("abort", stop);
    void clock.sleep(deadlineMs, done.signal).then(() => {
      if (done.signal.aborted) return;
      late = true;
      attempt.abort();
    });
    try {
      return await work(attempt.signal);
    } catch (error) {
      if (call.signal?.aborted) throw interrupted(where);
      if (late) {
        throw new KubeError("ApiServerTimeout", `${where}: no answer in ${deadlineMs / 1000} s`, {
          code: 0,
          next: "Check the load of the API server and the network to it.",
        });
      }
      throw isOurs(error) ? error : errorOfTransport(where, error);
    } finally {
      done.abort();
      call.signal?.removeEventListener("abort", stop);
    }
  }
}

function isOurs(error: unknown): boolean {
  return error instanceof Error && "disposition" in error;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function whereOf(call: ApiCall): string {
  return `${call.method} ${call.path}`;
}
