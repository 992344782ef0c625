import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { load, YAML11_SCHEMA } from "js-yaml";
import { describe, expect, it } from "vitest";
import { parseObject, parseYaml } from "../../../src/mover/storage/stored-document.ts";
import { yamlOf } from "../../../src/mover/storage/yaml-of.ts";
import { pathOf, requireOrSkip } from "../../support/real-parts.ts";

/** Text that readers of YAML 1.1 or 1.2 take for something else when it stands without quotes. */
const traps = [
  "y",
  "Y",
  "yes",
  "No",
  "on",
  "OFF",
  "true",
  "False",
  "null",
  "~",
  "",
  "Null",
  "=",
  "<<",
  "NaN",
  ".nan",

  "0644",
  "0o17",
  "0x1F",
  "0b11",
  "1_000",
  "1e3",
  "1.",
  "+.1",
  ".inf",
  "-.Inf",
  "08",
  "12e03",
  "-0",
  "+1",

  "2024-01-01",
  "2024-01-01T00:00:00Z",
  "2001-12-14 21:59:43.10 -5",
  "1:30",
  "190:20:30",
  "12345678901234567890",

  "- x",
  "a: b",
  "#c",
  "a #b",
  "!x",
  "&a",
  "*b",
  "@x",
  "`",
  "%",
  "|",
  ">",
  "?",
  "[",
  "{",
  "'",
  '"',
  "---",
  "...",

  "trailing ",
  " leading",
  "\n",
  "a\n",
  "a\n\n",
  "\n a",
  "a\r\nb",
  "\t",
  "tab\tinside",
  "\u0085",
  "\u2028",
  "\ufeffx",

  "\u0000",
  "\u0007",
  "\u007f",
  "😀",
  "\ud83d\ude00 x",
  "word ".repeat(60),
  "a\\b",
  "é",
  "{{ .Values.x }}",
];

const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...traps) },
  { weight: 2, arbitrary: fc.string({ maxLength: 30 }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 30 }) },
);
const whole = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const leaf = fc.oneof(
  text,
  whole,
  fc.boolean(),
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const key = fc.oneof(text, fc.string({ maxLength: 12 })).filter((name) => name !== "__proto__");
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

/** JSON has no minus zero. */
const plain = (one: unknown): unknown => JSON.parse(JSON.stringify(one));

describe("YAML of a dump", () => {
  it("reads back as what it was", () => {
    const reads = fc.property(value, (one) => {
      expect(plain(parseYaml(yamlOf(one), "it"))).toEqual(plain(one));
    });
    fc.assert(reads, { numRuns: 1500 });
  });

  it("means the same to a reader of YAML 1.1 that knows dates, sets and merge keys", () => {
    const reads = fc.property(value, (one) => {
      expect(plain(load(yamlOf(one), { schema: YAML11_SCHEMA }))).toEqual(plain(one));
    });
    fc.assert(reads, { numRuns: 1500 });
  });

  it("has the same bytes for equal objects", () => {
    expect(yamlOf({ b: 1, a: { d: 2, c: 3 } })).toBe(yamlOf({ a: { c: 3, d: 2 }, b: 1 }));
  });

  it("repeats a value that stands twice and makes no alias of it", () => {
    const shared = { a: "1" };
    expect(yamlOf([shared, shared])).toBe("- a: '1'\n- a: '1'\n");
  });
});

describe.runIf(requireOrSkip("kubectl"))("kubectl", () => {
  it("reads every trap as the text that it is", async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-yaml-"));
    try {
      const data = Object.fromEntries(traps.map((trap, index) => [`k${index}`, trap]));
      const odd = Object.fromEntries(["y", "no", "0644", "1e3", "null"].map((name) => [name, name]));
      const object = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "traps" },
        data: { ...data, ...odd },
      };
      await writeFile(join(folder, "object.yaml"), yamlOf(object));
      const { stdout } = await promisify(execFile)(
        pathOf("kubectl"),
        [
          "patch",
          "--local",
          "--type=merge",
          "--patch={}",
          "--output=json",
          "-f",
          join(folder, "object.yaml"),
        ],
        { maxBuffer: 1 << 22 },
      );
      expect(JSON.parse(stdout)).toMatchObject(object);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("reading a document", () => {
  it("leaves dates as text", () => {
    expect(parseYaml("a: 2024-01-01\nb: 2024-01-01T00:00:00Z", "it")).toEqual({
      a: "2024-01-01",
      b: "2024-01-01T00:00:00Z",
    });
  });

  it("reads an octal number as Kubernetes does", () => {
    expect(parseYaml("mode: 0644", "it")).toEqual({ mode: 420 });
  });

  it("refuses aliases, of which bombs are made", () => {
    expect(() => parseYaml("a: &a [x]\nb: [*a, *a]", "bomb.yaml")).toThrow(
      /bomb\.yaml is not readable YAML \(line 2\)/,
    );
  });

  it("never quotes what it cannot read", () => {
    expect(() => parseYaml("password: 'hunter2\n", "secret.yaml")).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("hunter2") }),
    );
  });

  it.each(["[]", "a", "{}", "apiVersion: v1", "{apiVersion: v1, kind: X, metadata: {}}"])(
    "refuses %s as an object",
    (document) => {
      expect(() => parseObject(document, "it")).toThrow(/it is not a Kubernetes object/);
    },
  );
});
