import { type Disposition, HoldfastError, messageOf } from "../../base/errors.ts";
import { isFields } from "../../base/json.ts";

export type StatusCause = {
  /** Such as `FieldValueInvalid`. */
  readonly reason?: string;
  readonly message?: string;
  /** Path of the field, such as `spec.replicas`. */
  readonly field?: string;
};

export type StatusDetails = {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
};

export type KubeErrorOptions = {
  readonly code: number;
  readonly details?: StatusDetails;
  readonly disposition?: Disposition;
  readonly next?: string;
  readonly retryAfterMs?: number;
  readonly continueToken?: string;
  readonly exitCode?: number;
  readonly cause?: unknown;
};

/**
 * What an API server refused, or why it could not be asked. `code` is the HTTP status and `reason` the
 * `reason` of the answer's Status (`NotFound`, `Conflict`, `Invalid`, …). Without an answer `code` is 0 and
 * `reason` is one of `ApiServerUnreachable`, `ApiServerTimeout`, `ApiServerNotTrusted`, `Interrupted`;
 * an answer that is no Kubernetes answer is `ApiServerAnswerInvalid` or `ApiServerAnswerTooLarge`.
 */
export class KubeError extends HoldfastError {
  readonly code: number;
  readonly details: StatusDetails;
  /** With a 410: where the list goes on, with the objects as they are by then. */
  readonly continueToken: string | undefined;

  constructor(reason: string, message: string, options: KubeErrorOptions) {
    const { code, details = {}, disposition = dispositionOf(code), continueToken, ...rest } = options;
    super(reason, message, { ...rest, disposition });
    this.name = "KubeError";
    this.code = code;
    this.details = details;
    this.continueToken = continueToken;
  }
}

/** True for a KubeError of that HTTP status. */
export function isKubeError(thrown: unknown, code: number): thrown is KubeError {
  return thrown instanceof KubeError && thrown.code === code;
}

/** A conflict passes with a fresh read and an overloaded server with time; the rest needs a person. */
function dispositionOf(code: number): Disposition {
  if (code === 0 || code === 408 || code === 409 || code === 410 || code === 429) return "retry";
  return code >= 500 && code !== 501 ? "retry" : "stall";
}

/** Reasons of answers that carry no Status, e.g. from a proxy in front of the server. */
const reasons: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  406: "NotAcceptable",
  409: "Conflict",
  410: "Expired",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  501: "NotImplemented",
  503: "ServiceUnavailable",
  504: "Timeout",
};

const nextSteps: Readonly<Record<number, string>> = {
  401: "Check the token, certificate or exec plugin of the kubeconfig's user.",
  403: "Grant this account the verb on the resource named above, or use another context.",
  422: "Correct the fields named above.",
};

/** The error of an answer: `body` is its JSON value, or its text where that was none. It may say itself how long to wait. */
export function errorOfAnswer(where: string, code: number, body: unknown, retryAfterMs?: number): KubeError {
  const status = isFields(body) ? body : {};
  const reason = textOf(status["reason"]) ?? reasons[code] ?? "UnknownError";
  const said = textOf(status["message"]) ?? (typeof body === "string" ? excerpt(body) : "");
  const details = isFields(status["details"]) ? (status["details"] as StatusDetails) : {};
  const token = isFields(status["metadata"]) ? textOf(status["metadata"]["continue"]) : undefined;
  const next = nextSteps[code];
  const seconds = details.retryAfterSeconds;
  const waitMs = retryAfterMs ?? (typeof seconds === "number" && seconds > 0 ? seconds * 1000 : undefined);
  return new KubeError(reason, `${where}: ${code} ${reason}${said === "" ? "" : `: ${said}`}`, {
    code,
    details,
    ...(next === undefined ? {} : { next }),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    ...(code === 410 && token !== undefined ? { continueToken: token } : {}),
  });
}

const certificateCodes =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|ERR_TLS_|ERR_SSL_|INVALID_CA|HOSTNAME_MISMATCH)/;

/** The error of a request that got no answer. */
export function errorOfTransport(where: string, thrown: unknown): KubeError {
  if (thrown instanceof KubeError) return thrown;
  const code = systemCodeOf(thrown);
  if (certificateCodes.test(code)) {
    return new KubeError("ApiServerNotTrusted", `${where}: ${messageOf(thrown)} (${code})`, {
      code: 0,
      disposition: "stall",
      next: "Check certificate-authority-data, tls-server-name and the client certificate in the kubeconfig.",
      cause: thrown,
    });
  }
  const text = messageOf(thrown);
  const said = text.includes(code) ? text : [code, text].filter((part) => part !== "").join(": ");
  return new KubeError("ApiServerUnreachable", `${where}: ${said}`, {
    code: 0,
    next: "Check that the API server runs and that its address in the kubeconfig is right.",
    cause: thrown,
  });
}

export function interrupted(where: string): KubeError {
  return new KubeError("Interrupted", `${where}: given up, because the caller stopped`, {
    code: 0,
    exitCode: 130,
  });
}

const beforeSending: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** True when no byte of the request can have reached the server, so that even a write may be sent again. */
export function wasNeverSent(error: KubeError): boolean {
  return error.reason === "ApiServerUnreachable" && beforeSending.has(systemCodeOf(error.cause));
}

/** `ECONNREFUSED` and its like; "" when there is none. Several addresses that all fail make one AggregateError. */
function systemCodeOf(thrown: unknown): string {
  if (!isFields(thrown)) return "";
  if (typeof thrown["code"] === "string") return thrown["code"];
  if (thrown instanceof AggregateError) return systemCodeOf(thrown.errors[0]);
  return systemCodeOf(thrown["cause"]);
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
