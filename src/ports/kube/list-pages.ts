import { apiVersionOf, type KubeObject, type Resource } from "../../api/meta.ts";
import { isFields } from "../../base/json.ts";
import type { ApiClient } from "./api-client.ts";
import { collectionPath } from "./api-path.ts";
import type { ListOptions, ListPage } from "./kube.ts";
import { KubeError } from "./kube-error.ts";

const defaultLimit = 500;
/** A page of 500 objects of the greatest size would be 750 MiB. */
const maxPageBytes = 64 * 1024 * 1024;

/** The pages of a collection in order. A page that is too large is asked for again with fewer objects. */
export async function* listPages(
  client: ApiClient,
  resource: Resource,
  options: ListOptions,
): AsyncGenerator<ListPage> {
  const path = collectionPath(resource, options.namespace);
  let limit = options.limit ?? defaultLimit;
  let token = "";
  do {
    const query = {
      ...selectorsOf(options),
      limit: String(limit),
      ...(token === "" ? {} : { continue: token }),
    };
    let answer: unknown;
    try {
      const signal = options.signal === undefined ? {} : { signal: options.signal };
      answer = await client.request({ method: "GET", path, query, maxBytes: maxPageBytes, ...signal });
    } catch (error) {
      if (!(error instanceof KubeError && error.reason === "ApiServerAnswerTooLarge") || limit === 1)
        throw error;
      limit = Math.ceil(limit / 8);
      continue;
    }
    const page = pageOf(answer, resource, path);
    token = page.token;
    yield { items: page.items, resourceVersion: page.resourceVersion };
    if (token === "") return;
  } while (true);
}

export function selectorsOf(options: ListOptions): Record<string, string> {
  return {
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  };
}

function pageOf(answer: unknown, resource: Resource, path: string): ListPage & { readonly token: string } {
  const metadata = isFields(answer) && isFields(answer["metadata"]) ? answer["metadata"] : undefined;
  const items = isFields(answer) ? answer["items"] : undefined;
  const resourceVersion = metadata?.["resourceVersion"];
  // A server without objects of a kind may answer `items: null`.
  if (typeof resourceVersion !== "string" || !(Array.isArray(items) || items === null)) {
    throw new KubeError("ApiServerAnswerInvalid", `GET ${path}: the answer is no list`, { code: 200 });
  }
  const named = { apiVersion: apiVersionOf(resource), kind: resource.kind };
  const token = metadata?.["continue"];
  return {
    items: (items ?? []).map((item: KubeObject) => ({ ...named, ...item })),
    resourceVersion,
    token: typeof token === "string" ? token : "",
  };
}
