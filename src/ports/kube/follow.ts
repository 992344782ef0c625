import type { KubeObject, Resource } from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import { parseJson } from "../../base/exact-json.ts";
import { isFields } from "../../base/json.ts";
import type { ApiClient } from "./api-client.ts";
import { collectionPath } from "./api-path.ts";
import { readLines } from "./bounded-body.ts";
import type { Change, ListOptions } from "./kube.ts";
import { errorOfAnswer, errorOfTransport, isKubeError, KubeError } from "./kube-error.ts";
import { listPages, selectorsOf } from "./list-pages.ts";

export type FollowOptions = ListOptions & {
  readonly signal: AbortSignal;
  readonly onError?: (error: unknown) => void;
};

export type FollowTimes = {
  /** A full relist so often, whatever the watch says. */
  readonly relistMs: number;
  /** A watch without a byte for so long is given up; servers send a bookmark every minute. */
  readonly silenceMs: number;
  /** The server is asked to end a watch after so long. */
  readonly watchMs: number;
};

export const defaultFollowTimes: FollowTimes = { relistMs: 600_000, silenceMs: 150_000, watchMs: 300_000 };

/** What one watch needs; a fake of it is a few lines. */
export type FollowSource = {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly times: FollowTimes;
};

const maxLineBytes = 16 * 1024 * 1024;
const healthyMs = 10_000;

/**
 * Lists and watches for ever. The list is the truth and the watch only makes it fresh: whatever goes wrong
 * ends in another list, so a lost event is found at the latest by the regular relist.
 */
export async function* followCollection(
  source: FollowSource,
  resource: Resource,
  options: FollowOptions,
): AsyncGenerator<Change> {
  const { clock, times } = source;
  const { signal } = options;
  let failures = 0;
  const report = async (error: unknown) => {
    if (signal.aborted) return;
    options.onError?.(error);
    failures += 1;
    await clock.sleep(backoffMs(failures), signal);
  };
  while (!signal.aborted) {
    let listed: { readonly items: KubeObject[]; readonly resourceVersion: string };
    try {
      listed = await listAll(source.client, resource, options);
    } catch (error) {
      await report(error);
      continue;
    }
    yield { kind: "listed", items: listed.items };
    const cursor = { resourceVersion: listed.resourceVersion, moved: false };
    const listedAt = clock.now();
    const relistAt = listedAt + times.relistMs * (0.9 + 0.2 * Math.random());
    try {
      yield* watchUntil(source, resource, { options, cursor, relistAt });
      failures = 0;
    } catch (error) {
      const healthy = cursor.moved || clock.now() - listedAt >= healthyMs;
      if (healthy) failures = 0;
      // An old resourceVersion is the ordinary end of a long silence; one right after a list is not.
      if (healthy && isKubeError(error, 410)) continue;
      await report(error);
    }
  }
}

async function listAll(client: ApiClient, resource: Resource, options: FollowOptions) {
  const items: KubeObject[] = [];
  let resourceVersion = "";
  for await (const page of listPages(client, resource, options)) {
    for (const item of page.items) items.push(item);
    resourceVersion = page.resourceVersion;
  }
  return { items, resourceVersion };
}

type Watching = {
  readonly options: FollowOptions;
  /** `moved` once the server has said anything, which shows that watching works. */
  readonly cursor: { resourceVersion: string; moved: boolean };
  readonly relistAt: number;
};

/** One watch after the other from where the last ended; returns when it is time to list, throws on errors. */
async function* watchUntil(
  source: FollowSource,
  resource: Resource,
  watching: Watching,
): AsyncGenerator<Change> {
  const { clock } = source;
  const { signal } = watching.options;
  while (!signal.aborted && clock.now() < watching.relistAt) {
    const startedAt = clock.now();
    let events = 0;
    for await (const change of watchOnce(source, resource, watching)) {
      events += 1;
      if (change !== undefined) yield change;
    }
    // A server (or a proxy before it) that ends every watch at once must not be stormed.
    if (events === 0 && clock.now() - startedAt < 1_000) await clock.sleep(1_000, signal);
  }
}

