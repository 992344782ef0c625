import { Agent } from "undici";

export type RawRequest = {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** Another bearer token; "" for none. */
  readonly token?: string;
};

/** Tests reach into answers of any shape. */
type AnyJson = ReturnType<typeof JSON.parse>;

export type RawAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: AnyJson;
};

export type RawKube = {
  request(method: string, path: string, request?: RawRequest): Promise<RawAnswer>;
  /** Events of a watch until `enough` of them came or the server ended it. */
  watch(path: string, query: Readonly<Record<string, string>>, enough: number): Promise<AnyJson[]>;
  close(): Promise<void>;
};

/** Plain HTTP to an API server, without anything that our client does for its callers. */
export function rawKube(access: {
  readonly url: string;
  readonly ca?: string;
  readonly token?: string;
}): RawKube {
  const agent = new Agent(access.ca === undefined ? {} : { connect: { ca: access.ca } });
  const send = async (method: string, path: string, request: RawRequest, signal?: AbortSignal) => {
    const token = request.token ?? access.token ?? "";
    const query = new URLSearchParams(request.query).toString();
    return await agent.request({
      origin: access.url,
      path: query === "" ? path : `${path}?${query}`,
      method: method as "GET",
      headers: {
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
        accept: request.accept ?? "application/json",
        ...(request.body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
      },
      body: request.body === undefined ? null : bodyText(request.body),
      ...(signal === undefined ? {} : { signal }),
    });
  };
  return {
    request: async (method, path, request = {}) => {
      const response = await send(method, path, request);
      const text = await response.body.text();
      const isJson = String(response.headers["content-type"]).startsWith("application/json");
      const body: unknown = isJson && text !== "" ? JSON.parse(text) : text;
      return { status: response.statusCode, headers: response.headers, body };
    },
    watch: async (path, query, enough) => {
      const stop = new AbortController();
      const response = await send(
        "GET",
        path,
        { query: { watch: "true", timeoutSeconds: "20", ...query } },
        stop.signal,
      );
      const events: AnyJson[] = [];
      let held = "";
      try {
        for await (const chunk of response.body) {
          const lines = (held + String(chunk)).split("\n");
          held = lines.pop() ?? "";
          for (const line of lines) if (line !== "") events.push(JSON.parse(line));
          if (events.length >= enough) break;
        }
      } finally {
        stop.abort();
      }
      return events;
    },
    close: () => agent.destroy(),
  };
}

function bodyText(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}
