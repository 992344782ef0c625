import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  anchorPattern,
  coverageOf,
  escapePart,
  formatPattern,
  parsePattern,
  patternsBelow,
} from "../../../src/ports/restic/patterns.ts";

const below = (pattern: string, path: string) =>
  patternsBelow(parsePattern(pattern), path).map(formatPattern);

describe("a pattern", () => {
  it.each([
    ["*.tmp", "/data/a/x.tmp", true],
    ["*.tmp", "/data/x.tmp/inside", true],
    ["*.tmp", "/data/x.tmpl", false],
    ["/data/cache", "/data/cache/x", true],
    ["/data/cache", "/data/sub/data/cache", false],
    ["data/cache", "/x/data/cache", true],
    ["/data/**/x", "/data/x", true],
    ["/data/**/x", "/data/a/b/x", true],
    ["/data/*/x", "/data/a/b/x", false],
    ["/da?a", "/data", true],
    ["[a-c]x", "/bx", true],
    ["[^a-c]x", "/bx", false],
    ["a\\*b", "/a*b", true],
    ["a\\*b", "/axb", false],
    ["a.b", "/axb", false],
    ["/data/", "/data/x", true],
    ["./sub//x", "/data/sub/x", true],
  ])("%s covers %s: %s", (pattern, path, expected) => {
    expect(coverageOf([parsePattern(pattern)])(path)).toBe(expected);
  });

  it("with ! takes an earlier match back, in order", () => {
    const covers = coverageOf(["*.log", "!keep.log", "/b/keep.log"].map(parsePattern));
    expect(["/x.log", "/keep.log", "/b/keep.log"].map(covers)).toEqual([true, false, true]);
  });

  it.each(["", "!", "/", "a/../b", "[", "[a", "x\\", "[]", "[z-a]"])("%j is refused", (pattern) => {
    expect(() => parsePattern(pattern)).toThrow(/is no include or exclude pattern/);
  });
});

describe("a pattern in another place", () => {
  it("is anchored below a root whose name is taken literally", () => {
    expect(formatPattern(anchorPattern(parsePattern("*.tmp"), "/srv/a[1]"))).toBe("/srv/a\\[1\\]/**/*.tmp");
    expect(formatPattern(anchorPattern(parsePattern("!/data/x"), "/"))).toBe("!/data/x");
  });

  it.each([
    ["/data/sub/x", "/data", ["/sub/x"]],
    ["/data", "/data", ["/*"]],
    ["/other/x", "/data", []],
    ["/d*/x", "/data", ["/x"]],
    ["*.tmp", "/data", ["/**/*.tmp"]],
    ["data/x", "/data", ["/x", "/**/data/x"]],
    ["!/data/x", "/data", ["!/x"]],
    ["/**/data/x", "/var/data", ["/x", "/**/data/x"]],
  ])("%s seen from inside %s is %j", (pattern, path, expected) => {
    expect(below(pattern, path)).toEqual(expected);
  });

  it("means the same from inside a folder as from the root", () => {
    const name = fc.constantFrom("a", "b", "data", "x.tmp");
    const part = fc.oneof(name, fc.constantFrom("*", "**", "?", "*.tmp"));
    const path = (min: number) => fc.array(name, { minLength: min, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(part, { minLength: 1, maxLength: 4 }),
        path(1),
        path(1),
        (absolute, parts, folder, rest) => {
          const pattern = parsePattern(`${absolute ? "/" : ""}${parts.join("/")}`);
          const inside = patternsBelow(pattern, `/${folder.join("/")}`);
          const whole = coverageOf([pattern])(`/${[...folder, ...rest].join("/")}`);
          expect(coverageOf(inside)(`/${rest.join("/")}`)).toBe(whole);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("escapes a name so that it matches itself and nothing else", () => {
    const names = fc
      .string({ minLength: 1, maxLength: 8 })
      .filter((text) => !/[/\0]/.test(text) && !/^!?\.{0,2}$/.test(text) && !text.startsWith("!"));
    fc.assert(
      fc.property(names, names, (name, other) => {
        const covers = coverageOf([parsePattern(`/${escapePart(name)}`)]);
        expect(covers(`/${name}`)).toBe(true);
        expect(covers(`/${other}`)).toBe(other === name);
      }),
    );
  });
});
