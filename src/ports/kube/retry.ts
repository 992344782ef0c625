import { type KubeError, wasNeverSent } from "./kube-error.ts";

const longestBackoffMs = 10_000;

/** Milliseconds until the next attempt, or undefined when the error is final. */
export function waitBeforeRetry(method: string, error: KubeError, attempt: number): number | undefined {
  if (error.reason === "Interrupted") return undefined;
  const notDone = error.code === 429 || wasNeverSent(error);
  const unanswered = error.reason === "ApiServerUnreachable" || error.reason === "ApiServerTimeout";
  const passing = unanswered || (error.code >= 500 && error.code !== 501);
  if (!notDone && !(method === "GET" && passing)) return undefined;
  const backoffMs = Math.min(longestBackoffMs, 100 * 2 ** attempt);
  return error.retryAfterMs ?? backoffMs * (0.5 + 0.5 * Math.random());
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** What `Retry-After` asks for, in seconds or as a date, which is held against the answer's own. */
export function retryAfterMsOf(headers: Headers, now: number): number | undefined {
  const text = String(headers["retry-after"] ?? "").trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const until = Date.parse(text);
  if (Number.isNaN(until)) return undefined;
  const answeredAt = Date.parse(String(headers["date"] ?? ""));
  return Math.max(0, until - (Number.isNaN(answeredAt) ? now : answeredAt));
}
