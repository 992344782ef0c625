import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import { jsonText } from "../../base/exact-json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { expired, notStored } from "../failure.ts";
import { isObject, numberAt, textAt, withAt } from "../value.ts";
import { Journal } from "./journal.ts";
import { type Lock, lockDirectory } from "./lock.ts";

/** One write, as watches see it. `resource` is `<group>/<plural>`, `key` is `<namespace>/<name>`. */
export type StoreEvent = {
  readonly revision: number;
  readonly resource: string;
  readonly key: string;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** After the write; of a deletion, the last state with the revision of its deletion. */
  readonly object: JsonObject;
  readonly previous: JsonObject | undefined;
};

/** Writes that watches and paged lists can still look back on. */
const historyKept = 10_000;
const compactAtBytes = 16 << 20;
/** The most of the last writes that a power cut takes. */
const syncEveryMs = 100;

/**
 * Every object, in memory, behind a journal on disk. One process, one thread: a write between two awaits is
 * a transaction. Revisions count every write of every kind, over restarts.
 */
export class Store {
  readonly #journal: Journal;
  readonly #lock: Lock;
  readonly #objects = new Map<string, Map<string, JsonObject>>();
  readonly #sorted = new Map<string, readonly string[]>();
  readonly #history: StoreEvent[] = [];
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  #revision = 0;
  readonly #directory: string;
  readonly #log: (message: string) => void;
  readonly #timer: NodeJS.Timeout;
  /** Size of the journal at which it becomes a snapshot. */
  #compactAt = compactAtBytes;

