import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readYaml } from "../../../src/base/yaml/read-yaml.ts";
import { jsonOf } from "../../../src/base/yaml/yaml-node.ts";
import { limits } from "../../../src/pass/declared/limits.ts";
import { readRecordYaml, recordYaml } from "../../../src/pass/record/record-yaml.ts";

/** What kubectl's reader makes of an entry. */
function asKubectlReads(text: string): unknown {
  const { documents, refusals } = readYaml(Buffer.from(text, "utf8"), limits);
  if (refusals[0]) throw new Error(`line ${refusals[0].line}: ${refusals[0].message}\n${text}`);
  const [only] = documents;
  if (only === undefined || documents.length !== 1) throw new Error(`${documents.length} documents`);
  return jsonOf(only);
}

function asWeRead(text: string): unknown {
  return readRecordYaml(Buffer.from(text, "utf8"));
}

describe("the YAML of an entry", () => {
  test("is the same bytes whatever the order of the fields", () => {
    const one = {
      kind: "Snapshot",
      metadata: { name: "a", labels: { b: "1", a: "2" } },
      status: [{ y: 1, x: 2 }],
    };
    const other = {
      status: [{ x: 2, y: 1 }],
      metadata: { labels: { a: "2", b: "1" }, name: "a" },
      kind: "Snapshot",
    };
    expect(recordYaml(one)).toBe(recordYaml(other));
    expect(recordYaml(one)).toBe(
      'kind: Snapshot\nmetadata:\n  labels:\n    a: "2"\n    b: "1"\n  name: a\nstatus:\n  - x: 2\n    "y": 1\n',
    );
  });

  test("leaves out what only the API server knows, and absent fields", () => {
    const metadata = { name: "a", resourceVersion: "7", managedFields: [{ manager: "holdfast" }], uid: "u" };
    expect(asWeRead(recordYaml({ metadata, gone: undefined, items: [undefined] }))).toEqual({
      metadata: { name: "a", uid: "u" },
      items: [null],
    });
  });

  test("keeps a field of that name elsewhere", () => {
    expect(asWeRead(recordYaml({ spec: { resourceVersion: "7" } }))).toEqual({
      spec: { resourceVersion: "7" },
    });
  });
});

test("an entry holds every digit of a whole number of 64 bits", () => {
  const content = { spec: { limits: [9_007_199_254_740_993n, -(2n ** 63n), 1] } };
  expect(recordYaml(content)).toContain("- 9007199254740993\n    - -9223372036854775808\n    - 1\n");
  expect(asKubectlReads(recordYaml(content))).toEqual(content);
});

describe("every reader of an entry", () => {
  test.each([
    ..."y n Yes NO on Off true null ~ = << .inf .NaN 0644 0o14 0b1 0x1F 1_000 12:30 1e3 .5 -1 +1 2026-11-20".split(
      " ",
    ),
    "2026-11-20T10:00:00Z",
    "",
    " ",
    "a: b",
    "a #b",
    "# c",
    "- a",
    "? a",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a",
    "{a",
    "[a",
    "a\nb",
    "a\n",
    "\na",
    " a\n b\n\n",
    "a\r\nb",
    "a \nb",
    "\ta",
    "\u0085",
    "\u2028",
    "\ufeff",
    "\0\u001b",
    "é😀",
    "---",
    "...",
    "---\na",
  ])("keeps the text %j as text for every reader, as value and as key", (text) => {
    const content = { value: text, list: [text], map: { [text]: text } };
    expect(asWeRead(recordYaml(content))).toEqual(content);
    expect(asKubectlReads(recordYaml(content))).toEqual(content);
  });

  test("means the same to every reader, whatever the content", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.stringMatching(/^[-+.:_0-9a-fx ynoTZ\n#]{0,12}$/),
    );
    const { content } = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("node"), { maxLength: 4 }),
        tie("content"),
      ),
      content: fc.dictionary(text, tie("node"), { maxKeys: 5, noNullPrototype: true }),
    }));
    const wellFormed = (value: unknown) =>
      JSON.stringify(value).isWellFormed() && !/\\ud[89a-f]/i.test(JSON.stringify(value));
    fc.assert(
      fc.property(content.filter(wellFormed), (value) => {
        const data = { data: value };
        const written = recordYaml(data);
        expect(asWeRead(written)).toEqual(data);
        expect(asKubectlReads(written)).toEqual(data);
        expect(recordYaml(readRecordYaml(Buffer.from(written)))).toBe(written);
      }),
      { numRuns: 400 },
    );
  });
});

describe("reading an entry", () => {
  test("writes fractions and large numbers that every reader takes for numbers", () => {
    const content = { a: 1.5, b: 1e21, c: -0.000001, d: 9007199254740991, e: 1e-7 };
    expect(asWeRead(recordYaml(content))).toEqual(content);
    expect(asKubectlReads(recordYaml(content))).toEqual(content);
  });

  test.each([
    ["", "empty"],
    ["- a\n", "it is no map"],
    ["a: [\n", "indentation"],
    ["a: &x [1]\nb: *x\n", "alias"],
    ["a: 1\na: 2\n", "duplicated"],
  ])("refuses %j when it is read", (text, why) => {
    expect(() => asWeRead(text)).toThrow(new RegExp(`cannot be read: .*${why}`, "s"));
  });

  test("refuses bytes that are not UTF-8, and an entry over 1 MiB", () => {
    expect(() => readRecordYaml(Buffer.from([0x61, 0x3a, 0x20, 0xff]))).toThrow("cannot be read");
    expect(() => readRecordYaml(Buffer.alloc(1_048_577, "a"))).toThrow("larger than 1048576 bytes");
  });
});
