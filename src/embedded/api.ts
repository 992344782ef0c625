/**
 * How the controllers of the embedded cluster speak to an API server: the paths, bodies and statuses of the
 * Kubernetes HTTP API, without saying how they get there. The embedded server answers in the same process;
 * a test hands in a real server over HTTP, so that the same kubelet runs Jobs there.
 */
export type ApiRequest = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/apis/batch/v1/namespaces/demo/jobs/x/status` */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** JSON value. */
  readonly body?: unknown;
  /** For PATCH: `application/merge-patch+json` and its siblings. */
  readonly contentType?: string;
};

export type ApiResponse = { readonly status: number; readonly body: unknown };

export type ApiEvent = {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: unknown;
};

export interface Api {
  request(request: ApiRequest): Promise<ApiResponse>;
  /** Events of a collection after `resourceVersion`; ends when the server ends it or by the signal. */
  watch(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): AsyncIterable<ApiEvent>;
}
