import { StringDecoder } from "node:string_decoder";

/** Keeps the last `maxBytes` of what is pushed. */
export function createTail(maxBytes: number): { push(chunk: Buffer): void; text(): string } {
  let chunks: Buffer[] = [];
  let size = 0;
  return {
    push(chunk) {
      chunks.push(chunk);
      size += chunk.length;
      // Cut only when twice the limit is held, so that many small chunks cost no copy each.
      if (size <= maxBytes * 2) return;
      chunks = [tailOf(chunks, maxBytes)];
      size = maxBytes;
    },
    text: () => tailOf(chunks, maxBytes).toString("utf8"),
  };
}

function tailOf(chunks: readonly Buffer[], maxBytes: number): Buffer {
  const whole = Buffer.concat(chunks);
  return whole.length <= maxBytes ? whole : Buffer.from(whole.subarray(whole.length - maxBytes));
}

/**
 * Calls `onLine` for every line of what is pushed, without its end. A line of more than about `maxLength`
 * UTF-16 units arrives cut.
 */
export function createLineSplitter(
  maxLength: number,
  onLine: (line: string) => void,
): { push(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder("utf8");
  let open = "";
  const add = (text: string) => {
    if (open.length < maxLength) open += text.slice(0, maxLength - open.length);
  };
  const take = (text: string) => {
    const pieces = text.split("\n");
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) {
        onLine(open.endsWith("\r") ? open.slice(0, -1) : open);
        open = "";
      }
      add(piece);
    }
  };
  return {
    push: (chunk) => take(decoder.write(chunk)),
    end() {
      add(decoder.end());
      if (open !== "") onLine(open);
      open = "";
    },
  };
}
