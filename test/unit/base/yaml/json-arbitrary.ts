import fc from "fast-check";

/** Text that readers of YAML 1.1 or 1.2 take for something else when it stands without quotes. */
export const traps: readonly string[] = [
  "y Y n N yes No on OFF true False TRUE null ~ Null NULL = << NaN .nan inf .inf -.Inf".split(" "),
  "0 00 0644 0o17 0x1F 0b11 1_000 1e3 1E+3 1. +.1 .5 08 09.5 12e03 -0 -0.0 +1 -1 1.0e+21 5e-324".split(" "),
  "2024-01-01 2024-01-01T00:00:00Z 1:30 190:20:30 9007199254740993 12345678901234567890 1e400".split(" "),
  ": ? - , [ { ] } # & * ! | > % @ ` ' \" \\ ?x :x -x ?! :a: a: a:b [a {a ]a }a ,a #c !x &a *b @x %x |x >x".split(
    " ",
  ),
  "--- ... ---x ...x '' \"\" 'a a' it's http://a:80/x?y=z#f {{.x}} !!str !!int é 中文 😀 x😀".split(" "),
  ["", " ", "  ", "- x", "? x", ": x", "a: b", "a : b", "a #b", "a# b", "x ", " x", "a  b", "--- a", "... a"],
  ["2001-12-14 21:59:43.10 -5", "{{ .Values.x }}", "word ".repeat(60), "k".repeat(299), "k".repeat(301)],
  ["k".repeat(1_025), "é".repeat(700), "a b ".repeat(400), "'".repeat(200), '"'.repeat(200)],
  [
    "\n",
    "\n\n",
    "\na",
    "a\n",
    "a\n\n",
    "a\n\n\n",
    "\n a",
    " a\nb",
    "  a\n b\n",
    "a\n b\n\n  c",
    "a \nb",
    "a\n ",
  ],
  [
    "a\n  \nb",
    "\n\n  a\n",
    "   \na",
    "a\n---\nb",
    "---\na",
    "...\na\n",
    "#!/bin/sh\nset -e\n",
    "- a\n- b",
    "a: b\n",
  ],
  ["a\r\nb", "\r", "\t", "a\tb", "\ta\nb", "a\n\tb\n", "a\t\nb", "\u0000", "\u0007", "\u001b[0m", "\u007f"],
  [
    "\u0080",
    "\u0085",
    "a\u0085b",
    "\u00a0",
    "a\u00a0",
    "\u00ad",
    "\u2028",
    "a\u2029\nb",
    "\ufeff",
    "\ufeffa\nb",
  ],
  ["\ufffe", "\uffff", "\ufffd", "\ue000", "\u{1fffe}", "\u{10ffff}", "\u3000a", "a\u2003", "\u200b"],
].flat();

const pieces = fc.constantFrom(
  ..."abYN_/.0179-+:#,[]{}&*!|>'\"%@`~=<?\\ \t\n\r\u00e9\u0085\u00a0\u2028\ufeff\uffff\u0001".split(""),
  ..."true Yes null off --- ... 😀 key 0x1f 1e3 12:30".split(" "),
  "\n\n",
  "\n ",
  "  ",
  ": ",
  " #",
  "\n---\n",
);

export const nastyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...traps) },
  { weight: 3, arbitrary: fc.string({ unit: pieces, maxLength: 12 }) },
  fc.string({ unit: fc.constantFrom("a", "b:", " ", "\n", "- x", "#"), maxLength: 20 }),
  fc.stringMatching(/^[-+.:_0-9a-fxoynEIN]{1,9}$/),
  fc.string({ unit: "binary", maxLength: 8 }).map((text) => text.toWellFormed()),
);

export const number: fc.Arbitrary<number> = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  fc.constantFrom(0, 1e20, -1e20, 1e21, 1e300, 5e-324, 1e-7, 2 ** 53, 2 ** 60, 0.1, 1.5e21, -1.25e-9),
);

const int64 = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  .filter((value) => String(Number(value)) !== String(value));

/** Once V8 has parsed a key that is one backslash, it takes a line feed at the same place of an object for another. */
const key = nastyText.filter((text) => text !== "\\");

/** JSON as an API server may hold it, with all that is hard to write as YAML. */
export const nastyJson: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small", withCrossShrink: true },
    { weight: 4, arbitrary: nastyText },
    number,
    int64,
    fc.constantFrom(true, false, null),
    fc.array(tie("value"), { maxLength: 4 }),
    { weight: 2, arbitrary: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }) },
  ),
})).value;
