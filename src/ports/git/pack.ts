import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { applyDelta } from "./delta.ts";
import { brokenReply, objectTooLarge } from "./git-errors.ts";
import { type GitObject, type ObjectType, oidOf } from "./git-object.ts";
import type { Oid } from "./remote.ts";

export type PackedObject = GitObject & { readonly oid: Oid };

type Entry = {
  readonly offset: number;
  readonly type: ObjectType | "offset-delta" | "ref-delta";
  readonly size: number;
  /** Offset of the base, or its id. */
  readonly base: number | Oid | undefined;
  readonly dataAt: number;
};

const types: Readonly<Record<number, Entry["type"]>> = {
  1: "commit",
  2: "tree",
  3: "blob",
  4: "tag",
  6: "offset-delta",
  7: "ref-delta",
};

const basesBytes = 16 * 2 ** 20;
/** What one entry of a map takes besides the content. */
const entryBytes = 300;

/**
 * Every object of a pack, each made whole and named by the SHA-1 of its content, or an error: a pack that is
 * cut, changed, or refers to an object outside of it is refused. (isomorphic-git's index of a pack leaves out
 * what it cannot resolve.) An object over `maxObjectBytes` is refused before it is inflated.
 */
export function* readPack(pack: Buffer, maxObjectBytes: number): Generator<PackedObject> {
  const reader = new PackReader(pack, maxObjectBytes);
  const postponed: Entry[] = [];
  for (const entry of reader.entries()) {
    const object = reader.resolve(entry);
    if (object) yield object;
    else postponed.push(entry);
  }
  // Bases named by id may come after what refers to them.
  while (postponed.length > 0) {
    const before = postponed.length;
    for (const entry of postponed.splice(0)) {
      const object = reader.resolve(entry);
      if (object) yield object;
      else postponed.push(entry);
    }
    if (postponed.length === before)
      throw brokenReply(`${before} objects of the pack refer to one that is not in it`);
  }
}

class PackReader {
  readonly #pack: Buffer;
  readonly #maxObjectBytes: number;
  readonly #entries = new Map<number, Entry>();
  readonly #offsets = new Map<Oid, number>();
  readonly #recent = new Map<number, GitObject>();
  #recentBytes = 0;

  constructor(pack: Buffer, maxObjectBytes: number) {
    this.#pack = pack;
    this.#maxObjectBytes = maxObjectBytes;
  }

  *entries(): Generator<Entry> {
    const pack = this.#pack;
    if (pack.length < 32 || pack.toString("latin1", 0, 4) !== "PACK" || pack.readUInt32BE(4) !== 2) {
      throw brokenReply("it holds no pack of version 2");
    }
    const end = pack.length - 20;
    if (!createHash("sha1").update(pack.subarray(0, end)).digest().equals(pack.subarray(end))) {
      throw brokenReply("the pack's checksum does not match its content");
    }
    let at = 12;
    for (let left = pack.readUInt32BE(8); left > 0; left--) {
      const entry = this.#header(at, end);
      this.#entries.set(at, entry);
      const { content, used } = this.#inflate(entry);
      at = entry.dataAt + used;
      if (entry.base === undefined) this.#remember(entry.offset, this.#named(entry, content));
      yield entry;
    }
    if (at !== end) throw brokenReply("the pack holds more than it says");
  }

  /** Undefined when the base, named by id, has not been seen (yet). */
  resolve(entry: Entry): PackedObject | undefined {
    const chain: Entry[] = [];
    let at = entry;
    let whole = this.#recent.get(at.offset);
    while (!whole) {
      if (at.base === undefined) whole = this.#named(at, this.#inflate(at).content);
      else {
        chain.push(at);
        const offset = typeof at.base === "number" ? at.base : this.#offsets.get(at.base);
        const base = offset === undefined ? undefined : this.#entries.get(offset);
        if (!base) {
          if (typeof at.base === "string") return undefined;
          throw brokenReply("a delta's base is not in the pack");
        }
        if (chain.length > 10_000) throw brokenReply("a chain of deltas does not end");
        at = base;
        whole = this.#recent.get(at.offset);
      }
    }
    for (const delta of chain.reverse()) {
      const content = this.#applied(whole.content, this.#inflate(delta).content);
      whole = { type: whole.type, content };
      this.#remember(delta.offset, whole);
    }
    const oid = oidOf(whole);
    this.#offsets.set(oid, entry.offset);
    return { ...whole, oid };
  }