  /** Opens or makes the state in a folder; `log` hears when the disk fails. Throws `StateLocked`, `StateDamaged`. */
  constructor(directory: string, log: (message: string) => void = () => undefined) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#directory = directory;
    this.#log = log;
    this.#lock = lockDirectory(directory);
    try {
      this.#journal = Journal.open(directory, (line) => this.#replay(line));
    } catch (error) {
      this.#lock.release();
      throw error;
    }
    this.#timer = setInterval(() => this.#sync(), syncEveryMs);
    this.#timer.unref();
  }

  get revision(): number {
    return this.#revision;
  }

  get(resource: string, key: string): JsonObject | undefined {
    return this.#objects.get(resource)?.get(key);
  }

  get resources(): readonly string[] {
    return [...this.#objects.keys()];
  }

  /** Objects in the order of their keys, of one namespace when it is given. */
  list(resource: string, namespace?: string): readonly JsonObject[] {
    const objects = this.#objects.get(resource);
    if (objects === undefined) return [];
    const out: JsonObject[] = [];
    for (const key of this.#keys(resource, objects)) {
      const object = objects.get(key);
      if (object !== undefined && inNamespace(key, namespace)) out.push(object);
    }
    return out;
  }

  /** The same as it was at a past revision. Throws 410 when history does not reach back so far. */
  listAt(resource: string, revision: number, namespace?: string): readonly JsonObject[] {
    this.#reach(revision);
    const objects = new Map(this.#objects.get(resource));
    for (let i = this.#history.length - 1; i >= 0; i--) {
      const event = this.#history[i];
      if (event === undefined || event.revision <= revision) break;
      if (event.resource !== resource) continue;
      if (event.previous === undefined) objects.delete(event.key);
      else objects.set(event.key, event.previous);
    }
    return [...objects.keys()]
      .filter((key) => inNamespace(key, namespace))
      .sort(byText)
      .map((key) => objects.get(key))
      .filter((object) => object !== undefined);
  }

  /**
   * Stores the object with the next revision as its resourceVersion, or deletes it. Throws 507 when the disk
   * does not take it; then nothing has happened.
   */
  write(resource: string, key: string, object: JsonObject | undefined): JsonObject {
    const previous = this.get(resource, key);
    const base = object ?? previous;
    if (base === undefined) throw new Error(`nothing to delete at ${resource} ${key}`);
    const revision = this.#revision + 1;
    const stamped = withAt(base, ["metadata", "resourceVersion"], String(revision));
    this.#append({ r: revision, k: resource, n: key, o: object === undefined ? null : stamped });
    this.#put(resource, key, object === undefined ? undefined : stamped, revision);
    const type = object === undefined ? "DELETED" : previous === undefined ? "ADDED" : "MODIFIED";
    const event: StoreEvent = { revision, resource, key, type, object: stamped, previous };
    this.#remember(event);
    for (const listener of this.#listeners) listener(event);
    if (this.#journal.size > this.#compactAt) this.#tryToCompact();
    return stamped;
  }

  #append(line: Json): void {
    try {
      if (this.#journal.isDoubtful) this.#compact();
      this.#journal.append(line);
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      throw notStored(join(this.#directory, "journal"), error.message);
    }
  }

  /** What happened after a revision. Throws 410 when history does not reach back so far. */
  eventsAfter(revision: number): readonly StoreEvent[] {
    this.#reach(revision);
    let start = this.#history.length;
    while (start > 0 && (this.#history[start - 1]?.revision ?? 0) > revision) start--;
    return this.#history.slice(start);
  }

  /** Calls the listener inside every write; it must not write itself. Answers how to stop that. */
  listen(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Throws `StateNotOnDisk` when the disk does not take the last of what was acknowledged. */
  close(): void {
    clearInterval(this.#timer);
    try {
      this.#settle();
    } catch (error) {
      const what = `${this.#directory}: the disk does not take the last writes: ${messageOf(error)}`;
      const next = "look at the disk, and do not start on this folder before you know what it holds";
      throw new HoldfastError("StateNotOnDisk", what, { disposition: "stall", next, cause: error });
    } finally {
      this.#journal.close();
      this.#lock.release();
    }
  }

  /** Brings everything to the disk. What it refused in the journal it gets once more, as a snapshot. */
  #settle(): void {
    try {
      this.#journal.sync();
    } catch (error) {
      this.#log(`${this.#directory}: the disk refused what was written to it: ${messageOf(error)}`);
    }
    if (this.#journal.isDoubtful) this.#compact();
  }

  /** While the disk is in doubt it is every write that tries again. */
  #sync(): void {
    if (this.#journal.isDoubtful) return;
    try {
      this.#settle();
    } catch (error) {
      this.#log(`${this.#directory}: nothing is written until the disk takes it: ${messageOf(error)}`);
    }
  }

  #reach(revision: number): void {
    const oldest = this.#history[0]?.revision ?? this.#revision + 1;
    if (revision + 1 < oldest) {
      throw expired(`too old resource version: ${revision} (${oldest - 1})`);
    }
  }

  #keys(resource: string, objects: ReadonlyMap<string, JsonObject>): readonly string[] {
    let keys = this.#sorted.get(resource);
    if (keys === undefined) {
      keys = [...objects.keys()].sort(byText);
      this.#sorted.set(resource, keys);
    }
    return keys;
  }

  #put(resource: string, key: string, object: JsonObject | undefined, revision: number): void {
    this.#revision = revision;
    let objects = this.#objects.get(resource);
    if (objects === undefined) {
      objects = new Map();
      this.#objects.set(resource, objects);
    }
    if (object === undefined || !objects.has(key)) this.#sorted.delete(resource);
    if (object === undefined) objects.delete(key);
    else objects.set(key, object);
  }

  #remember(event: StoreEvent): void {
    this.#history.push(event);
    // In one go now and then, because moving the whole list for every write would cost more.
    if (this.#history.length > historyKept * 1.5) this.#history.splice(0, this.#history.length - historyKept);
  }

  #replay(line: Json): void {
    const revision = numberAt(line, "r") ?? 0;
    const resource = textAt(line, "k");
    const key = textAt(line, "n");
    const object = isObject(line) ? line["o"] : undefined;
    const next = isObject(object) ? object : undefined;
    // The last line of a snapshot: the revision of the whole.
    if (resource === "") this.#revision = revision;
    const fromSnapshot = numberAt(line, "s") !== undefined;
    if (fromSnapshot) this.#put(resource, key, next, 0);
    // A journal may still begin with what the snapshot already has.
    if (resource === "" || fromSnapshot || revision <= this.#revision) return;
    const previous = this.get(resource, key);
    this.#put(resource, key, next, revision);
    const base = next ?? previous;
    if (base === undefined) return;
    const type = next === undefined ? "DELETED" : previous === undefined ? "ADDED" : "MODIFIED";
    const stamped = withAt(base, ["metadata", "resourceVersion"], String(revision));
    this.#remember({ revision, resource, key, type, object: stamped, previous });
  }

  #compact(): void {
    this.#journal.compact(this.#lines());
  }

  /** The write that made it due is in the journal already, so a disk without room for a snapshot is no failure yet. */
  #tryToCompact(): void {
    try {
      this.#compact();
    } catch {
      this.#compactAt = this.#journal.size + compactAtBytes;
    }
  }

  *#lines(): Generator<Json> {
    let bytes = 0;
    for (const [resource, objects] of this.#objects) {
      for (const [key, object] of objects) {
        bytes += jsonText(object).length;
        yield { r: 0, s: 1, k: resource, n: key, o: object };
      }
    }
    this.#compactAt = Math.max(compactAtBytes, bytes);
    yield { r: this.#revision };
  }
}

function inNamespace(key: string, namespace: string | undefined): boolean {
  return namespace === undefined || key.startsWith(`${namespace}/`);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
