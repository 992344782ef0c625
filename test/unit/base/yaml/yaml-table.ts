/** Scalars and small values, each written after `x: ` in a document of its own. */
export function documentOf(value: string, index: number): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a${index}}\nx: ${value}\n`;
}

/** Read by Kubernetes and by us, to the same value. */
export const accepted: readonly string[] = [
  // booleans, nulls
  ..."y n Y N yes Yes YES no on On off OFF true True TRUE false ~ null Null NULL nULL tRue nO".split(" "),
  // octals, hexadecimals, binaries, separators, signs
  ..."0 00 07 08 09.5 0644 0o644 0O17 0x1F 0X1f 0b11 -0b11 +0b11 0b12 0b 0o 0o9 0x 0xg -0x1f +0o17 -0777".split(
    " ",
  ),
  ..."0888 0_888 1_000 1__ _1 -_1 0_ 0x_1 0_x1 +_ 1_0.5 1._5 1e3_0 0_7 +1 -1 +.5 -.5 -0 -0.0 + . .. -. 1.2.3".split(
    " ",
  ),
  // floats
  ..."1. 0. .5 1e3 1E+3 12e3 012e3 0e0 1.e3 1e 1e+ 1.5e .e3 1e400 1e-400 0.1e400 1e21 1.5e-7 1e15 NaN inf".split(
    " ",
  ),
  // things of other YAML versions: sexagesimals, dates
  ..."1:30 1:30.5 190:20:30 2001-01-01 2001-12-14t21:59:43.10-05:00 = << 2001-01-01T00:00:00Z".split(" "),
  // whole numbers that a double would write with other digits, and some that it would not
  ..."9007199254740991 -9007199254740991 0x1FFFFFFFFFFFFF 9007199254740992 9007199254740993 +9007199254740993".split(
    " ",
  ),
  ..."9223372036854775807 -9223372036854775808 9_007_199_254_740_993 0x7FFFFFFFFFFFFFFF -0x20000000000001".split(
    " ",
  ),
  ..."0777777777777777777777 0b100000000000000000000000000000000000000000000000000001 1e+21 1e300".split(" "),
  ..."100000000000000000000 -100000000000000000000 09007199254740992".split(" "),
  // tags
  "!!str 123",
  '!!int "5"',
  "!!float 1",
  "!!int 9007199254740993",
  "!!bool yes",
  "!!null ~",
  "!!str",
  "! 12",
  // quotes and escapes
  '"0644"',
  "'yes'",
  "'it''s'",
  '""',
  '"\\x41\\u00e9\\U0001F600\\e\\0\\N\\_\\L\\P\\t"',
  '"a\\\n   b\n  c"',
  "'a\n\n  b'",
  "\u{1F600}",
  // blocks and text over several lines
  "|\n  0644\n",
  "|+\n  a\n\n\n",
  ">-\n  a\n  b\n\n  c\n",
  ">\n  a\n    b\n  c\n",
  "|2\n   a\n  b\n",
  "a\n  b\n\n  c",
  "a\n  - b",
  "\n- a\n- b:\n  - c",
  // signs that kubectl itself prints without quotes
  ":8080",
  ":a:b",
  "?a",
  "?- a",
  "!!str :a",
  "&q :a",
  ":a\n  b",
  "\n- :a: b\n- ?a: b\n- :8080",
  "\n  :: a",
  // flow
  "[1,2,]",
  "{a: 1,}",
  "[a, b: c]",
  "{a: 1, ? b : 2}",
  "{a:b, c: d}",
  "{a: b:c}",
  "[http://x]",
  "[-a]",
  "a #b",
  "a#b",
  "a\tb",
  // keys
  "{1: 2}",
  "{true: 4}",
  "{yes: 1}",
  "{0x10: 1}",
  "{9007199254740993: 1}",
  "{2001-01-01: 1}",
  "{__proto__: {a: 1}}",
  // anchors and merge keys
  "{a: &a 1, b: *a}",
  "{a: &a {p: 1}, b: {<<: *a, q: 2}}",
  "{a: &a {p: 1}, b: {<<: *a, p: 2}}",
  "{a: &a {p: 1}, c: &c {p: 3, r: 4}, b: {<<: [*c, *a]}}",
  '{"<<": {a: 1}}',
];

/** Refused: JSON or Kubernetes cannot hold it, or readers of YAML disagree about it. */
export const refused: readonly string[] = [
  ..."02777777777777777777777 0xFFFFFFFFFFFFFFFFF .inf -.Inf .nan ._5 .5_0 +12345678901234567890".split(" "),
  ..."-9223372036854775809 123456789012345678901234567890 09999999999999999".split(" "),
  "!!int abc",
  "!!float 9007199254740993",
  "!!null x",
  "!foo bar",
  "!!binary aGk=",
  "!!set {a}",
  "!!omap [a: 1]",
  '"\\ud800"',
  "[?a]",
  "{a:}",
  "[a:]",
  "[!!str a:, b]",
  "[:a]",
  "[?a: b]",
  "{a: :b}",
  "[!!str :a]",
  "{a: !}",
  "{~: 4}",
  "{1.5: 3}",
  "{1e3: 3}",
  "{18446744073709551615: 3}",
  "{!!float 1: 3}",
  '{"a\n  b": 3}',
  "!!int 1e3",
  "!!str a: b",
  "&a:b c",
  "{a: &a [{p: 1}], b: {<<: *a}}",
  "{[a]: 1}",
  '{yes: 1, "true": 2}',
  "{a: &a {p: 1}, b: {p: 2, <<: *a}}",
  "&a [*a]",
  "*a",
];

const one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a%}\nx: 1\n";
const json = `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a%"}, "x": "é"}\n`;

