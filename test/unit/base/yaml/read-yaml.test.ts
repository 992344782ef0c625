import { describe, expect, test } from "vitest";
import { readYaml } from "../../../../src/base/yaml/read-yaml.ts";
import { lineOf } from "../../../../src/base/yaml/yaml-node.ts";
import { limits } from "../../../../src/pass/declared/limits.ts";
import { nodesOf, refusalOf, valuesOf } from "./read-text.ts";
import { documentOf, refused } from "./yaml-table.ts";

describe("what Kubernetes has no value for, or readers disagree about", () => {
  test.each(refused)("is refused with its line: %s", (value) => {
    expect(refusalOf(documentOf(value, 0)).line).toBe(4);
  });
});

describe("a document that cannot be read", () => {
  test("does not touch the others of its file, and every line is counted from the file's start", () => {
    const text = "a: 1\n---\nb: [\n---\n# c\nc: 1\n--- \nd: {x: 1, x: 2}\n---\n\n\ne: 1\n";
    const { documents, refusals } = readYaml(new TextEncoder().encode(text), limits);
    expect(documents.map((node) => [node.line, lineOf(node, ["e"])])).toEqual([
      [1, 1],
      [6, 6],
      [12, 12],
    ]);
    expect(refusals.map(({ line }) => line)).toEqual([4, 8]);
  });

  test("ends the reading of its file when the file's budget is spent", () => {
    const row = (index: number) => `k${index}: [${"0, ".repeat(30_000)}]`;
    const { documents, refusals } = readYaml(
      new TextEncoder().encode([0, 1, 2, 3, 4].map(row).join("\n---\n")),
      limits,
    );
    expect(documents).toHaveLength(3);
    expect(refusals).toEqual([{ line: 7, message: expect.stringContaining("more than 100000 values") }]);
  });
});

describe("files that are no YAML of Kubernetes", () => {
  test.each<[string, string | Uint8Array, number, RegExp]>([
    ["NUL", 'a: 1\nb: "x\0y"\n', 2, /U\+0000/],
    ["a control character", 'a: "\x07"\n', 1, /U\+0007/],
    ["a line separator of YAML 1.1", "a: 1\n# x\u2028b: 2\n", 2, /U\+2028/],
    ["a byte order mark inside", "a: 1\n\uFEFFb: 2\n", 2, /U\+FEFF/],
    ["not UTF-8", new Uint8Array([0x61, 0x3a, 0x20, 0x31, 0x0a, 0x62, 0x3a, 0xff, 0x0a]), 2, /UTF-8/],
    ["UTF-16", new Uint8Array([0xff, 0xfe, 0x61, 0x00, 0x3a, 0x00]), 1, /UTF-8/],
    ["tabs for indentation", "a:\n\tb: 1\n", 2, /tab/],
    ["a duplicate key", "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", 5, /already, at line 3/],
    ["a directive", "%YAML 1.1\n---\na: 1\n", 1, /directives/],
    ["line ends of CR alone", "a: 1\n---\nb: 1\r---\rc: 1\n", 3, /CR alone/],
    ["a document on the line of its ---", "a: 1\n--- {b: 1}\n", 2, /line of its own/],
    ["four dashes", "a: 1\n----\nb: 1\n", 2, /line of its own/],
    ["a second document without ---", "a: 1\n...\nb: 1\n", 3, /---/],
    ["an unknown anchor", "a:\n  - *b\n", 2, /not defined/],
    ["an anchor inside itself", "a: &a\n  - *a\n", 2, /contains itself/],
    ["two merge keys", "a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n", 4, /already/],
    ["a merge key of text", "a:\n  <<: x\n", 2, /takes a map/],
    ["an open bracket", "a: [1, 2\nb: 3\n", 2, /syntax/],
    ["a Helm template", "a:\n  {{ .Values.x }}: {{ y }}\n", 2, /syntax|key/],
  ])("%s is refused by line", (_name, content, line, message) => {
    const refusal = refusalOf(content);
    expect(refusal.message).toMatch(message);
    expect(refusal.line).toBe(line);
  });

  test("a refusal never repeats a piece of the file", () => {
    for (const secret of [
      "!hunter2{",
      "!hunter2",
      "*hunter2",
      "{hunter2: 1, hunter2: 2}",
      "[hunter2",
      "&hunter2 [*hunter2]",
      "!hunter2!x",
      '"hunter2',
      "99999999999999hunter2: x: y",
    ]) {
      expect(refusalOf(`data:\n  password: ${secret}\n`).message).not.toContain("hunter2");
    }
  });
});