  #applied(base: Buffer, delta: Buffer): Buffer {
    try {
      return applyDelta(base, delta, this.#maxObjectBytes);
    } catch (error) {
      if (error instanceof RangeError) throw objectTooLarge("An object of the remote", this.#maxObjectBytes);
      throw error;
    }
  }

  #named(entry: Entry, content: Buffer): GitObject {
    if (entry.type === "offset-delta" || entry.type === "ref-delta") throw brokenReply("a delta has no base");
    return { type: entry.type, content };
  }

  #header(offset: number, end: number): Entry {
    const pack = this.#pack;
    let at = offset;
    const next = (): number => {
      if (at >= end) throw brokenReply("the pack ends inside an object");
      return pack[at++] ?? 0;
    };
    let byte = next();
    const type = types[(byte >> 4) & 7];
    let size = byte & 15;
    for (let factor = 16; byte & 0x80; factor *= 128) {
      byte = next();
      size += (byte & 0x7f) * factor;
    }
    if (type === undefined) throw brokenReply("the pack holds an object of unknown type");
    let base: number | Oid | undefined;
    if (type === "offset-delta") {
      byte = next();
      let distance = byte & 0x7f;
      while (byte & 0x80) {
        byte = next();
        distance = (distance + 1) * 128 + (byte & 0x7f);
      }
      base = offset - distance;
    } else if (type === "ref-delta") {
      base = pack.toString("hex", at, at + 20);
      at += 20;
    }
    if (size > this.#maxObjectBytes) throw objectTooLarge(`An object of ${size} bytes`, this.#maxObjectBytes);
    return { offset, type, size, base, dataAt: at };
  }

  #inflate(entry: Entry): { readonly content: Buffer; readonly used: number } {
    try {
      const input = this.#pack.subarray(entry.dataAt, this.#pack.length - 20);
      const inflated = inflateWithInfo(input, entry.size);
      if (inflated.content.length !== entry.size)
        throw brokenReply("an object of the pack has another size than it says");
      return inflated;
    } catch (error) {
      if (error instanceof RangeError || (error instanceof Error && "errno" in error)) {
        throw brokenReply("an object of the pack cannot be inflated");
      }
      throw error;
    }
  }

  #remember(offset: number, object: GitObject): void {
    this.#recent.set(offset, object);
    this.#recentBytes += object.content.length + entryBytes;
    if (this.#recentBytes <= basesBytes) return;
    // Many at once: a Map is slow to find its first entry behind those that were deleted.
    for (const [oldest, { content }] of this.#recent) {
      if (this.#recentBytes <= basesBytes * 0.75 || oldest === offset) break;
      this.#recent.delete(oldest);
      this.#recentBytes -= content.length + entryBytes;
    }
  }
}

type InflatedWithInfo = { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };

/** One zlib stream at the start of `input`, with how many bytes of it the stream took. */
function inflateWithInfo(input: Buffer, size: number): { content: Buffer; used: number } {
  // Node's types do not know what `info: true` answers. Without a chunk of its size every object, however small,
  // keeps 16 KiB; one byte more than needed saves zlib the second chunk.
  const { buffer, engine } = inflateSync(input, {
    info: true,
    maxOutputLength: Math.max(size, 1),
    chunkSize: Math.min(Math.max(size + 1, 64), 2 ** 20),
  }) as unknown as InflatedWithInfo;
  return { content: buffer, used: engine.bytesWritten };
}