/** Whole files, and how many documents they hold; `%` in a name becomes the file's place in this list. */
export const files: readonly (readonly [name: string, text: string, documents: number | "refused"])[] = (
  [
    ["two documents", `${one}---\n${one}`, 2],
    ["white space behind the dashes", `${one}--- \t\n${one}`, 2],
    ["a comment behind the dashes", `${one}--- # c\n${one}`, 2],
    ["a comment that touches the dashes", `${one}---# c\n${one}`, 2],
    ["a document behind the dashes", `${one}--- {a: 1}\n`, "refused"],
    ["a key behind the dashes", `${one}---x: 1\n`, "refused"],
    ["dashes first", `---\n${one}`, 1],
    ["dashes last", `${one}---\n`, 1],
    ["dashes without a line end", `${one}---`, 1],
    ["empty documents", `---\n---\n# c\n---\n${one}---\n---\n`, 1],
    ["nothing at all", "", 0],
    ["comments alone", "# a\n---\n# b\n", 0],
    ["no line end", one.trimEnd(), 1],
    ["an end of document", `${one}...\n`, 1],
    ["an end of document before dashes", `${one}...\n---\n${one}`, 2],
    ["a document after an end of document", `${one}...\n${one}`, "refused"],
    ["a YAML directive", `%YAML 1.1\n---\n${one}`, "refused"],
    ["a TAG directive", `%TAG ! tag:x,2000:\n---\n${one}`, "refused"],
    ["CRLF", `${one}y: 'c\n\n  d'\nz: |\n  a\n  b\n---\n${one}`.replaceAll("\n", "\r\n"), 2],
    ["CR alone", `${one}---\n${one}`.replaceAll("\n", "\r"), "refused"],
    ["a byte order mark", `\uFEFF${one}`, 1],
    ["a byte order mark before dashes", `\uFEFF---\n${one}`, 1],
    ["a byte order mark inside", `${one}---\n\uFEFF${one}`, "refused"],
    ["dashes in a block", `${one}y: |\n  a\n  ---\n  b\n`, 1],
    ["dashes that end a block", `${one}y: |\n  a\n---\n${one}`, 2],
    ["dashes in quotes", `${one}y: "a\n---\n b"\n`, "refused"],
    ["an anchor of another document", `${one}y: &q 1\n---\n${one}y: *q\n`, "refused"],
    ["JSON", json, 1],
    ["JSON over several lines", JSON.stringify(JSON.parse(json), null, 2), 1],
    ["two JSON objects without dashes", json + json, "refused"],
    ["JSON with a key twice", json.replace("}\n", `, "x": 2}\n`), "refused"],
    ["a very long line", one.replace("x: 1", `x: ${"long ".repeat(40_000)}end`), 1],
    ["5,000 documents", Array(5000).fill(one).join("---\n"), 5000],
  ] as const
).map(([name, text, documents], index) => [name, text.replaceAll("a%", `a${index}`), documents]);
