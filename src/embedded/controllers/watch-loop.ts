import type { KubeObject, Resource } from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Api } from "../api.ts";
import { textAt } from "../value.ts";
import { ApiError, asObject, type Client, codeOfStatus, collectionPath } from "./client.ts";

export type WatchRequest = {
  readonly api: Api;
  readonly client: Client;
  readonly clock: Clock;
  readonly resource: Resource;
  readonly signal: AbortSignal;
  /** An object is there, is new, has changed or is gone (its last known state). */
  readonly onObject: (object: KubeObject) => void;
  /** After each full list. */
  readonly onListed: () => void;
  readonly onError: (message: string) => void;
};

const relistMs = 10 * 60_000;
const watchSeconds = 300;
const firstPauseMs = 100;
const longestPauseMs = 10_000;

/**
 * Lists a kind over all namespaces, then watches it, until the signal. No error ends it: after 410 and after
 * any failure it lists again, with back-off. Every list names all objects again, and those that vanished
 * while nobody watched, so a consumer that acts on the present state misses nothing.
 */
export async function watchLoop(request: WatchRequest): Promise<void> {
  const { clock, signal, resource, onError } = request;
  const known = new Map<string, KubeObject>();
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    try {
      const version = await relist(request, known);
      pauseMs = firstPauseMs;
      await watchUntilStale(request, known, version);
    } catch (error) {
      if (signal.aborted) return;
      onError(`cannot follow ${resource.plural}, trying again in ${pauseMs} ms: ${messageOf(error)}`);
      await clock.sleep(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }
}

async function relist(request: WatchRequest, known: Map<string, KubeObject>): Promise<string> {
  const { items, resourceVersion } = await request.client.list(request.resource);
  const gone = new Map(known);
  known.clear();
  for (const item of items) {
    const uid = item.metadata.uid ?? "";
    gone.delete(uid);
    known.set(uid, item);
    request.onObject(item);
  }
  for (const object of gone.values()) request.onObject(object);
  request.onListed();
  return resourceVersion;
}

/** Returns when a full list is due; a watch that merely ends is resumed where it stopped. */
async function watchUntilStale(
  request: WatchRequest,
  known: Map<string, KubeObject>,
  from: string,
): Promise<void> {
  const { api, clock, resource, signal } = request;
  const staleAt = clock.now() + relistMs;
  let version = from;
  let pauseMs = firstPauseMs;
  while (!signal.aborted && clock.now() < staleAt) {
    const query = {
      resourceVersion: version,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(watchSeconds),
    };
    let events = 0;
    for await (const event of api.watch(collectionPath(resource), query, signal)) {
      events += 1;
      if (event.type === "ERROR") {
        const code = codeOfStatus(event.object);
        throw new ApiError(code, textAt(event.object, "reason"), textAt(event.object, "message"));
      }
      version = textAt(event.object, "metadata", "resourceVersion") || version;
      if (event.type === "BOOKMARK") continue;
      const object = asObject(resource, event.object);
      const uid = object.metadata.uid ?? "";
      if (event.type === "DELETED") known.delete(uid);
      else known.set(uid, object);
      request.onObject(object);
    }
    // A server that ends every watch at once must not be asked in a tight loop.
    pauseMs = events > 0 ? firstPauseMs : Math.min(pauseMs * 2, longestPauseMs);
    if (!signal.aborted) await clock.sleep(pauseMs, signal);
  }
}
