import { apiVersionOf, type KubeObject, type Resource } from "../../api/meta.ts";
import { isFields } from "../../base/json.ts";
import type { ApiCall, ApiClient } from "./api-client.ts";
import { collectionPath } from "./api-path.ts";
import type { ListOptions, ListPage } from "./kube.ts";
import { KubeError } from "./kube-error.ts";

const defaultLimit = 500;
/** Nobody knows how large the objects are before the first page, and a server makes the whole of what it is asked for. */
const firstLimit = 100;
const growth = 4;
/** A page takes several times its text in memory, and whoever reads ahead has two of them. */
const aimedLength = 4 * 1024 * 1024;
const maxPageBytes = 16 * 1024 * 1024;
const onlyMetadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/**
 * The pages of a collection in order. Each is as large as the objects of the one before let it be; a page that is too
 * large is asked for again with fewer objects.
 */
export async function* listPages(
  client: ApiClient,
  resource: Resource,
  options: ListOptions,
): AsyncGenerator<ListPage> {
  const { limit: most = defaultLimit, onTooLarge } = options;
  const path = collectionPath(resource, options.namespace);
  let limit = Math.min(most, firstLimit);
  let token = options.continueToken ?? "";
  const ask = async (call: Partial<ApiCall>) => {
    const query = {
      ...selectorsOf(options),
      limit: String(limit),
      ...(token === "" ? {} : { continue: token }),
    };
    const signal = options.signal === undefined ? {} : { signal: options.signal };
    const answer = await client.request({
      method: "GET",
      path,
      query,
      maxBytes: maxPageBytes,
      ...signal,
      ...call,
    });
    return pageOf(answer, resource, path);
  };
  for (;;) {
    let length = 0;
    let page: Page;
    try {
      page = await ask({ onLength: (characters) => (length = characters) });
    } catch (error) {
      if (!(error instanceof KubeError && error.reason === "ApiServerAnswerTooLarge")) throw error;
      if (limit === 1 && onTooLarge === undefined) throw error;
      if (limit > 1) {
        limit = Math.ceil(limit / 8);
        continue;
      }
      // Its name and the way past it.
      const { items, ...rest } = await ask({ accept: onlyMetadata });
      for (const { metadata } of items) onTooLarge?.(metadata);
      page = { ...rest, items: [] };
    }
    token = page.token;
    yield { items: page.items, resourceVersion: page.resourceVersion };
    if (token === "") return;
    if (page.items.length > 0) {
      const fitting = Math.floor((aimedLength * page.items.length) / Math.max(1, length));
      limit = Math.max(1, Math.min(fitting, limit * growth, most));
    }
  }
}

export function selectorsOf(options: ListOptions): Record<string, string> {
  return {
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  };
}

type Page = ListPage & { readonly token: string };

function pageOf(answer: unknown, resource: Resource, path: string): Page {
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
