import type { Readable } from "node:stream";
import type { Clock } from "../base/clock.ts";
import type { Kinds } from "./kinds.ts";
import type { Store } from "./store/store.ts";
import type { Tokens } from "./tokens.ts";

export type LogQuery = {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Goes on until the container has ended. */
  readonly follow?: boolean;
  /** Of the run before the last restart. */
  readonly previous?: boolean;
  /** Only so many lines of the end; all when absent. */
  readonly tailLines?: number;
  /** No more than so many bytes. */
  readonly limitBytes?: number;
};

/** Where the text of a container comes from; the kubelet knows. Undefined: no such container has run. */
export type LogSource = (query: LogQuery, signal: AbortSignal) => Promise<Readable | undefined>;

/** What every handler works on. */
export type Cluster = {
  readonly store: Store;
  readonly kinds: Kinds;
  readonly clock: Clock;
  readonly tokens: Tokens;
  /** Aborted when the server closes: ends watches. */
  readonly closing: AbortSignal;
  logs(): LogSource | undefined;
};

/** RFC 3339, whole seconds. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