/** Yields undefined for a bookmark, so that the caller sees life. */
async function* watchOnce(
  { client, clock, times }: FollowSource,
  resource: Resource,
  { options, cursor, relistAt }: Watching,
): AsyncGenerator<Change | undefined> {
  const path = collectionPath(resource, options.namespace);
  const where = `watch ${path}`;
  const stop = new AbortController();
  const forward = () => stop.abort();
  options.signal.addEventListener("abort", forward);
  if (options.signal.aborted) stop.abort();
  const over = watchdog(clock, stop, { silenceMs: times.silenceMs, endAt: relistAt });
  try {
    const query = {
      ...selectorsOf(options),
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: cursor.resourceVersion,
      timeoutSeconds: String(Math.ceil((times.watchMs / 1000) * (1 + Math.random()))),
    };
    const body = await client.stream({ method: "GET", path, query, signal: stop.signal });
    for await (const line of readLines(noticed(body, over.restart), maxLineBytes, where)) {
      const change = changeOf(line, where, cursor);
      cursor.moved = true;
      over.pause();
      yield change;
      over.restart();
    }
  } catch (error) {
    // Ended by us: by the caller, by silence, or because it is time to list.
    if (stop.signal.aborted) return;
    throw error instanceof KubeError ? error : errorOfTransport(where, error);
  } finally {
    over.end();
    options.signal.removeEventListener("abort", forward);
    stop.abort();
  }
}

async function* noticed(body: AsyncIterable<Uint8Array>, notice: () => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    notice();
    yield chunk;
  }
}

/** Aborts a watch that is silent for too long, or at `endAt`; does not count while the consumer is busy. */
function watchdog(clock: Clock, stop: AbortController, limits: { silenceMs: number; endAt: number }) {
  let timer = new AbortController();
  const restart = () => {
    timer.abort();
    const mine = new AbortController();
    timer = mine;
    const left = Math.max(0, Math.min(limits.silenceMs, limits.endAt - clock.now()));
    void clock.sleep(left, mine.signal).then(() => {
      if (!mine.signal.aborted) stop.abort();
    });
  };
  restart();
  return { restart, pause: () => timer.abort(), end: () => timer.abort() };
}

function changeOf(line: string, where: string, cursor: Watching["cursor"]): Change | undefined {
  const event = parseEvent(line, where);
  const object = event["object"];
  if (event["type"] === "ERROR") {
    const code = isFields(object) && typeof object["code"] === "number" ? object["code"] : 500;
    throw errorOfAnswer(where, code, object);
  }
  const metadata = isFields(object) && isFields(object["metadata"]) ? object["metadata"] : undefined;
  const resourceVersion = metadata?.["resourceVersion"];
  if (typeof resourceVersion !== "string") throw malformed(where, "an event without a resourceVersion");
  cursor.resourceVersion = resourceVersion;
  switch (event["type"]) {
    case "ADDED":
    case "MODIFIED":
      return { kind: "put", object: object as KubeObject };
    case "DELETED":
      return { kind: "gone", object: object as KubeObject };
    case "BOOKMARK":
      return undefined;
    default:
      throw malformed(where, `an event of type ${JSON.stringify(event["type"])}`);
  }
}

function parseEvent(line: string, where: string): Readonly<Record<string, unknown>> {
  let event: unknown;
  try {
    event = parseJson(line);
  } catch {
    throw malformed(where, "a line that is not JSON");
  }
  if (!isFields(event)) throw malformed(where, "a line that is no event");
  return event;
}

function malformed(where: string, what: string): KubeError {
  return new KubeError("ApiServerAnswerInvalid", `${where}: the server sent ${what}`, {
    code: 200,
    disposition: "retry",
  });
}

/** 1 s, doubled up to 30 s, and half of it by chance, so that clients do not come back together. */
function backoffMs(failures: number): number {
  const full = Math.min(30_000, 1_000 * 2 ** Math.min(failures - 1, 10));
  return full * (0.5 + 0.5 * Math.random());
}
