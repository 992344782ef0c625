import fc from "fast-check";

/** Signs, digits and letters that numbers, booleans, dates and infinities are spelled with in YAML 1.1 and 1.2. */
const spelled = fc
  .array(fc.constantFrom(..."0123456789__..::--++eExXoObBaAfFyYnN~tTzZ".split("")), {
    minLength: 1,
    maxLength: 9,
  })
  .map((letters) => letters.join(""));

const number = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.maxSafeInteger().map((value) => `0${Math.abs(value).toString(8)}`),
  fc.maxSafeInteger().map((value) => `0x${Math.abs(value).toString(16)}`),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.nat(200), fc.nat(59), fc.nat(59)).map((parts) => parts.join(":")),
  fc
    .tuple(
      fc.integer({ min: 1900, max: 2100 }),
      fc.nat(13),
      fc.nat(32),
      fc.constantFrom("", "T1:2:3Z", " 10:00:00"),
    )
    .map(([year, month, day, time]) => `${year}-${month}-${String(day).padStart(2, "0")}${time}`),
);

const word = fc.constantFrom(
  ..."y n yes No ON oFF true False TRUE ~ null Null NULL nuLL .inf -.INF +.Inf .nan .NaN NaN inf << = - ? : , # & * ! | > % @ `".split(
    " ",
  ),
  "",
  "{{ .Values.x }}",
  "a: b",
  "a #b",
  "a# b",
  "- a",
  "? a",
  "\u00e9\u4e2d\u{1F600}",
  "\u00a0",
  "\t",
  "a\tb",
);

const tag = fc.constantFrom(
  ..."!!str !!int !!float !!bool !!null !!binary !!timestamp !!merge !!seq !!map !!set !!python/none ! !x !<tag:yaml.org,2002:str> !!".split(
    " ",
  ),
);

const plain = fc.oneof({ weight: 4, arbitrary: spelled }, { weight: 3, arbitrary: number }, word);

const quoted = fc.oneof(
  plain.map((text) => JSON.stringify(text)),
  plain.map((text) => `'${text.replaceAll("'", "''")}'`),
  fc
    .array(
      fc.constantFrom(
        ..."a 0 ' \\\\ \\\" \\/ \\x41 \\u00e9 \\U0001F600 \\n \\t \\e \\0 \\N \\_ \\L \\P \\q \\u12".split(
          " ",
        ),
        " ",
      ),
      { maxLength: 5 },
    )
    .map((parts) => `"${parts.join("")}"`),
  plain.map((text) => `"a\n  ${text.replace(/["\\]/g, "")}\n\n    b"`),
);

const block = fc
  .tuple(
    fc.constantFrom("|", ">"),
    fc.constantFrom("", "-", "+", "2", "1-", "+1", "3"),
    fc.array(fc.tuple(fc.constantFrom("", " ", "  ", "\t"), fc.oneof(plain, fc.constant(""))), {
      maxLength: 4,
    }),
  )
  .map(
    ([style, header, lines]) =>
      `${style}${header}\n${lines.map(([more, text]) => `  ${more}${text}`).join("\n")}`,
  );

const scalar = fc.oneof(
  { weight: 6, arbitrary: plain },
  { weight: 2, arbitrary: quoted },
  fc.tuple(tag, fc.oneof(plain, quoted)).map((parts) => parts.join(" ")),
);

const { flow } = fc.letrec<{ flow: string; list: string; map: string; key: string }>((tie) => ({
  key: fc.oneof(plain, quoted, fc.constantFrom("a", "b", "<<", "*one", "[a]", "{a: 1}", "? a")),
  list: fc.array(tie("flow"), { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
  map: fc
    .array(fc.tuple(tie("key"), fc.constantFrom(": ", ":", " : "), tie("flow")), { maxLength: 3 })
    .map((entries) => `{${entries.map((entry) => entry.join("")).join(", ")}}`),
  flow: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, tie("list"), tie("map")),
}));

const merged = fc
  .tuple(
    fc.array(
      fc.constantFrom("p: 1", "q: 2", "<<: *one", "<<: *two", "<<: [*two, *one]", "'<<': 3", "*one : 4"),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
    fc.constantFrom("{p: 5}", "{p: 6, r: 7}", "8", "[{p: 9}]"),
  )
  .map(
    ([lines, two]) =>
      `\n  one: &one {p: 0, q: 0}\n  two: &two ${two}\n  m:\n${lines.map((line) => `    ${line}`).join("\n")}`,
  );

const lines = fc
  .array(
    fc.tuple(
      fc.constantFrom("  ", "    "),
      fc.oneof(
        fc.tuple(fc.oneof(plain, quoted), fc.constantFrom(": ", ":"), scalar).map((parts) => parts.join("")),
        scalar.map((text) => `- ${text}`),
        scalar.map((text) => `? ${text}`),
        scalar,
      ),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((rows) => `\n${rows.map((row) => row.join("")).join("\n")}`);

/** What may stand after `x: ` in a document: valid YAML, nearly valid YAML, and what versions of YAML disagree about. */
export const yamlValue: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 3, arbitrary: flow },
  { weight: 2, arbitrary: block },
  { weight: 2, arbitrary: lines },
  merged,
);
