import { Agent, type Dispatcher, request } from "undici";
import type { Api, ApiEvent, ApiRequest, ApiResponse } from "../../src/embedded/api.ts";
import type { KubeAccess } from "./kube-apiserver.ts";

const deadlineMs = 30_000;

/** The controllers' `Api` over HTTPS, so that they can be run against a real API server. */
export function httpApi(access: Pick<KubeAccess, "url" | "ca" | "token">): Api & { close(): Promise<void> } {
  const dispatcher = new Agent({ connect: { ca: access.ca }, connections: 64, bodyTimeout: 0 });
  const authorization = `Bearer ${access.token}`;
  return {
    async request(asked: ApiRequest): Promise<ApiResponse> {
      const { statusCode, body } = await request(urlOf(access.url, asked.path, asked.query), {
        dispatcher,
        method: asked.method,
        headers: { authorization, "content-type": asked.contentType ?? "application/json" },
        ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
        signal: AbortSignal.timeout(deadlineMs),
      });
      const text = await body.text();
      return { status: statusCode, body: text === "" ? undefined : parse(text) };
    },
    async *watch(path, query, signal) {
      let response: Dispatcher.ResponseData;
      try {
        response = await request(urlOf(access.url, path, { ...query, watch: "true" }), {
          dispatcher,
          headers: { authorization },
          signal,
        });
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      if (response.statusCode !== 200) {
        yield { type: "ERROR", object: parse(await response.body.text()) };
        return;
      }
      yield* eventsOf(response.body, signal);
    },
    close: () => dispatcher.destroy(),
  };
}

async function* eventsOf(body: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<ApiEvent> {
  let open = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of body) {
      open += decoder.decode(chunk, { stream: true });
      const lines = open.split("\n");
      open = lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield JSON.parse(line) as ApiEvent;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function urlOf(base: string, path: string, query: Readonly<Record<string, string>> = {}): string {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { kind: "Status", message: text };
  }
}
