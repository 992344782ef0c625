import fc from "fast-check";
import { expect, test } from "vitest";
import { resourceOf } from "../../../src/api/kinds.ts";
import { editFlag } from "../../../src/pass/declared/edit-flag.ts";

const edit = {
  resource: resourceOf("BackupConfiguration"),
  namespace: "shop",
  name: "data",
  field: "paused",
  value: true,
};

function edited(text: string, changes: Partial<typeof edit> = {}) {
  const result = editFlag(new TextEncoder().encode(text), { ...edit, ...changes });
  return "message" in result ? `${result.line}: ${result.message}` : result.content;
}

const head =
  "apiVersion: core.kubestash.com/v1alpha1\nkind: BackupConfiguration\nmetadata: {name: data, namespace: shop}\n";

test.each([
  {
    what: "a value, with its comment and odd spacing",
    before: `${head}spec:\n    sessions: []   # none\n    paused:   false   # for now\n`,
    after: `${head}spec:\n    sessions: []   # none\n    paused:   true   # for now\n`,
  },
  {
    what: "an absent value, below the comment of its map and above that of the first field",
    before: `${head}spec:  # what\n    # of sessions\n    sessions: []\n`,
    after: `${head}spec:  # what\n    paused: true\n    # of sessions\n    sessions: []\n`,
  },
  {
    what: "an empty value",
    before: `${head}spec:\n  paused:   # later\n  sessions: []\n`,
    after: `${head}spec:\n  paused: true   # later\n  sessions: []\n`,
  },
  {
    what: "a flow map",
    before: `${head}spec: { sessions: [],  backends: [] } # end`,
    after: `${head}spec: { paused: true, sessions: [],  backends: [] } # end`,
  },
  { what: "an empty flow map", before: `${head}spec: {}\n`, after: `${head}spec: {paused: true}\n` },
  {
    what: "JSON with a field on each line",
    before:
      '{\n\t"apiVersion": "core.kubestash.com/v1alpha1", "kind": "BackupConfiguration",\n\t"metadata": {"name": "data", "namespace": "shop"},\n\t"spec": {\n\t\t"sessions": []\n\t}\n}',
    after:
      '{\n\t"apiVersion": "core.kubestash.com/v1alpha1", "kind": "BackupConfiguration",\n\t"metadata": {"name": "data", "namespace": "shop"},\n\t"spec": {\n\t\t"paused": true,\n\t\t"sessions": []\n\t}\n}',
  },
  {
    what: "no spec at all, before the next document",
    before: `${head}# end\n---\n# next\na: 0o7\n`,
    after: `${head.trimEnd()}\nspec:\n  paused: true\n# end\n---\n# next\na: 0o7\n`,
  },
  { what: "a spec without a value", before: `${head}spec:\n`, after: `${head}spec: { paused: true }\n` },
  {
    what: "the file's own line ends",
    before: `${head}spec:\n  sessions: []\n`.replaceAll("\n", "\r\n"),
    after: `${head}spec:\n  paused: true\n  sessions: []\n`.replaceAll("\n", "\r\n"),
  },
  {
    what: "a byte order mark and letters of several bytes before it",
    before: `\uFEFF# größer 💾\n${head}spec: {paused: false}`,
    after: `\uFEFF# größer 💾\n${head}spec: {paused: true}`,
  },
  {
    what: "an item of a List",
    before: `kind: List\napiVersion: v1\nitems:\n- a: yes\n- ${head.replaceAll("\n", "\n  ")}spec:\n    sessions: []\n`,
    after: `kind: List\napiVersion: v1\nitems:\n- a: yes\n- ${head.replaceAll("\n", "\n  ")}spec:\n    paused: true\n    sessions: []\n`,
  },
  {
    what: "an alias, which no longer follows its anchor",
    before: `${head}x: &no false\nspec:\n  paused: *no\n`,
    after: `${head}x: &no false\nspec:\n  paused: true\n`,
  },
])("$what", ({ before, after }) => {
  expect(edited(before)).toBe(after);
  expect(edited(after), "and twice is once").toBe(after);
});

test("of several documents only the one that is meant is touched", () => {
  const other = head.replace("name: data", "name: other");
  const before = `${other}spec:\n  paused: false\n---\n${head}spec:\n  paused: true # why\n...\n`;
  expect(edited(before, { value: false })).toBe(before.replace("paused: true", "paused: false"));
});

test("an absent flag is false already", () => {
  expect(edited(`${head}spec: {}`, { value: false })).toBe(`${head}spec: {}`);
});

test.each([
  {
    what: "a spec that is an alias",
    text: `# x\n\n${head}x: &s {sessions: []}\nspec: *s\n`,
    says: /^3: spec\.paused of data cannot be set here without touching something else$/,
  },
  {
    what: "a value whose anchor is used elsewhere",
    text: `${head}spec:\n  paused: &p false\n  other: *p\n`,
    says: /^1: .*without touching something else$/,
  },
  {
    what: "an object that is not there",
    text: "a: 1\n",
    says: /^1: the file does not declare data any more$/,
  },
  { what: "two of the same name", text: `${head}---\n${head}`, says: /^1: the file declares data twice$/ },
  { what: "a file that cannot be read", text: `${head}spec: [\n`, says: /^\d+: YAML syntax error/ },
])("$what is refused", ({ text, says }) => {
  expect(edited(text)).toMatch(says);
});

test("whatever the layout, nothing but the flag changes its meaning", () => {
  const blank = fc.constantFrom("", "\n", "\n# note\n");
  const file = fc
    .record({
      before: blank,
      inside: fc.constantFrom("  sessions: []\n", "  # a\n  sessions:\n  - name: x\n", "  paused: no\n"),
      eol: fc.constantFrom("\n", "\r\n"),
      after: fc.constantFrom("", "---\nkind: Other\nvalue: 0644\n", "# end"),
    })
    .map(({ before, inside, eol, after }) =>
      `${before}${head}spec:\n${inside}${after}`.replaceAll("\n", eol),
    );
  fc.assert(
    fc.property(file, fc.boolean(), (text, value) => {
      const once = edited(text, { value });
      expect(edited(once, { value })).toBe(once);
      const kept = once.split(/\r?\n/).filter((line) => !line.includes("paused"));
      const had = text.split(/\r?\n/).filter((line) => !line.includes("paused"));
      expect(kept.join("\n")).toBe(had.join("\n"));
    }),
    { numRuns: 300 },
  );
});
