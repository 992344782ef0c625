import { apiVersionOf, type KubeObject, type Resource } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { Api, ApiRequest } from "../api.ts";
import { isObject, listAt, numberAt, textAt } from "../value.ts";

/** An answer of the API server that is not a success: its HTTP status and the `Status` object's words. */
export class ApiError extends HoldfastError {
  readonly code: number;

  constructor(code: number, reason: string, message: string) {
    const disposition = code === 422 || code === 403 || code === 501 ? "stall" : "retry";
    super(reason, message, { disposition });
    this.name = "ApiError";
    this.code = code;
  }
}

/** Which object of a kind; `uid` makes deletes and patches conditional on this very object. */
export type Target = {
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid?: string;
};

export type ListQuery = {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
};

export type Listed = { readonly items: readonly KubeObject[]; readonly resourceVersion: string };

/**
 * The API as controllers use it. Every method throws an `ApiError` for what the server refuses, except:
 * `get` answers undefined for 404 and `delete` is content with 404 and with a uid that is another's (409).
 */
export interface Client {
  get(resource: Resource, target: Target): Promise<KubeObject | undefined>;
  /** The whole collection, page by page, read from the server and not from a cache. */
  list(resource: Resource, query?: ListQuery): Promise<Listed>;
  create(resource: Resource, object: KubeObject): Promise<KubeObject>;
  /** JSON merge patch; `null` takes a field out. */
  patch(
    resource: Resource,
    target: Target,
    patch: Readonly<Record<string, unknown>>,
    subresource?: "status",
  ): Promise<KubeObject>;
  delete(
    resource: Resource,
    target: Target,
    options?: {
      readonly graceSeconds?: number;
      readonly propagation?: "Background" | "Foreground" | "Orphan";
    },
  ): Promise<void>;
  /** POST to a subresource such as `binding` or `token`. */
  post(resource: Resource, target: Target, subresource: string, body: unknown): Promise<unknown>;
}

const pageSize = 500;

export function collectionPath(resource: Resource, namespace?: string): string {
  const root =
    resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const inside = resource.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : "";
  return `${root}${inside}/${resource.plural}`;
}

function pathOf(resource: Resource, target: Target, subresource?: string): string {
  const suffix = subresource === undefined ? "" : `/${subresource}`;
  return `${collectionPath(resource, target.namespace)}/${target.name}${suffix}`;
}

/** The object's name, namespace and uid as a target. */
export function targetOf(object: KubeObject): Target {
  const { namespace, name, uid } = object.metadata;
  return { namespace, name, ...(uid === undefined ? {} : { uid }) };
}

export function createClient(api: Api): Client {
  const send = async (request: ApiRequest): Promise<unknown> => {
    const { status, body } = await api.request(request);
    if (status >= 200 && status < 300) return body;
    const what = `${request.method} ${request.path}`;
    throw new ApiError(
      status,
      textAt(body, "reason") || `Http${status}`,
      textAt(body, "message") || `the API server answers ${what} with status ${status}`,
    );
  };
  return {
    async get(resource, target) {
      try {
        return asObject(resource, await send({ method: "GET", path: pathOf(resource, target) }));
      } catch (error) {
        if (isCode(error, 404)) return undefined;
        throw error;
      }
    },
    list: (resource, query) => listAll(send, resource, query ?? {}),
    async create(resource, object) {
      const path = collectionPath(resource, object.metadata.namespace);
      return asObject(resource, await send({ method: "POST", path, body: object }));
    },
    async patch(resource, target, patch, subresource) {
      const metadata = isObject(patch["metadata"]) ? patch["metadata"] : {};
      const body =
        target.uid === undefined ? patch : { ...patch, metadata: { ...metadata, uid: target.uid } };
      const path = pathOf(resource, target, subresource);
      const contentType = "application/merge-patch+json";
      return asObject(resource, await send({ method: "PATCH", path, body, contentType }));
    },
    async delete(resource, target, options = {}) {
      const body = {
        kind: "DeleteOptions",
        apiVersion: "v1",
        propagationPolicy: options.propagation ?? "Background",
        ...(options.graceSeconds === undefined ? {} : { gracePeriodSeconds: options.graceSeconds }),
        ...(target.uid === undefined ? {} : { preconditions: { uid: target.uid } }),
      };
      try {
        await send({ method: "DELETE", path: pathOf(resource, target), body });
      } catch (error) {
        if (!isCode(error, 404) && !(target.uid !== undefined && isCode(error, 409))) throw error;
      }
    },
    post: (resource, target, subresource, body) =>
      send({ method: "POST", path: pathOf(resource, target, subresource), body }),
  };
}

async function listAll(
  send: (request: ApiRequest) => Promise<unknown>,
  resource: Resource,
  query: ListQuery,
): Promise<Listed> {
  const { namespace, ...selectors } = query;
  const path = collectionPath(resource, namespace);
  const items: KubeObject[] = [];
  let next = "";
  for (;;) {
    const page = await send({
      method: "GET",
      path,
      query: { ...selectors, limit: String(pageSize), ...(next === "" ? {} : { continue: next }) },
    });
    for (const item of listAt(page, "items")) items.push(asObject(resource, item));
    next = textAt(page, "metadata", "continue");
    if (next === "") return { items, resourceVersion: textAt(page, "metadata", "resourceVersion") };
  }
}

/** Items of lists come without apiVersion and kind. Throws when the value is no object with a name. */
export function asObject(resource: Resource, value: unknown): KubeObject {
  if (!isObject(value) || textAt(value, "metadata", "name") === "") {
    throw new ApiError(
      502,
      "BadAnswer",
      `the API server answered with something that is no ${resource.kind}`,
    );
  }
  return { ...value, apiVersion: apiVersionOf(resource), kind: resource.kind } as unknown as KubeObject;
}

export function isCode(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof ApiError && codes.includes(error.code);
}

/** The HTTP status that a watch's ERROR event carries; 0 when it says none. */
export function codeOfStatus(status: unknown): number {
  return numberAt(status, "code") ?? 0;
}
