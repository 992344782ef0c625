import type { KubeObject, Resource } from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Api } from "../api.ts";
import { type Client, createClient, isCode } from "./client.ts";
import { createEventRecorder, type EventRecorder } from "./event-recorder.ts";
import { watchLoop } from "./watch-loop.ts";

export type Log = (level: "info" | "warn" | "error", message: string) => void;

/** What every controller is given. */
export type ControllerContext = {
  readonly api: Api;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: EventRecorder;
  readonly signal: AbortSignal;
};

/** `namespace/name`, or `/name` of what has no namespace. */
export type Key = string;

export type Watch = {
  readonly resource: Resource;
  /** Which keys have to be looked at when this object is new, changed or gone. */
  readonly keys: (object: KubeObject) => readonly Key[];
};

/**
 * One controller. `reconcile` compares what should be with what the API server says now and does the next
 * thing; it is told a name and never what happened, and bears being called too often. It answers after how
 * many milliseconds it wants to look again even if nothing changes. One key is never in work twice.
 */
export type Controller = {
  readonly name: string;
  readonly watches: readonly Watch[];
  readonly reconcile: (key: Key) => Promise<number | undefined>;
  /** Before the first watch; `poke` has a key looked at whenever it is called. */
  readonly start?: (poke: (key: Key) => void) => Promise<void>;
  /** After the last one; ends what the controller keeps running. */
  readonly stop?: () => Promise<void>;
};

export type RunningController = {
  readonly close: () => Promise<void>;
};

const firstRetryMs = 50;
const longestRetryMs = 30_000;
/** A timer that is longer sleeps through a suspended machine. */
const longestTimerMs = 3_600_000;
const workers = 8;

export function keyOfObject(object: KubeObject): Key {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

export function targetOfKey(key: Key): { readonly namespace: string | undefined; readonly name: string } {
  const slash = key.indexOf("/");
  return { namespace: slash <= 0 ? undefined : key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The key of the controller that owns the object, when it is of this kind. */
export function keyOfOwner(kind: string): (object: KubeObject) => readonly Key[] {
  return (object) =>
    (object.metadata.ownerReferences ?? [])
      .filter((owner) => owner.controller === true && owner.kind === kind)
      .map((owner) => `${object.metadata.namespace ?? ""}/${owner.name}`);
}

export function createContext(options: {
  readonly api: Api;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}): ControllerContext {
  const client = createClient(options.api);
  return { ...options, client, events: createEventRecorder(client, options.clock, options.log) };
}

type Entry = {
  state: "idle" | "waiting" | "working" | "dirty";
  failures: number;
  /** Cancels the planned look. */
  timer: AbortController | undefined;
};

/** Starts the watches and the work queue of a controller; errors are logged and tried again with back-off. */
export async function runController(
  controller: Controller,
  context: ControllerContext,
): Promise<RunningController> {
  const stopping = new AbortController();
  const signal = AbortSignal.any([context.signal, stopping.signal]);
  const queue = createQueue(controller, context, signal);
  await controller.start?.(queue.add);
  const loops = controller.watches.map((watch) =>
    watchLoop({
      ...context,
      resource: watch.resource,
      signal,
      onObject: (object) => {
        for (const key of watch.keys(object)) queue.add(key);
      },
      onListed: () => undefined,
      onError: (message) => context.log("warn", `${controller.name}: ${message}`),
    }),
  );
  return {
    async close() {
      stopping.abort();
      await Promise.all(loops);
      await queue.drained();
      await controller.stop?.();
    },
  };
}

function createQueue(controller: Controller, context: ControllerContext, signal: AbortSignal) {
  const entries = new Map<Key, Entry>();
  const ready: Key[] = [];
  const running = new Set<Promise<void>>();

  const add = (key: Key) => {
    if (signal.aborted) return;
    const entry = entries.get(key) ?? { state: "idle", failures: 0, timer: undefined };
    entries.set(key, entry);
    if (entry.state === "working") entry.state = "dirty";
    if (entry.state !== "idle") return;
    entry.timer?.abort();
    entry.timer = undefined;
    entry.state = "waiting";
    ready.push(key);
    pump();
  };
  const later = (key: Key, entry: Entry, ms: number) => {
    const timer = new AbortController();
    entry.timer = timer;
    void context.clock
      .sleep(Math.min(ms, longestTimerMs), AbortSignal.any([signal, timer.signal]))
      .then(() => {
        if (!timer.signal.aborted) add(key);
      });
  };
  const work = async (key: Key, entry: Entry) => {
    entry.state = "working";
    let againMs: number | undefined;
    try {
      againMs = await controller.reconcile(key);
      entry.failures = 0;
    } catch (error) {
      entry.failures += 1;
      againMs = Math.min(firstRetryMs * 2 ** Math.min(entry.failures - 1, 16), longestRetryMs);
      // A conflict only says that somebody else was faster.
      const quiet = isCode(error, 409) && entry.failures < 5;
      if (!quiet) context.log("warn", `${controller.name} ${key}: ${messageOf(error)}`);
    }
    const dirty = (entry.state as Entry["state"]) === "dirty";
    entry.state = "idle";
    if (signal.aborted) return;
    // After a failure the change that came meanwhile does not cut the back-off short.
    if (dirty && entry.failures === 0) add(key);
    else if (againMs !== undefined || dirty) later(key, entry, againMs ?? 0);
    else entries.delete(key);
  };
  const pump = () => {
    while (running.size < workers && !signal.aborted) {
      const key = ready.shift();
      const entry = key === undefined ? undefined : entries.get(key);
      if (key === undefined) return;
      if (entry === undefined) continue;
      const task: Promise<void> = work(key, entry).finally(() => {
        running.delete(task);
        pump();
      });
      running.add(task);
    }
  };
  return {
    add,
    drained: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
