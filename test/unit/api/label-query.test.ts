import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelSelectorText, readLabelQuery } from "../../../src/api/label-query.ts";
import { matchesRequirement } from "../../../src/api/label-selector.ts";

type Labels = Readonly<Record<string, string>>;

function matches(text: string, labels: Labels): boolean {
  const read = readLabelQuery(text);
  if (!read.ok) throw new Error(read.message);
  return read.value.every((requirement) => matchesRequirement(requirement, labels));
}

describe("what a text matches", () => {
  it.each<readonly [text: string, labels: Labels, taken: boolean]>([
    ["app:web", { app: "web" }, true],
    ["app=web", { app: "web" }, true],
    ["app==web", { app: "web" }, true],
    ["app = web", { app: "web" }, true],
    ["app=web", { app: "db" }, false],
    ["app:web", {}, false],
    ["app", { app: "db" }, true],
    ["app", {}, false],
    ["app=", { app: "" }, true],
    ["app:", { app: "db" }, false],
    ["app!=web", { app: "db" }, true],
    ["app!=web", { app: "web" }, false],
    ["app!=web", {}, true],
    ["!app", {}, true],
    ["! app", { app: "web" }, false],
    ["app in (web,db)", { app: "db" }, true],
    ["app in (web, db)", { app: "cache" }, false],
    ["app in (web)", {}, false],
    ["app in ()", { app: "" }, true],
    ["app in(web)", { app: "web" }, true],
    ["app notin (web,db)", { app: "cache" }, true],
    ["app notin (web,db)", { app: "web" }, false],
    ["app notin (web,db)", {}, true],
    ["app in (web,db),tier:a", { app: "db", tier: "a" }, true],
    ["app in (web,db),tier:a", { app: "db", tier: "b" }, false],
    [" app=web , , tier ", { app: "web", tier: "b" }, true],
    ["example.com/app:web", { "example.com/app": "web" }, true],
    ["in", { in: "x" }, true],
    ["notin in (in)", { notin: "in" }, true],
    ["constructor", {}, false],
    ["", {}, true],
  ])("%j of %j: %s", (text, labels, taken) => {
    expect(matches(text, labels)).toBe(taken);
  });
});

describe("what is refused, and where", () => {
  it.each<readonly [text: string, message: string]>([
    ["app=web,a b", '"a b" at character 9: "a b" is no key of a label'],
    ["app=web web", '"app=web web" at character 1: "web web" is no value that a label can have'],
    ["app:web:db", '"web:db" is no value that a label can have'],
    ["app===web", '"=web" is no value that a label can have'],
    ["=web", '"=web" at character 1: the label\'s key is missing'],
    ["!", '"!" at character 1: the label\'s key is missing'],
    ["!app=web", '"app=web" is no key of a label'],
    ["-app", '"-app" is no key of a label'],
    ["ex ample/app", '"ex ample/app" is no key of a label'],
    ["replicas>1", '"replicas>1" is no key of a label'],
    ["app in (web", 'the bracket at character 8 of "app in (web" is not closed'],
    ["app=web)", 'the bracket at character 8 of "app=web)" has no partner'],
    ["app in ((web))", "the bracket at character 9 of"],
    ["app in web", '"app in web" is no key of a label'],
    ["app in (a b)", '"a b" is no value that a label can have'],
    [`${"a".repeat(64)}=x`, "is no key of a label"],
    [`app=${"a".repeat(64)}`, "is no value that a label can have"],
    [`${"a".repeat(254)}/app`, "is no key of a label"],
  ])("%j", (text, message) => {
    const read = readLabelQuery(text);
    expect(read.ok ? "" : read.message).toContain(message);
    expect(read.ok ? "" : read.next).toContain("key notin (a,b)");
  });
});

const runs = Math.max(20_000, Number(process.env["HOLDFAST_FUZZ_RUNS"] ?? 0) * 40);
// The short run tries the same texts every time; the long one goes looking for new ones.
const bounded = { numRuns: runs, ...(runs > 20_000 ? {} : { seed: 5 }) };
const timeout = 10_000 + runs;
const pieces = [
  "a",
  "app",
  "tier.x/app",
  "in",
  "notin",
  " in ",
  " notin ",
  "(",
  ")",
  ",",
  "=",
  "==",
  "!=",
  "!",
  ":",
  " ",
  "\n",
  "\t",
  "-",
  ".",
  "_",
  "/",
  "*",
  "<",
  "é",
  "\u0000",
  "😀",
  "a".repeat(63),
  "a".repeat(300),
];
const anyText = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 24 }).map((some) => some.join("")),
  fc.string({ unit: "binary", maxLength: 60 }),
);
const word = fc.constantFrom("a", "app", "b-1", "x_y.z", "In", "notin");
const labelKey = fc.oneof(
  word,
  word.map((name) => `example.com/${name}`),
);
const requirement = fc.oneof(
  labelKey.map((key) => ({ key, operator: "Exists" as const })),
  labelKey.map((key) => ({ key, operator: "DoesNotExist" as const })),
  fc.record({
    key: labelKey,
    operator: fc.constantFrom("In" as const, "NotIn" as const),
    values: fc.uniqueArray(fc.oneof(word, fc.constant("")), { minLength: 1, maxLength: 4 }),
  }),
);

it("reads or refuses every text, with words and a remedy", { timeout }, () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const read = readLabelQuery(text);
      if (!read.ok) return read.message !== "" && read.message.length < 1000 && read.next !== "";
      const again = readLabelQuery(labelSelectorText(read.value) ?? "");
      expect(again).toEqual(read);
      return true;
    }),
    bounded,
  );
});

it("reads the API server's form of every query back as it was", { timeout }, () => {
  fc.assert(
    fc.property(fc.array(requirement, { maxLength: 6 }), (value) => {
      expect(readLabelQuery(labelSelectorText(value) ?? "")).toEqual({ ok: true, value });
    }),
    bounded,
  );
});

it("reads a long text in a time that grows with its length only", () => {
  for (const text of ["a".repeat(1e6), "(".repeat(1e6), "a,".repeat(5e5), "a.".repeat(5e5), " ".repeat(1e6)])
    expect(typeof readLabelQuery(text).ok).toBe("boolean");
  expect(readLabelQuery(`${"a.".repeat(5e5)}!/x`).ok).toBe(false);
  expect(readLabelQuery(`a in (${"a ,".repeat(3e5)}`).ok).toBe(false);
});
