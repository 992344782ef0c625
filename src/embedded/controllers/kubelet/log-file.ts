import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** A log file is set aside as `<path>.1` at this size, and the one before that is dropped. */
export const maxLogBytes = 10 * 1024 * 1024;

const blockBytes = 64 * 1024;

export type LogFile = {
  readonly write: (chunk: Buffer) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Appends to a container's log and never keeps more than two files of `maxBytes`. */
export async function openLogFile(path: string, maxBytes = maxLogBytes): Promise<LogFile> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  let file: FileHandle = await open(path, "a", 0o600);
  let size = (await file.stat()).size;
  let turn: Promise<void> = Promise.resolve();
  const append = async (chunk: Buffer) => {
    if (size > 0 && size + chunk.length > maxBytes) {
      await file.close();
      await rename(path, `${path}.1`);
      file = await open(path, "a", 0o600);
      size = 0;
    }
    await file.write(chunk);
    size += chunk.length;
  };
  return {
    // stdout and stderr share the file: one write at a time.
    write(chunk) {
      turn = turn.then(() => append(chunk));
      return turn;
    },
    async close() {
      await turn.catch(() => undefined);
      await file.close();
    },
  };
}

/** The log of the run before is kept, as `kubectl logs --previous` shows it; the one before that goes. */
export async function keepAsPrevious(path: string): Promise<void> {
  await rm(`${path}.1`, { force: true });
  await rename(path, previousLog(path)).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  });
}

/** Where `keepAsPrevious` puts a log. */
export function previousLog(path: string): string {
  return `${path}.previous`;
}

/** Where the last lines of a log begin: in the file, and in the part before it when they reach back so far. */
export type TailStart = { readonly before: number | undefined; readonly offset: number };

/** The start of the last `lines` lines of both files together; of everything when `lines` is undefined. */
export async function startOfTail(path: string, lines: number | undefined): Promise<TailStart> {
  if (lines === undefined) return { before: 0, offset: 0 };
  let wanted = lines;
  // The end of the last line begins no line.
  let isLast = true;
  for (const one of [path, `${path}.1`]) {
    const file = await open(one, "r").catch(() => undefined);
    if (file === undefined) continue;
    try {
      const { size } = await file.stat();
      if (wanted === 0) return { before: undefined, offset: size };
      for (let end = size; end > 0; end -= blockBytes) {
        const from = Math.max(0, end - blockBytes);
        const { buffer, bytesRead } = await file.read(Buffer.alloc(end - from), 0, end - from, from);
        for (let at = bytesRead - 1; at >= 0; at--) {
          if (buffer[at] === 10 && !isLast && --wanted === 0) {
            const found = from + at + 1;
            return one === path ? { before: undefined, offset: found } : { before: found, offset: 0 };
          }
          isLast = false;
        }
      }
    } finally {
      await file.close();
    }
  }
  return { before: 0, offset: 0 };
}

/** The end of a log, at most `maxBytes`, without the part of a character that the cut may leave. */
export async function tailOfLog(path: string, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let wanted = maxBytes;
  for (const one of [path, `${path}.1`]) {
    if (wanted <= 0) break;
    const part = await tailOfFile(one, wanted);
    parts.unshift(part);
    wanted -= part.length;
  }
  const text = Buffer.concat(parts).toString("utf8");
  return wanted > 0 ? text : text.replace(/^\uFFFD+/, "");
}

async function tailOfFile(path: string, maxBytes: number): Promise<Buffer> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile()) return Buffer.alloc(0);
  const file = await open(path, "r");
  try {
    const length = Math.min(found.size, maxBytes);
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, found.size - length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
