import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "../base/json.ts";
import type { ApiEvent } from "./api.ts";
import type { Cluster } from "./cluster.ts";
import { badRequest, expired, Failure } from "./failure.ts";
import { apiVersion, type Kind } from "./kinds.ts";
import { type ListQuery, selectorOf } from "./list.ts";
import type { Selector } from "./selectors.ts";
import type { StoreEvent } from "./store/store.ts";
import { withAt } from "./value.ts";
import { viewed } from "./view.ts";

const bookmarkEveryMs = 30_000;
/** A client that reads slower than this many events behind must list again. */
const queueLimit = 20_000;

type Watched = {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly selected: Selector;
  readonly bookmarks: boolean;
};

/**
 * Events of a kind after a resourceVersion; without one (or 0) first everything that is there, as ADDED.
 * A watch from too long ago answers one ERROR event with a 410 Status and ends.
 * Throws 400 before the first event.
 */
export function watched(
  cluster: Cluster,
  kind: Kind,
  scope: { readonly namespace: string | undefined; readonly query: ListQuery },
  signal: AbortSignal,
): AsyncGenerator<ApiEvent> {
  const { namespace, query } = scope;
  const what: Watched = {
    kind,
    namespace,
    selected: selectorOf(kind, query),
    bookmarks: query["allowWatchBookmarks"] === "true" || query["allowWatchBookmarks"] === "1",
  };
  const from = query["resourceVersion"] ?? "";
  if (from !== "" && !/^\d+$/.test(from)) {
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(from)}: must be a number`);
  }
  const initial = query["sendInitialEvents"] === "true";
  if (initial && query["resourceVersionMatch"] !== "NotOlderThan") {
    throw badRequest("sendInitialEvents needs resourceVersionMatch=NotOlderThan");
  }
  const seconds = Number(query["timeoutSeconds"] ?? 0);
  const lifeMs = (Number.isFinite(seconds) && seconds > 0 ? seconds : 1800 + Math.random() * 1800) * 1000;
  const end = AbortSignal.any([signal, cluster.closing]);
  const start = from === "" || from === "0" || initial ? undefined : Number(from);
  return events(cluster, what, { start, initial, lifeMs, end });
}

type Course = {
  readonly start: number | undefined;
  readonly initial: boolean;
  readonly lifeMs: number;
  readonly end: AbortSignal;
};

async function* events(cluster: Cluster, what: Watched, course: Course): AsyncGenerator<ApiEvent> {
  const { store } = cluster;
  const queue: StoreEvent[] = [];
  const ended = new AbortController();
  const stop = AbortSignal.any([course.end, ended.signal]);
  let wake: () => void = () => undefined;
  let overrun = false;
  const stopListening = store.listen((event) => {
    if (event.resource !== what.kind.resource) return;
    if (queue.length >= queueLimit) overrun = true;
    else queue.push(event);
    wake();
  });
  const life = delay(course.lifeMs, undefined, { signal: stop, ref: false }).catch(() => undefined);
  void life.then(() => ended.abort());
  stop.addEventListener("abort", () => wake());
  try {
    let revision = store.revision;
    yield* beginning(cluster, what, course);
    let bookmarkAt = performance.now() + bookmarkEveryMs;
    while (!stop.aborted) {
      const next = queue.shift();
      if (next !== undefined) {
        revision = next.revision;
        const event = eventFor(what, next);
        if (event !== undefined) yield event;
        continue;
      }
      if (overrun) {
        yield errorEvent(expired("the watch fell too far behind: list again"));
        return;
      }
      if (performance.now() >= bookmarkAt) {
        bookmarkAt = performance.now() + bookmarkEveryMs;
        revision = Math.max(revision, store.revision);
        if (what.bookmarks) yield bookmark(what.kind, revision);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(1, bookmarkAt - performance.now()));
        timer.unref();
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (queue.length > 0 || stop.aborted) wake();
      });
    }
    if (what.bookmarks && !course.end.aborted) yield bookmark(what.kind, Math.max(revision, store.revision));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    yield errorEvent(error);
  } finally {
    stopListening();
    ended.abort();
  }
}

/** What a watch begins with: the present state, or what happened since its resourceVersion. */
function* beginning(cluster: Cluster, what: Watched, course: Course): Generator<ApiEvent> {
  const { store } = cluster;
  if (course.start !== undefined) {
    if (course.start > store.revision) {
      throw expired(`Too large resource version: ${course.start}, current: ${store.revision}`);
    }
    for (const event of store.eventsAfter(course.start)) {
      if (event.resource !== what.kind.resource) continue;
      const shown = eventFor(what, event);
      if (shown !== undefined) yield shown;
    }
    return;
  }
  const revision = store.revision;
  for (const stored of store.list(what.kind.resource, what.namespace)) {
    const object = viewed(what.kind, stored);
    if (what.selected(object)) yield { type: "ADDED", object };
  }
  if (course.initial && what.bookmarks) {
    const annotated = withAt(bookmark(what.kind, revision).object, ["metadata", "annotations"], {
      "k8s.io/initial-events-end": "true",
    });
    yield { type: "BOOKMARK", object: annotated };
  }
}

/** The event as this watch sees it: an object that comes into or out of its selection is added or deleted. */
function eventFor(what: Watched, event: StoreEvent): ApiEvent | undefined {
  if (what.namespace !== undefined && !event.key.startsWith(`${what.namespace}/`)) return undefined;
  const is = event.type !== "DELETED" && what.selected(viewed(what.kind, event.object));
  const was = event.previous !== undefined && what.selected(viewed(what.kind, event.previous));
  if (!is && !was) return undefined;
  const type = !is ? "DELETED" : was ? "MODIFIED" : "ADDED";
  const leaves = type === "DELETED" && event.type !== "DELETED" && event.previous !== undefined;
  const object = leaves
    ? withAt(event.previous, ["metadata", "resourceVersion"], String(event.revision))
    : event.object;
  return { type, object: viewed(what.kind, object) };
}

function bookmark(kind: Kind, revision: number): { readonly type: "BOOKMARK"; readonly object: JsonObject } {
  return {
    type: "BOOKMARK",
    object: {
      kind: kind.kind,
      apiVersion: apiVersion(kind),
      metadata: { resourceVersion: String(revision), creationTimestamp: null },
    },
  };
}

function errorEvent(failure: Failure): ApiEvent {
  return { type: "ERROR", object: failure.toStatus() };
}
