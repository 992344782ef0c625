import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { attempt } from "./attempt.ts";
import { type GitObject, headerOf, isObjectType, isOid, oidOf } from "./git-object.ts";
import { ObjectBundles } from "./object-bundles.ts";
import type { Oid } from "./remote.ts";

const memoryBytes = 16 * 2 ** 20;
/** Where nothing can be written, everything of the largest reply has to be kept somewhere. */
const memoryBytesWithoutDisk = 256 * 2 ** 20;
const largestKept = 2 ** 20;
/** What one entry of the map takes besides its content. */
const entryBytes = 300;
/** So many at once are kept in one file. */
const objectsOfBundle = 64;
const sweptFile = "swept";
const sweptEveryMs = 86_400_000;

export type ObjectCacheOptions = {
  readonly directory: string;
  /** Above it the objects that were written first go. */
  readonly maxBytes: number;
  readonly clock: Clock;
  /** Told once when nothing can be written. */
  readonly onNotice: (sentence: string) => void;
};

/**
 * Objects by id, on disk as `objects/ab/cdef…` (header and content, not deflated: they are many and small), many at
 * once in one file of `bundles`, the ones read last also in memory. The content is checked against the id on every read from disk: what was cut, changed
 * or half written is removed and counts as absent, so that neither several processes nor a kill need a lock or a
 * rename. Nothing here ever fails a read or a push: a disk that is full or not writable costs fetching again.
 * Calls are synchronous, which is several times faster for thousands of small files.
 */
export class ObjectCache {
  readonly #directory: string;
  readonly #root: string;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #onNotice: (sentence: string) => void;
  readonly #bundles: ObjectBundles;
  readonly #memory = new Map<Oid, GitObject>();
  /** Folders of single objects that are there: most lookups of a new cache need no look at the disk. */
  #folders: Set<string> | undefined;
  #memoryUsed = 0;
  #hasDisk = true;
  #unsweptBytes = 0;
  #sweepDue: boolean | undefined;

  constructor(options: ObjectCacheOptions) {
    this.#directory = options.directory;
    this.#root = join(options.directory, "objects");
    this.#maxBytes = options.maxBytes;
    this.#clock = options.clock;
    this.#bundles = new ObjectBundles(join(options.directory, "bundles"), options.clock);
    this.#onNotice = options.onNotice;
  }

  get(oid: Oid): GitObject | undefined {
    const known = this.#memory.get(oid);
    if (known) return known;
    for (const bytes of this.#bundles.find(oid)) {
      const object = checked(oid, bytes);
      if (object) return this.#keep(oid, object);
    }
    this.#folders ??= new Set(attempt(() => readdirSync(this.#root)) ?? []);
    if (!this.#folders.has(oid.slice(0, 2))) return undefined;
    const file = this.#fileOf(oid);
    const bytes = attempt(() => readFileSync(file));
    if (!bytes) return undefined;
    const object = checked(oid, bytes);
    if (object) return this.#keep(oid, object);
    attempt(() => rmSync(file, { force: true }));
    return undefined;
  }

  put(objects: ReadonlyMap<Oid, GitObject>): void {
    if (objects.size >= objectsOfBundle)
      this.#write(() => {
        this.#unsweptBytes += this.#bundles.write(objects);
      });
    for (const [oid, object] of objects) {
      if (objects.size < objectsOfBundle) this.#putAlone(oid, object);
      this.#keep(oid, object);
    }
    this.#sweepDue ??= this.#isSweepDue();
    if (this.#sweepDue || this.#unsweptBytes > this.#maxBytes / 8) this.#sweep();
  }

