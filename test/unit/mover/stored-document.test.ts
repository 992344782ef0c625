import { describe, expect, it } from "vitest";
import { parseObject, parseYaml } from "../../../src/mover/storage/stored-document.ts";

const bytes = (content: string) => new TextEncoder().encode(content);

describe("reading a document", () => {
  it("leaves dates as text", () => {
    expect(parseYaml(bytes("a: 2024-01-01\nb: 2024-01-01T00:00:00Z"), "it")).toEqual({
      a: "2024-01-01",
      b: "2024-01-01T00:00:00Z",
    });
  });

  it.each([
    ["0644", 420],
    ["0o17", 15],
    ["08", 8],
    ["1_000", 1000],
    ["1e3", 1000],
    ["1e+21", 1e21],
    ["9007199254740993", 9_007_199_254_740_993n],
    ["12:30:45", "12:30:45"],
    ["on", true],
    ["~", null],
  ])("reads %s as Kubernetes does", (text, value) => {
    expect(parseYaml(bytes(`x: ${text}`), "it")).toEqual({ x: value });
  });

  it("refuses aliases of which a bomb is made", () => {
    const rows = Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(10)}]`);
    expect(() => parseYaml(bytes(["a0: &a0 x", ...rows].join("\n")), "bomb.yaml")).toThrow(
      /^bomb\.yaml is not readable YAML: line \d: the file holds more than/,
    );
  });

  it("refuses a second document, which nobody would see", () => {
    expect(() => parseYaml(bytes("a: 1\n---\nb: 1\n"), "two.yaml")).toThrow("two.yaml holds more than one");
  });

  it("reads a definition that is nested deeper than a person would write", () => {
    const deep = `${"[".repeat(900)}${"]".repeat(900)}`;
    expect(JSON.stringify(parseYaml(bytes(deep), "it"))).toBe(deep);
    expect(() => parseYaml(bytes("[".repeat(100_000)), "it")).toThrow(/nested deeper/);
  });

  it("never quotes what it cannot read", () => {
    expect(() => parseYaml(bytes("password: 'hunter2\n"), "secret.yaml")).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("hunter2") }),
    );
  });

  it.each(["[]", "a", "{}", "apiVersion: v1", "{apiVersion: v1, kind: X, metadata: {}}"])(
    "refuses %s as an object",
    (document) => {
      expect(() => parseObject(bytes(document), "it")).toThrow(/it is not a Kubernetes object/);
    },
  );
});
