import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { deflate, inflate } from "node:zlib";
import type { Clock } from "../../base/clock.ts";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import { type GitObject, headerOf, isObjectType, isOid, oidOf } from "./git-object.ts";
import type { Oid } from "./remote.ts";

const inflateBytes = promisify(inflate);
const deflateBytes = promisify<Buffer, object, Buffer>(deflate);

const memoryBytes = 16 * 2 ** 20;
const largestKept = 2 ** 20;
const abandonedAfterMs = 3_600_000;
const sweptFile = "swept";
const sweptEveryMs = 86_400_000;

export type ObjectCacheOptions = {
  readonly directory: string;
  /** Above it the objects that were written first go. */
  readonly maxBytes: number;
  readonly clock: Clock;
};

/**
 * Objects by id, on disk in Git's loose format (`objects/ab/cdef…`), the ones read last also in memory.
 * Safe for several processes: a file is written under a name of its own and then renamed. Content is checked
 * against the id on every read from disk; what does not match is removed and counts as absent.
 */
export class ObjectCache {
  readonly #directory: string;
  readonly #root: string;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #memory = new Map<Oid, GitObject>();
  #memoryUsed = 0;
  #unsweptBytes = 0;
  #sweptLook: Promise<boolean> | undefined;

  constructor(options: ObjectCacheOptions) {
    this.#directory = options.directory;
    this.#root = join(options.directory, "objects");
    this.#maxBytes = options.maxBytes;
    this.#clock = options.clock;
  }

  async get(oid: Oid): Promise<GitObject | undefined> {
    const known = this.#memory.get(oid);
    if (known) return known;
    const file = this.#fileOf(oid);
    const bytes = await readFile(file).catch(() => undefined);
    if (!bytes) return undefined;
    const object = await decodeLoose(bytes);
    if (object && oidOf(object) === oid) {
      this.#keep(oid, object);
      return object;
    }
    await rm(file, { force: true });
    return undefined;
  }

  async put(oid: Oid, object: GitObject): Promise<void> {
    const bytes = await deflateBytes(Buffer.concat([headerOf(object), object.content]), { level: 1 });
    await this.#write(this.#fileOf(oid), bytes);
    this.#keep(oid, object);
    this.#unsweptBytes += bytes.length;
    this.#sweptLook ??= this.#isSweepDue();
    if ((await this.#sweptLook) || this.#unsweptBytes > this.#maxBytes / 8) await this.#sweep();
  }

  async #write(file: string, bytes: Buffer): Promise<void> {
    const folder = dirname(file);
    const temporary = join(folder, `.new-${process.pid}-${randomBytes(6).toString("hex")}`);
    try {
      await writeFile(temporary, bytes, { mode: 0o600, flag: "wx" }).catch(async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(temporary, bytes, { mode: 0o600 });
      });
      await rename(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw unwritable(this.#directory, error);
    }
  }

  /** The commit of a remote that was kept whole last, by this process or an earlier one. */
  async lastWhole(where: string): Promise<Oid | undefined> {
    const text = await readFile(this.#noteOf(where), "utf8").catch(() => "");
    return isOid(text) && (await this.get(text)) ? text : undefined;
  }

  async keepWhole(where: string, commit: Oid): Promise<void> {
    await this.#write(this.#noteOf(where), Buffer.from(commit));
  }

  #noteOf(where: string): string {
    return join(this.#directory, "whole", createHash("sha256").update(where).digest("hex"));
  }

  #fileOf(oid: Oid): string {
    return join(this.#root, oid.slice(0, 2), oid.slice(2));
  }

  #keep(oid: Oid, object: GitObject): void {
    if (object.content.length > largestKept || this.#memory.has(oid)) return;
    // A copy: the content may be a view into a pack of many megabytes.
    this.#memory.set(oid, { type: object.type, content: Buffer.from(object.content) });
    this.#memoryUsed += object.content.length;
    for (const [oldest, { content }] of this.#memory) {
      if (this.#memoryUsed <= memoryBytes) break;
      this.#memory.delete(oldest);
      this.#memoryUsed -= content.length;
    }
  }

  /** Short processes leave the looking through to one of them a day. */
  async #isSweepDue(): Promise<boolean> {
    const last = await stat(join(this.#directory, sweptFile)).catch(() => undefined);
    return last === undefined || last.mtimeMs < this.#clock.now() - sweptEveryMs;
  }

  async #sweep(): Promise<void> {
    this.#unsweptBytes = 0;
    this.#sweptLook = Promise.resolve(false);
    await this.#write(join(this.#directory, sweptFile), Buffer.alloc(0));
    const files: { readonly path: string; readonly bytes: number; readonly writtenAt: number }[] = [];
    for (const folder of await readdir(this.#root).catch(() => [])) {
      for (const name of await readdir(join(this.#root, folder)).catch(() => [])) {
        const path = join(this.#root, folder, name);
        const found = await stat(path).catch(() => undefined);
        if (!found) continue;
        const abandoned = name.startsWith(".new-") && found.mtimeMs < this.#clock.now() - abandonedAfterMs;
        if (abandoned) await unlink(path).catch(() => undefined);
        else files.push({ path, bytes: found.size, writtenAt: found.mtimeMs });
      }
    }
    let used = files.reduce((sum, file) => sum + file.bytes, 0);
    if (used <= this.#maxBytes) return;
    for (const file of files.sort((a, b) => a.writtenAt - b.writtenAt)) {
      if (used <= this.#maxBytes * 0.75) break;
      await unlink(file.path).catch(() => undefined);
      used -= file.bytes;
    }
  }
}

async function decodeLoose(bytes: Buffer): Promise<GitObject | undefined> {
  const whole = await inflateBytes(bytes).catch(() => undefined);
  const nul = whole?.indexOf(0) ?? -1;
  if (!whole || nul < 0) return undefined;
  const type = whole.toString("latin1", 0, nul).split(" ")[0] ?? "";
  return isObjectType(type) ? { type, content: whole.subarray(nul + 1) } : undefined;
}

function unwritable(directory: string, error: unknown): HoldfastError {
  return new HoldfastError(
    "CacheUnwritable",
    `The object cache ${directory} cannot be written: ${messageOf(error)}`,
    {
      disposition: "retry",
      next: "Free space there, make it writable, or give another cache directory.",
      cause: error,
    },
  );
}
