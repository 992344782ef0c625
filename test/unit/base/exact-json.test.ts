import fc from "fast-check";
import { expect, test } from "vitest";
import { sameJson } from "../../../src/api/same-json.ts";
import { digestOf } from "../../../src/base/digest.ts";
import { jsonText, parseJson } from "../../../src/base/exact-json.ts";

test.each([
  ["9007199254740991", 9_007_199_254_740_991],
  ["9007199254740992", 9_007_199_254_740_992],
  ["9007199254740993", 9_007_199_254_740_993n],
  ["-9223372036854775808", -(2n ** 63n)],
  ["18446744073709551615", 2n ** 64n - 1n],
  ["[1,\n -9007199254740993]", [1, -9_007_199_254_740_993n]],
  // As a server in Go writes its floats.
  ["100000000000000000000", 1e20],
  ["1e+300", 1e300],
  ["1234567890123456.5", 1_234_567_890_123_456.5],
  ["0.12345678901234568", 0.123_456_789_012_345_68],
  ['"9007199254740993"', "9007199254740993"],
])("reads %s as the number that it says, and writes it with the same digits", (text, value) => {
  expect(parseJson(text)).toEqual(value);
  expect(parseJson(`{"a":${text}}`)).toEqual({ a: value });
  expect(jsonText(value)).toBe(text.replaceAll(/\s/g, ""));
});

test("a number beyond 64 bits is a double, as it is to a server", () => {
  expect(parseJson(`[${"9".repeat(1_000_000)}, ${"9".repeat(30)}]`)).toEqual([Infinity, 1e30]);
});

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => !Object.is(one, -0)),
    fc.string({ unit: "grapheme" }),
    fc.constantFrom(null, true, false, "__proto__", ",1234567890123456", "9007199254740993"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

test("what was read is written as the same text, and has a digest", () => {
  fc.assert(
    fc.property(json, (value) => {
      const text = jsonText(value);
      const read = parseJson(text);
      expect(jsonText(read)).toBe(text);
      expect(sameJson(read, parseJson(text))).toBe(true);
      expect(digestOf(read)).toBe(digestOf(parseJson(text)));
    }),
    { numRuns: 2_000 },
  );
});

test("neighbours beyond 2^53 differ, and so do their digests", () => {
  const [one, other] = ["9007199254740992", "9007199254740993"].map((text) => parseJson(`{"a":${text}}`));
  expect(sameJson(one, other)).toBe(false);
  expect(digestOf(one)).not.toBe(digestOf(other));
});

test("a value that no JSON can hold is still an error", () => {
  const ring: { self?: object } = {};
  ring.self = ring;
  expect(() => jsonText(ring)).toThrow(TypeError);
  expect(() => parseJson("[1234567890123456789, }")).toThrow(SyntaxError);
});
