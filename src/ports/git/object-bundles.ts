import { randomBytes } from "node:crypto";
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { attempt } from "./attempt.ts";
import { type GitObject, headerOf } from "./git-object.ts";
import type { Oid } from "./remote.ts";

const magic = Buffer.from("HFB1");
const trailerBytes = magic.length + 4;
/** Id, offset (48 bits) and length of one object. */
const entryBytes = 30;

type Bundle = { readonly path: string; readonly index: Buffer };

/**
 * Many objects in one file, because a file for each costs more than everything else: header and content of each, an
 * index in the order of the ids, and a trailer. A file that was cut has no trailer and counts as absent; nothing
 * else is checked here, so that whoever reads an object checks it against its id.
 */
export class ObjectBundles {
  readonly #directory: string;
  readonly #clock: Clock;
  #bundles: Bundle[] | undefined;
  /** The file that was read last stays open until the event loop goes on. */
  #opened: { readonly path: string; readonly fd: number } | undefined;

  constructor(directory: string, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /** What files hold under this id, the newest first: header and content, unchecked. */
  *find(oid: Oid): Generator<Buffer> {
    this.#bundles ??= this.#load();
    const id = Buffer.from(oid, "hex");
    for (const bundle of this.#bundles) {
      const at = placeOf(bundle.index, id);
      const bytes = at === undefined ? undefined : this.#read(bundle, at);
      if (bytes) yield bytes;
    }
  }

  /** Writes one file and answers its bytes; throws what the file system throws, and leaves nothing then. */
  write(objects: ReadonlyMap<Oid, GitObject>): number {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const name = `${this.#clock.now().toString(36).padStart(9, "0")}-${randomBytes(6).toString("hex")}`;
    const path = join(this.#directory, name);
    const fd = openSync(path, "wx", 0o600);
    try {
      let offset = 0;
      const entries: Buffer[] = [];
      for (const [oid, object] of objects) {
        const bytes = Buffer.concat([headerOf(object), object.content]);
        const entry = Buffer.alloc(entryBytes);
        entry.write(oid, "hex");
        entry.writeUIntBE(offset, 20, 6);
        entry.writeUInt32BE(bytes.length, 26);
        entries.push(entry);
        offset += bytes.length;
      }
      const index = Buffer.concat(entries.sort(Buffer.compare));
      const count = Buffer.alloc(4);
      count.writeUInt32BE(entries.length);
      for (const part of inParts(objects)) writeWhole(fd, part);
      writeWhole(fd, Buffer.concat([index, count, magic]));
      this.#bundles ??= this.#load();
      this.#bundles.unshift({ path, index });
      return offset + index.length + trailerBytes;
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  #load(): Bundle[] {
    const bundles: Bundle[] = [];
    for (const name of attempt(() => readdirSync(this.#directory))
      ?.sort()
      .reverse() ?? []) {
      const path = join(this.#directory, name);
      const index = attempt(() => readIndex(path));
      if (index && !bundles.some((bundle) => bundle.path === path)) bundles.push({ path, index });
    }
    return bundles;
  }

  #read({ path, index }: Bundle, at: number): Buffer | undefined {
    return attempt(() => {
      if (this.#opened?.path !== path) {
        this.#close();
        this.#opened = { path, fd: openSync(path, "r") };
        setImmediate(() => this.#close());
      }
      const { fd } = this.#opened;
      const length = index.readUInt32BE(at + 26);
      // A changed index must not make us reserve what is not there.
      if (length > fstatSync(fd).size) return undefined;
      const bytes = Buffer.allocUnsafe(length);
      return readSync(fd, bytes, 0, length, index.readUIntBE(at + 20, 6)) === length ? bytes : undefined;
    });
  }

  #close(): void {
    if (this.#opened) closeSync(this.#opened.fd);
    this.#opened = undefined;
  }
}

/** Parts of about a mebibyte: few writes, and never everything twice in memory. */
function* inParts(objects: ReadonlyMap<Oid, GitObject>): Generator<Buffer> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for (const object of objects.values()) {
    parts.push(headerOf(object), object.content);
    bytes += object.content.length;
    if (bytes < 2 ** 20) continue;
    yield Buffer.concat(parts);
    parts = [];
    bytes = 0;
  }
  yield Buffer.concat(parts);
}

function writeWhole(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** Undefined for what is no whole bundle. */
function readIndex(path: string): Buffer | undefined {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    const trailer = Buffer.alloc(trailerBytes);
    if (size < trailerBytes || readSync(fd, trailer, 0, trailerBytes, size - trailerBytes) !== trailerBytes)
      return undefined;
    const bytes = trailer.readUInt32BE(0) * entryBytes;
    if (!trailer.subarray(4).equals(magic) || bytes > size - trailerBytes) return undefined;
    const index = Buffer.allocUnsafe(bytes);
    return readSync(fd, index, 0, bytes, size - trailerBytes - bytes) === bytes ? index : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Where the entry of an id begins, by halving. */
function placeOf(index: Buffer, id: Buffer): number | undefined {
  let low = 0;
  let high = index.length / entryBytes - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const at = middle * entryBytes;
    const order = index.compare(id, 0, 20, at, at + 20);
    if (order === 0) return at;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}