describe("budgets", () => {
  const bomb = (levels: number, width: number) => {
    const rows = ["a0: &a0 x"];
    for (let level = 1; level <= levels; level += 1) {
      rows.push(
        `a${level}: &a${level} [${Array(width)
          .fill(`*a${level - 1}`)
          .join(", ")}]`,
      );
    }
    return rows.join("\n");
  };

  test("an alias bomb is refused before it is expanded", () => {
    expect(refusalOf(bomb(9, 10)).message).toMatch(/more than 100000 values/);
    expect(refusalOf(bomb(50, 2)).message).toMatch(/more than 100000 values/);
  });

  test("aliases of one long text are counted by their characters", () => {
    const text = `a: &a "${"x".repeat(500_000)}"\nb: [${Array(100).fill("*a").join(", ")}]\n`;
    expect(refusalOf(text).message).toMatch(/characters/);
  });

  test("aliases within the budget are read", () => {
    expect(valuesOf(bomb(3, 2))).toHaveLength(1);
  });

  test("10 000 merge keys are refused before they are merged", () => {
    const rows = ["base: &b", ...Array.from({ length: 50 }, (_, index) => `  k${index}: ${index}`)];
    for (let index = 0; index < 10_000; index += 1) rows.push(`m${index}: {<<: *b}`);
    expect(refusalOf(rows.join("\n")).message).toMatch(/more than 100000 values/);
  });

  test.each([
    ["lists", "[".repeat(10_000)],
    ["maps", "{a: ".repeat(10_000)],
    ["block lists", "- ".repeat(10_000)],
    ["block maps", Array.from({ length: 600 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
    ["anchors", Array.from({ length: 600 }, (_, depth) => `${" ".repeat(depth)}&a${depth}`).join("\n")],
    ["explicit keys", "? ".repeat(5000)],
  ])("%s nested without end are refused", (_name, text) => {
    expect(refusalOf(text).message).toMatch(/nested|syntax|key/);
  });

  test("depth counts through aliases", () => {
    const rows = ["a0: &a0 [[[[[[[[[[x]]]]]]]]]]"];
    for (let level = 1; level < 12; level += 1)
      rows.push(`a${level}: &a${level} [[[[[[[[[[*a${level - 1}]]]]]]]]]]`);
    expect(refusalOf(rows.join("\n")).message).toMatch(/nested/);
  });

  test("a file over one MiB is refused, one just below is read", () => {
    expect(refusalOf(`a: ${"x".repeat(limits.fileBytes)}`).message).toMatch(/larger than/);
    expect(valuesOf(`a: ${"x".repeat(limits.fileBytes - 10)}`)).toHaveLength(1);
  });

  test("a stream of 5 000 documents is read whole", () => {
    expect(
      valuesOf(Array.from({ length: 5000 }, (_, index) => documentOf(`v${index}`, index)).join("---\n")),
    ).toHaveLength(5000);
  });
});

describe("values", () => {
  test("__proto__ is a field like any other", () => {
    const [value] = valuesOf('{"__proto__": {"polluted": true}, "constructor": 1}');
    expect(Object.keys(Object(value))).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("JSON is read, indented with tabs too", () => {
    const value = { a: [1, 0.5, "x/y", null, true, "\u{1F600}"], b: { c: {} } };
    expect(valuesOf(JSON.stringify(value, null, "\t"))).toEqual([value]);
    expect(valuesOf('{"a": "\\ud83d\\ude00"}')).toEqual([{ a: "\u{1F600}" }]);
  });

  test("an empty file holds no document", () => {
    expect(valuesOf("")).toEqual([]);
    expect(valuesOf("# only a comment\n")).toEqual([]);
  });
});

describe("lines", () => {
  const text = [
    "# comment",
    "spec:",
    "  list:",
    "    - name: a",
    "      value: |",
    "        text",
    "    - {name: b}",
    "other: 1",
  ].join("\n");

  test.each<[(string | number)[], number]>([
    [["spec"], 2],
    [["spec", "list"], 3],
    [["spec", "list", 0], 4],
    [["spec", "list", 0, "value"], 5],
    [["spec", "list", 1, "name"], 7],
    [["spec", "list", 1, "absent", "deeper"], 7],
    [["other"], 8],
    [["nowhere"], 2],
  ])("of field %j is %i, with LF and CRLF", (field, line) => {
    for (const newline of ["\n", "\r\n"]) {
      const lines = nodesOf(text.replaceAll("\n", newline)).map((node) => lineOf(node, field));
      expect(lines).toEqual([line]);
    }
  });
});
