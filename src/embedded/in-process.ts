import { jsonText, parseJson } from "../base/exact-json.ts";
import type { Api, ApiEvent, ApiRequest, ApiResponse } from "./api.ts";
import type { Call } from "./call.ts";
import type { Cluster } from "./cluster.ts";
import { Failure } from "./failure.ts";
import { handle } from "./handle.ts";
import { segmentsOf } from "./http.ts";
import type { User } from "./tokens.ts";

const controllers: User = {
  name: "system:embedded-controllers",
  groups: ["system:masters", "system:authenticated"],
  uid: "embedded-controllers",
};

/**
 * The server's own handlers without HTTP between. Bodies are copies in both directions, as over a wire.
 * Answers of streams (logs) are texts.
 */
export function inProcessApi(cluster: Cluster): Api {
  const call = (request: ApiRequest, signal: AbortSignal): Call => ({
    method: request.method,
    segments: segmentsOf(request.path),
    query: request.query ?? {},
    body: request.body === undefined ? undefined : parseJson(jsonText(request.body)),
    duplicates: () => [],
    contentType: request.contentType ?? "application/json",
    accept: "application/json",
    userAgent: "holdfast-embedded",
    user: controllers,
    now: cluster.clock.now(),
    signal,
  });
  return {
    request: async (request): Promise<ApiResponse> => {
      try {
        const answer = await handle(cluster, call(request, cluster.closing));
        if (answer.kind === "json") return { status: answer.status, body: structuredClone(answer.body) };
        if (answer.kind === "text") return { status: answer.status, body: answer.text };
        if (answer.kind === "bytes") return { status: 200, body: answer.bytes.toString("base64") };
        if (answer.kind === "stream") {
          let text = "";
          for await (const chunk of answer.stream) text += String(chunk);
          return { status: 200, body: text };
        }
        await answer.events.return(undefined);
        throw new Failure(400, "BadRequest", "use Api.watch to watch");
      } catch (error) {
        if (error instanceof Failure) return { status: error.code, body: error.toStatus() };
        throw error;
      }
    },
    watch: (path, query, signal): AsyncIterable<ApiEvent> =>
      watchedCopies(cluster, path, query, { call, signal }),
  };
}

type Caller = {
  readonly call: (request: ApiRequest, signal: AbortSignal) => Call;
  readonly signal: AbortSignal;
};

async function* watchedCopies(
  cluster: Cluster,
  path: string,
  query: Readonly<Record<string, string>>,
  caller: Caller,
): AsyncGenerator<ApiEvent> {
  const request: ApiRequest = { method: "GET", path, query: { ...query, watch: "true" } };
  try {
    const answer = await handle(cluster, caller.call(request, caller.signal));
    if (answer.kind !== "events") throw new Failure(400, "BadRequest", `${path} cannot be watched`);
    for await (const event of answer.events) yield structuredClone(event);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    yield { type: "ERROR", object: error.toStatus() };
  }
}
