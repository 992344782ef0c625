import fc from "fast-check";
import { dump, load } from "js-yaml";
import { expect, test } from "vitest";
import { yamlOf } from "../../../src/mover/storage/yaml-of.ts";

const byLibrary = (value: unknown) =>
  dump(value, { lineWidth: -1, noRefs: true, sortKeys: (a, b) => (a === b ? 0 : a < b ? -1 : 1) });

const signs = "abYN_/.0179-+:#,[]{}&*!|>'\"%@`~=<?\\ \t\n\r\u00e9\u0085\u00a0\u2028\ufeff\uffff\ud800\u0001";
const words = "true Yes null off --- ... \u{1f600} key 0x1f 1e3 12:30".split(" ");
const pieces = fc.constantFrom(...signs.split(""), ...words, "\n\n", "\n ", "  ", ": ", " #");
const texts = fc.oneof(
  fc.string({ unit: pieces, maxLength: 12 }),
  fc.string({ unit: fc.constantFrom("a", "b:", " ", "\n", "- x"), maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom(
    "y",
    "N",
    "no",
    "ON",
    "False",
    "NULL",
    "~",
    "<<",
    "=",
    "",
    ".inf",
    "0o17",
    "2026-01-01",
    "1_000",
  ),
);
const scalars = fc.oneof(
  texts,
  texts,
  fc.boolean(),
  fc.constant(null),
  fc.double({ noNaN: true }),
  fc.integer(),
);
const documents = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    scalars,
    fc.array(tie("node"), { maxLength: 4 }),
    fc.dictionary(texts, tie("node"), { maxKeys: 4 }),
  ),
})).node;

/** What js-yaml itself writes of these cannot be read back. */
const hasMark = (value: unknown) => Object.keys(Object(value)).some((key) => /^(?:---|\.\.\.)\s/.test(key));

test("a key that looks like a document's mark is read back", () => {
  const value = { "... a": false, "--- b": [1], "---": 2, "--- ": { "--- c": 3 } };
  expect(load(yamlOf(value))).toEqual(value);
});

test("is what js-yaml writes, byte for byte", () => {
  fc.assert(
    fc.property(documents, (value) => {
      fc.pre(!hasMark(value));
      expect(yamlOf(value)).toBe(byLibrary(value));
    }),
    { numRuns: 3_000 },
  );
});

test("is read back as what was written", () => {
  fc.assert(
    fc.property(fc.dictionary(texts, documents), (value) => {
      fc.pre(!hasMark(value));
      expect(load(yamlOf(value))).toEqual(load(byLibrary(value)));
    }),
    { numRuns: 500 },
  );
});

test("a text that is all of a document is what js-yaml writes", () => {
  fc.assert(
    fc.property(texts, (value) => {
      expect(yamlOf(value)).toBe(byLibrary(value));
    }),
    { numRuns: 1_000, examples: [["---"], ["..."], ["a\n---\nb"], ["\n a"]] },
  );
});

test("a field without a value is left out, and an item without one is null", () => {
  expect(yamlOf({ b: undefined, a: [undefined, 1] })).toBe("a:\n  - null\n  - 1\n");
  expect(yamlOf({ a: undefined })).toBe(byLibrary({ a: undefined }));
});

test("keys that are long or of several lines are written as js-yaml does", () => {
  for (const key of ["k".repeat(999), "k".repeat(1_025), "two\nlines", "\n"])
    expect(yamlOf({ a: { [key]: [{ b: "c\n\n" }] } })).toBe(byLibrary({ a: { [key]: [{ b: "c\n\n" }] } }));
});
