import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { load, YAML11_SCHEMA } from "js-yaml";
import { expect, test } from "vitest";
import { jsonText } from "../../../src/base/exact-json.ts";
import { parseYaml } from "../../../src/mover/storage/stored-document.ts";
import { yamlOf } from "../../../src/mover/storage/yaml-of.ts";
import { fuzz } from "../../support/fuzz.ts";
import { nastyJson, traps } from "../base/yaml/json-arbitrary.ts";

const read = (text: string) => parseYaml(new TextEncoder().encode(text), "it");

test("whatever was written is read back as it was", { timeout: 300_000 }, () => {
  fc.assert(
    fc.property(nastyJson, (value) => isDeepStrictEqual(read(yamlOf(value)), value)),
    fuzz(50_000),
  );
});

test("a reader of YAML 1.1 that knows dates, sets and merge keys reads the same", {
  timeout: 300_000,
}, () => {
  // It has no bigint.
  const rounded = (value: unknown): unknown => JSON.parse(jsonText(value));
  fc.assert(
    fc.property(nastyJson, (value) => {
      expect(load(yamlOf(value), { schema: YAML11_SCHEMA })).toEqual(rounded(value));
    }),
    fuzz(2_000),
  );
});

test("every trap is read back, as a key, a value, in a list and alone", () => {
  for (const trap of traps) {
    const value = { [trap]: trap, list: [trap, [trap], { [trap]: { [trap]: [trap] } }], last: { z: trap } };
    expect(read(yamlOf(value))).toEqual(value);
    expect(read(yamlOf(trap))).toBe(trap);
  }
});

test("a person can read it", () => {
  const script = "#!/bin/sh\n\n  indented\necho 'a'\n";
  const object = {
    kind: "ConfigMap",
    metadata: { name: "shop", labels: { on: "yes", "app.kubernetes.io/name": "shop" } },
    data: { "run.sh": script, empty: "", port: "8080", url: "http://shop:80/?a=b#c", two: "a\nb" },
    list: [{ a: 1, b: [] }, [1, 2.5], {}, "it's"],
    apiVersion: "v1",
  };
  expect(yamlOf(object)).toBe(`apiVersion: v1
data:
  empty: ''
  port: '8080'
  run.sh: |
    #!/bin/sh

      indented
    echo 'a'
  two: |-
    a
    b
  url: http://shop:80/?a=b#c
kind: ConfigMap
list:
  - a: 1
    b: []
  - - 1
    - 2.5
  - {}
  - it's
metadata:
  labels:
    app.kubernetes.io/name: shop
    'on': 'yes'
  name: shop
`);
});

test("equal objects have equal bytes", () => {
  expect(yamlOf({ b: 1, a: { d: 2, c: 3 } })).toBe(yamlOf({ a: { c: 3, d: 2 }, b: 1 }));
});

test("a value that stands twice is repeated, not made an alias", () => {
  const shared = { a: "1" };
  expect(yamlOf([shared, shared])).toBe("- a: '1'\n- a: '1'\n");
});

test("a field without a value is left out, and an item without one is null", () => {
  expect(yamlOf({ b: undefined, a: [undefined, 1] })).toBe("a:\n  - null\n  - 1\n");
  expect(yamlOf({ a: undefined })).toBe("{}\n");
});

test("a key that is long stands behind a question mark, with any value", () => {
  const key = "k".repeat(2_000);
  for (const value of ["a", "a\nb\n", { b: ["c"], d: 1 }, ["x", { y: 1 }], {}, null]) {
    expect(read(yamlOf({ a: { [key]: value, z: [{ [key]: value }] } }))).toEqual({
      a: { [key]: value, z: [{ [key]: value }] },
    });
  }
});
