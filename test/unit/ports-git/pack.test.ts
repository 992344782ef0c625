import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { blobOid } from "../../../src/ports/git/blob-oid.ts";
import { readPack } from "../../../src/ports/git/pack.ts";

type Part = {
  readonly type: number;
  readonly size?: number;
  readonly base?: Buffer;
  readonly content: Buffer;
};

function entry({ type, size, base = Buffer.alloc(0), content }: Part): Buffer {
  const head: number[] = [];
  let left = (size ?? content.length) >> 4;
  head.push((type << 4) | ((size ?? content.length) & 15) | (left > 0 ? 0x80 : 0));
  while (left > 0) {
    head.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>= 7;
  }
  return Buffer.concat([Buffer.from(head), base, deflateSync(content)]);
}

function pack(parts: readonly Buffer[], count = parts.length): Buffer {
  const head = Buffer.from("PACK\0\0\0\u0002\0\0\0\0", "latin1");
  head.writeUInt32BE(count, 8);
  const body = Buffer.concat([head, ...parts]);
  return Buffer.concat([body, createHash("sha1").update(body).digest()]);
}

const hello = Buffer.from("hello world");
/** hello world -> hello there */
const delta = Buffer.from([11, 11, 0x90, 6, 5, ...Buffer.from("there")]);
const whole = entry({ type: 3, content: hello });
const read = (bytes: Buffer, limit = 1_000) =>
  [...readPack(bytes, limit)].map(({ oid, content }) => [oid, content.toString()]);

describe("a pack", () => {
  test("gives every object with the id of its content", () => {
    const byOffset = entry({ type: 6, base: Buffer.from([whole.length]), content: delta });
    expect(read(pack([whole, byOffset]))).toEqual([
      [blobOid("hello world"), "hello world"],
      [blobOid("hello there"), "hello there"],
    ]);
  });

  test("gives objects whose base, named by its id, comes later", () => {
    const byId = entry({ type: 7, base: Buffer.from(blobOid("hello world"), "hex"), content: delta });
    expect(read(pack([byId, whole])).map(([, content]) => content)).toEqual(["hello world", "hello there"]);
  });

  test.each([
    ["whose base is not in it", pack([entry({ type: 7, base: Buffer.alloc(20, 1), content: delta })])],
    [
      "whose base is before its beginning",
      pack([entry({ type: 6, base: Buffer.from([100]), content: delta })]),
    ],
    [
      "whose base is no object's beginning",
      pack([whole, entry({ type: 6, base: Buffer.from([3]), content: delta })]),
    ],
    ["that is its own base", pack([entry({ type: 6, base: Buffer.from([0]), content: delta })])],
    ["of an unknown type", pack([entry({ type: 5, content: hello })])],
    ["that is longer than it says", pack([entry({ type: 3, size: 5, content: hello })])],
    ["that is shorter than it says", pack([entry({ type: 3, size: 50, content: hello })])],
    ["that does not inflate", pack([Buffer.concat([Buffer.from([0x3b]), Buffer.from("garbage")])])],
    ["that is not there", pack([whole], 2)],
    ["that is not counted", pack([whole, whole], 1)],
  ])("with an object %s is refused", (_name, bytes) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ reason: "RemoteUnreachable" }));
  });

  test("that is cut or changed anywhere is refused", () => {
    const good = pack([whole]);
    for (let at = 0; at < good.length; at++) {
      expect(() => read(good.subarray(0, at))).toThrow("broken");
      const changed = Buffer.from(good);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => read(changed)).toThrow("broken");
    }
  });

  test("with an object over the limit is refused before it is inflated", () => {
    const bomb = entry({ type: 3, content: Buffer.alloc(5_000_000) });
    expect(() => read(pack([bomb]))).toThrow(expect.objectContaining({ reason: "ObjectTooLarge" }));
    const lying = entry({ type: 3, size: 10, content: Buffer.alloc(5_000_000) });
    expect(() => read(pack([lying]))).toThrow("cannot be inflated");
    const grown = Buffer.from([11, 0xff, 0x7f, 0x90, 6]);
    const large = entry({ type: 6, base: Buffer.from([whole.length]), content: grown });
    expect(() => read(pack([whole, large]))).toThrow(expect.objectContaining({ reason: "ObjectTooLarge" }));
  });
});
