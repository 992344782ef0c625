import { brokenReply } from "./git-errors.ts";

/** A base and Git's delta instructions made into the whole (gitformat-pack, "Deltified representation"). */
export function applyDelta(base: Buffer, delta: Buffer, maxBytes: number): Buffer {
  const source = readSize(delta, 0);
  const target = readSize(delta, source.end);
  if (source.size !== base.length) throw brokenReply("a delta does not fit its base");
  if (target.size > maxBytes) throw new RangeError(`the object has ${target.size} bytes`);
  const whole = Buffer.allocUnsafe(target.size);
  let written = 0;
  let at = target.end;
  while (at < delta.length) {
    const command = delta[at++] ?? 0;
    if (command === 0) throw brokenReply("a delta holds an unknown instruction");
    if (command < 0x80) {
      if (at + command > delta.length || written + command > whole.length)
        throw brokenReply("a delta is cut off");
      written += delta.copy(whole, written, at, at + command);
      at += command;
      continue;
    }
    let offset = 0;
    let size = 0;
    for (let bit = 0; bit < 4; bit++) if (command & (1 << bit)) offset += (delta[at++] ?? 0) * 2 ** (8 * bit);
    for (let bit = 0; bit < 3; bit++) if (command & (0x10 << bit)) size += (delta[at++] ?? 0) << (8 * bit);
    if (size === 0) size = 0x10000;
    if (offset + size > base.length || written + size > whole.length)
      throw brokenReply("a delta copies beyond its base");
    written += base.copy(whole, written, offset, offset + size);
  }
  if (written !== whole.length) throw brokenReply("a delta makes less than it says");
  return whole;
}

function readSize(delta: Buffer, from: number): { readonly size: number; readonly end: number } {
  let size = 0;
  let factor = 1;
  let at = from;
  for (;;) {
    const byte = delta[at++];
    if (byte === undefined || factor > 2 ** 42) throw brokenReply("a delta's header is cut off");
    size += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) return { size, end: at };
  }
}
