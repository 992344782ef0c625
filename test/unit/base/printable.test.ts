import fc from "fast-check";
import { expect, test } from "vitest";
import { oneLine, printable } from "../../../src/base/printable.ts";

test.each([
  ["\u001b[2J\u001b]0;title\u0007", "\\u001b[2J\\u001b]0;title\\u0007"],
  ["a\rb", "a\\u000db"],
  ["a\u009b31m", "a\\u009b31m"],
  ["pay\u202Elmay.exe", "pay\\u202elmay.exe"],
  ["na\u200Bme", "na\\u200bme"],
  ["\u{E0041}x", "\\udb40\\udc41x"],
  ["##[add-mask]x ##[error]", "#\\u0023[add-mask]x #\\u0023[error]"],
  ["é 中 😀 \t%", "é 中 😀 \t%"],
])("%j is printed as %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("nothing of a text can begin a line of its own, or reach the terminal as more than text", () => {
  const parts = fc.constantFrom(
    "\n",
    "\r\n",
    "\r",
    "::error::x",
    "##[error]",
    "\u001b[31m",
    "\u0085",
    "\u2028",
    "a",
    " ",
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), (given) => {
      const line = `error: ${oneLine(given.join(""))}`;
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029](?<!\t)/u);
      expect(line).not.toContain("##[");
    }),
  );
});