  #putAlone(oid: Oid, object: GitObject): void {
    const bytes = Buffer.concat([headerOf(object), object.content]);
    this.#unsweptBytes += bytes.length;
    this.#writeFile(this.#fileOf(oid), bytes);
    this.#folders?.add(oid.slice(0, 2));
  }

  /** The commit of a remote that was kept whole last, by this process or an earlier one. */
  lastWhole(where: string): Oid | undefined {
    const text = attempt(() => readFileSync(this.#noteOf(where), "utf8")) ?? "";
    return isOid(text) && this.get(text) ? text : undefined;
  }

  keepWhole(where: string, commit: Oid): void {
    this.#writeFile(this.#noteOf(where), Buffer.from(commit));
  }

  #writeFile(file: string, bytes: Buffer): void {
    this.#write(() => {
      if (attempt(() => (writeFileSync(file, bytes, { mode: 0o600 }), true))) return;
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      try {
        writeFileSync(file, bytes, { mode: 0o600 });
      } catch (error) {
        // Half a file helps nobody, and takes the space that is missing.
        attempt(() => rmSync(file, { force: true }));
        throw error;
      }
    });
  }

  #write(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.#hasDisk) this.#onNotice(unwritable(this.#directory, error));
      this.#hasDisk = false;
    }
  }

  #noteOf(where: string): string {
    return join(this.#directory, "whole", createHash("sha256").update(where).digest("hex"));
  }

  #fileOf(oid: Oid): string {
    return join(this.#root, oid.slice(0, 2), oid.slice(2));
  }

  #keep(oid: Oid, object: GitObject): GitObject {
    if (this.#memory.has(oid) || (this.#hasDisk && object.content.length > largestKept)) return object;
    // A copy: the content may be a view into a pack of many megabytes.
    this.#memory.set(oid, { type: object.type, content: Buffer.from(object.content) });
    this.#memoryUsed += object.content.length + entryBytes;
    const limit = this.#hasDisk ? memoryBytes : memoryBytesWithoutDisk;
    if (this.#memoryUsed <= limit) return object;
    // Many at once: a Map is slow to find its first entry behind those that were deleted.
    for (const [oldest, { content }] of this.#memory) {
      if (this.#memoryUsed <= limit * 0.75) break;
      this.#memory.delete(oldest);
      this.#memoryUsed -= content.length + entryBytes;
    }
    return object;
  }

  /** Short processes leave the looking through to one of them a day. */
  #isSweepDue(): boolean {
    const last = attempt(() => statSync(join(this.#directory, sweptFile)).mtimeMs);
    return last === undefined || last < this.#clock.now() - sweptEveryMs;
  }

  #sweep(): void {
    this.#unsweptBytes = 0;
    this.#sweepDue = false;
    this.#writeFile(join(this.#directory, sweptFile), Buffer.from("\n"));
    const files: { readonly path: string; readonly bytes: number; readonly writtenAt: number }[] = [];
    const folders = (attempt(() => readdirSync(this.#root)) ?? []).map((name) => join(this.#root, name));
    for (const folder of [...folders, join(this.#directory, "bundles")]) {
      for (const name of attempt(() => readdirSync(folder)) ?? []) {
        const path = join(folder, name);
        const found = attempt(() => statSync(path));
        if (found) files.push({ path, bytes: found.size, writtenAt: found.mtimeMs });
      }
    }
    let used = files.reduce((sum, file) => sum + file.bytes, 0);
    if (used <= this.#maxBytes) return;
    for (const file of files.sort((a, b) => a.writtenAt - b.writtenAt)) {
      if (used <= this.#maxBytes * 0.75) break;
      attempt(() => rmSync(file.path, { force: true }));
      used -= file.bytes;
    }
  }
}

function checked(oid: Oid, bytes: Buffer): GitObject | undefined {
  const object = decode(bytes);
  return object && oidOf(object) === oid ? object : undefined;
}

function decode(bytes: Buffer): GitObject | undefined {
  const nul = bytes.indexOf(0);
  const type = bytes.toString("latin1", 0, Math.max(nul, 0)).split(" ")[0] ?? "";
  return isObjectType(type) ? { type, content: bytes.subarray(nul + 1) } : undefined;
}

function unwritable(directory: string, error: unknown): string {
  return (
    `The object cache ${directory} cannot be written (${messageOf(error)}): what is fetched is kept in memory, and ` +
    "fetched again by the next process. Free space there, or make it writable."
  );
}
