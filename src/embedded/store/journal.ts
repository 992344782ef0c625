import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { HoldfastError } from "../../base/errors.ts";
import { jsonText, parseJson } from "../../base/exact-json.ts";
import type { Json } from "../../base/json.ts";

/**
 * The state on disk: `snapshot` (everything at one revision) and `journal` (every write since).
 * Both are lines of `<crc32, 8 hex digits> <JSON>`.
 *
 * Every line is handed to the kernel before the request is answered, so nothing that was answered is lost
 * when the process is killed. `sync` forces it to the medium; what was written since may go with a power cut.
 * A snapshot is written beside the old one, forced to the medium and renamed; lines of the
 * journal that it already covers are skipped by their revision.
 */
export class Journal {
  readonly #directory: string;
  #file: number;
  #size: number;
  #unsynced = false;
  #isDoubtful = false;

  private constructor(directory: string, file: number, size: number) {
    this.#directory = directory;
    this.#file = file;
    this.#size = size;
  }

  /** Opens the state and replays it line by line through `replay`. A torn last line is cut off. */
  static open(directory: string, replay: (line: Json) => void): Journal {
    const snapshot = join(directory, "snapshot");
    if (existsSync(snapshot)) {
      const { end, torn } = readLines(snapshot, replay);
      if (torn) throw damaged(snapshot, end);
    }
    const path = join(directory, "journal");
    const fresh = !existsSync(path);
    const file = openSync(path, fresh ? "wx" : "r+", 0o600);
    const { end } = readLines(path, replay);
    ftruncateSync(file, end);
    if (fresh) syncDirectory(directory);
    return new Journal(directory, file, end);
  }

  /** Bytes in the journal, to decide when a snapshot is due. */
  get size(): number {
    return this.#size;
  }

  /** The medium refused to take what was written; nobody knows what it holds until the next `compact`. */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /** Whole or not at all: what a full disk cut off is overwritten by the next line. */
  append(line: Json): void {
    const bytes = encoded(line);
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(this.#file, bytes, written, bytes.length - written, this.#size + written);
    }
    this.#size += bytes.length;
    this.#unsynced = true;
  }

  /** Throws when the medium refuses, and is doubtful from then on. */
  sync(): void {
    if (!this.#unsynced) return;
    this.#unsynced = false;
    try {
      fdatasyncSync(this.#file);
    } catch (error) {
      this.#isDoubtful = true;
      throw error;
    }
  }

  /** Replaces snapshot and journal by `lines`. When that fails, both are as they were. */
  compact(lines: Iterable<Json>): void {
    const path = join(this.#directory, "snapshot");
    const next = `${path}.next`;
    const file = openSync(next, "w", 0o600);
    try {
      for (const line of lines) writeAll(file, encoded(line));
      fsyncSync(file);
    } catch (error) {
      // Half a snapshot would take the room that the journal needs.
      rmSync(next, { force: true });
      throw error;
    } finally {
      closeSync(file);
    }
    renameSync(next, path);
    syncDirectory(this.#directory);
    // Opened anew, because a file that once refused is not to be trusted again.
    const old = this.#file;
    this.#file = openSync(join(this.#directory, "journal"), "w", 0o600);
    this.#size = 0;
    this.#unsynced = true;
    this.#isDoubtful = false;
    closeSync(old);
  }

  close(): void {
    closeSync(this.#file);
    this.#file = -1;
  }
}

const chunkSize = 1 << 20;
/** A line longer than this is damage: the largest object is 3 MiB. */
const lineLimit = 64 << 20;

function encoded(line: Json): Buffer {
  const json = jsonText(line);
  return Buffer.from(`${crc32(json).toString(16).padStart(8, "0")} ${json}\n`);
}

function writeAll(file: number, bytes: Buffer): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(file, bytes, written);
}

function syncDirectory(directory: string): void {
  const file = openSync(directory, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function damaged(path: string, byte: number): HoldfastError {
  return new HoldfastError("StateDamaged", `${path} is damaged at byte ${byte}`, {
    disposition: "stall",
    next: "restore the state folder from a copy, or start with an empty one",
  });
}

/** Reads whole, intact lines; damage that intact lines follow is an error, at the end it is a torn write. */
function readLines(path: string, replay: (line: Json) => void): { end: number; torn: boolean } {
  const file = openSync(path, "r");
  try {
    let end = 0;
    let torn = false;
    let rest = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.alloc(chunkSize);
      const count = readSync(file, chunk, 0, chunkSize, null);
      if (count === 0) return { end, torn: torn || rest.length > 0 };
      rest = Buffer.concat([rest, chunk.subarray(0, count)]);
      let start = 0;
      for (let stop = rest.indexOf(10, start); stop >= 0; stop = rest.indexOf(10, start)) {
        const line = decoded(rest.toString("utf8", start, stop));
        if (line === undefined) torn = true;
        else if (torn) throw damaged(path, end);
        else {
          replay(line.value);
          end += stop + 1 - start;
        }
        start = stop + 1;
      }
      rest = rest.subarray(start);
      if (rest.length > lineLimit) throw damaged(path, end);
    }
  } finally {
    closeSync(file);
  }
}

function decoded(text: string): { value: Json } | undefined {
  const json = text.slice(9);
  if (text[8] !== " " || crc32(json).toString(16).padStart(8, "0") !== text.slice(0, 8)) return undefined;
  return { value: parseJson(json) };
}
