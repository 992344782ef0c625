import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blobOid } from "../../../src/ports/git/blob-oid.ts";
import { applyDelta } from "../../../src/ports/git/delta.ts";
import { decodeCommit } from "../../../src/ports/git/git-object.ts";
import { demultiplex, packet, packets } from "../../../src/ports/git/pkt-line.ts";
import {
  decodeTree,
  encodeTree,
  keyOf,
  nameOf,
  safeEntries,
  segmentsOf,
} from "../../../src/ports/git/tree.ts";
import { requireOrSkip } from "../../support/real-parts.ts";

const oid = "45b983be36b73c0788dc9cbcb76cbb80fc7bb057";

describe("Git's data", () => {
  test("a blob has the id that git gives to it", () => {
    expect(blobOid("hi\n")).toBe("45b983be36b73c0788dc9cbcb76cbb80fc7bb057");
    expect(blobOid("")).toBe("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  });

  test.runIf(requireOrSkip("git"))("text beyond ASCII has it too", () => {
    const input = "grün 😀 \u2028\r\n";
    expect(blobOid(input)).toBe(
      execFileSync("git", ["hash-object", "--stdin"], { input, encoding: "utf8" }).trim(),
    );
  });

  test("a commit with a signature, an odd author and Latin-1 text is read", () => {
    const head = `tree ${oid}\nparent ${oid}\nauthor Ärger no address\ncommitter A <a> 1700000000 -0330\nencoding ISO-8859-1\n`;
    const content = Buffer.from(
      `${head}gpgsig -----BEGIN\n parent forged\n\n -----END\n\ngrün\n`.replace("\n\n -", "\n \n -"),
      "latin1",
    );
    expect(decodeCommit(oid, content)).toEqual({
      oid,
      tree: oid,
      parents: [oid],
      author: "Ärger no address",
      committedAt: 1_700_000_000_000,
      message: "grün\n",
    });
  });

  test.each(["", "tree x\n\n", `tree ${oid}\nparent ../../x\n\n`])("the commit %j is refused", (text) => {
    expect(() => decodeCommit(oid, Buffer.from(text))).toThrow(
      expect.objectContaining({ reason: "ObjectMalformed" }),
    );
  });
});

describe("a tree", () => {
  const name = fc
    .uint8Array({ minLength: 1, maxLength: 8 })
    .map((bytes) => Buffer.from(bytes).toString("latin1"));
  const safe = name.filter((key) => !/[\0/]/.test(key) && !/^\.{1,2}$|git/i.test(key));

  test("is written as it was read, whatever bytes its names are, in any order", () => {
    const entry = fc.record({
      key: safe,
      mode: fc.constantFrom("100644", "40000", "120000"),
      oid: fc.constant(oid),
    });
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ({ key }) => key }), (entries) => {
        const encoded = encodeTree(entries);
        expect(encodeTree(decodeTree(oid, encoded).toReversed())).toEqual(encoded);
        expect(decodeTree(oid, encoded)).toHaveLength(entries.length);
      }),
    );
  });

  test("is in the order of bytes, folders as if they ended with a slash", () => {
    const entries = ["a.b", "a", "a-b", "a0", "\uff21", "😀", "é"].map((each) => ({
      key: keyOf(each),
      mode: each === "a" ? "40000" : "100644",
      oid,
    }));
    const names = decodeTree(oid, encodeTree(entries)).map(({ key }) => nameOf(key));
    expect(names).toEqual(["a-b", "a.b", "a", "a0", "é", "\uff21", "😀"]);
  });

  test.each(["..", ".", ".git", ".GIT", "git~1", ".git ", ".g\u200cit"])(
    "with an entry %j is not written again",
    (bad) => {
      const entries = decodeTree(oid, encodeTree([{ key: keyOf(bad), mode: "100644", oid }]));
      expect(() => safeEntries(entries, "a/")).toThrow(expect.objectContaining({ reason: "UnsafePath" }));
      expect(() => segmentsOf(`a/${bad}`)).toThrow(expect.objectContaining({ reason: "UnsafePath" }));
    },
  );

  test("that is cut off is refused", () => {
    const encoded = encodeTree([{ key: "a", mode: "100644", oid }]);
    for (let end = 1; end < encoded.length; end++) {
      expect(() => decodeTree(oid, encoded.subarray(0, end))).toThrow("cut off");
    }
  });
});

describe("the wire's packets", () => {
  test("are taken apart as they were put together, and never when cut", () => {
    const reply = Buffer.concat([
      packet("version 2\n"),
      Buffer.from("0001"),
      packet("x"),
      Buffer.from("0000"),
    ]);
    expect([...packets(reply)].map(({ kind }) => kind)).toEqual(["data", "delimiter", "data", "flush"]);
    const ends = new Set([...packets(reply)].map(({ end }) => end));
    const cuts = Array.from(reply.keys()).filter((end) => end > 0 && !ends.has(end));
    for (const end of cuts) expect(() => [...packets(reply.subarray(0, end))]).toThrow("broken");
  });

  test("of a side band hold data, words and errors, and must end", () => {
    const reply = [packet("\u0001da"), packet("\u0002words"), packet("\u0001ta")];
    const end = Buffer.from("0000");
    expect(demultiplex(Buffer.concat([...reply, end]), 0)).toEqual({
      data: Buffer.from("data"),
      words: "words",
      fatal: undefined,
    });
    expect(demultiplex(Buffer.concat([...reply, packet("\u0003no\n"), end]), 0).fatal).toBe("no");
    expect(() => demultiplex(Buffer.concat(reply), 0)).toThrow("ends before its last packet");
    expect(() => demultiplex(Buffer.concat([packet("\u0007x"), end]), 0)).toThrow("side band 7");
  });

  test("hold nothing that would begin another line", () => {
    expect(() => packet("x".repeat(70_000))).toThrow("packet of 70000 bytes");
  });
});

describe("a delta", () => {
  const base = Buffer.from("0123456789");
  const copy = Buffer.from([10, 6, 0x91, 2, 4, 2, 0x61, 0x62]);

  test("copies from its base and inserts its own", () => {
    expect(applyDelta(base, copy, 100).toString()).toBe("2345ab");
  });

  test.each([
    ["another base", Buffer.from("short"), copy],
    ["a copy beyond the base", base, Buffer.from([10, 4, 0x91, 8, 4])],
    ["an unknown instruction", base, Buffer.from([10, 1, 0])],
    ["too little", base, Buffer.from([10, 9, 1, 0x61])],
    ["too much", base, Buffer.from([10, 1, 2, 0x61, 0x62])],
    ["a cut instruction", base, Buffer.from([10, 5, 5, 0x61])],
    ["a cut header", base, Buffer.from([0x8a])],
  ])("with %s is refused", (_name, from, delta) => {
    expect(() => applyDelta(from, delta, 100)).toThrow(
      expect.objectContaining({ reason: "RemoteUnreachable" }),
    );
  });

  test("that would make more than is allowed is refused before it is made", () => {
    expect(() => applyDelta(base, Buffer.from([10, 0xff, 0xff, 0xff, 0xff, 0x7f]), 100)).toThrow(RangeError);
  });
});
