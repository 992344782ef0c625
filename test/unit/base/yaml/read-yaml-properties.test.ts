import fc from "fast-check";
import { dump } from "js-yaml";
import { expect, test } from "vitest";
import { jsonText } from "../../../../src/base/exact-json.ts";
import { readYaml } from "../../../../src/base/yaml/read-yaml.ts";
import { jsonOf } from "../../../../src/base/yaml/yaml-node.ts";
import { limits } from "../../../../src/pass/declared/limits.ts";
import { fuzz } from "../../../support/fuzz.ts";
import { valuesOf } from "./read-text.ts";
import { yamlValue } from "./yaml-arbitrary.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

const fragments = fc.constantFrom(
  ..."a|1|0|.|e|-|+|: |,|[|]|{|}|\"|'|#| |\n|\n  |\n- |&a |*a|? |\\|\\u|~|%|@|!|!!str |<<: |\t|---\n|...\n|\r\n|=|`".split(
    "|",
  ),
  "|",
  ">-\n",
  "\0",
  "\uFEFF",
  "\u2028",
);

test("any bytes are read or refused with a line that the file has", { timeout: 300_000 }, () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: "binary", maxLength: 300 }).map(bytes),
    fc.array(fragments, { maxLength: 60 }).map((parts) => bytes(parts.join(""))),
    fc
      .array(yamlValue, { maxLength: 8 })
      .map((values) => bytes(values.map((value) => `x: ${value}\n`).join(""))),
  );
  fc.assert(
    fc.property(anything, (content) => {
      const { documents, refusals } = readYaml(content, limits);
      const lines = new TextDecoder().decode(content).split("\n").length;
      const told = refusals.every(({ line, message }) => line >= 1 && line <= lines && message !== "");
      return told && jsonText(documents.map(jsonOf)) !== "";
    }),
    fuzz(50_000),
  );
});

const json = fc.jsonValue({ maxDepth: 5, stringUnit: "grapheme" }).filter(isPlain);

/** What a file cannot hold is another test's subject. */
function isPlain(value: unknown): boolean {
  const text = JSON.stringify(value);
  return !/[\x7F-\x9F\u2028\u2029\uFEFF\uFFFE\uFFFF]/.test(text) && !/\d{16}/.test(text);
}

test("what is written as JSON is read as the same value", () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(valuesOf(JSON.stringify(value))).toEqual([JSON.parse(JSON.stringify(value, noMinusZero))]);
    }),
    { numRuns: 500 },
  );
});

test("what is written as block YAML is read as the same value", () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(valuesOf(dump(value))).toEqual([JSON.parse(JSON.stringify(value, noMinusZero))]);
    }),
    { numRuns: 500 },
  );
});

function noMinusZero(_key: string, value: unknown): unknown {
  return value === 0 ? 0 : value;
}
