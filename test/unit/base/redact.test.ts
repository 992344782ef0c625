import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor, withoutUserinfo } from "../../../src/base/redact.ts";

describe("a redactor", () => {
  it("removes a secret as it is, percent-encoded and in base64", () => {
    const secret = "p@ss/wörd+1";
    const redact = createRedactor([secret]);
    const encoded = [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")];
    expect(redact(`a ${encoded.join(" b ")} c`)).toBe("a *** b *** b *** c");
  });

  it("removes every spelling of a percent-encoded secret", () => {
    const redact = createRedactor(["a(b)/c*d"]);
    for (const spelling of ["a(b)%2Fc*d", "a(b)%2fc*d", "a%28b%29%2Fc%2Ad", "a%28b%29%2fc%2ad"])
      expect(redact(spelling)).toBe("***");
  });

  it.each([
    ["as a form encodes it", "p%40ss%2fw%c3%b6rd+and%2B1"],
    ["with the least that a URL needs encoded", "p@ss%2Fw%C3%B6rd%20and+1"],
    ["as JSON escapes it", "p@ss/w\\u00f6rd and\\u002B1"],
    ["in base64 without padding", Buffer.from("p@ss/wörd and+1").toString("base64").replace(/=+$/, "")],
    ["in base64 of URLs", Buffer.from("p@ss/wörd and+1").toString("base64url")],
  ])("removes a secret %s", (_name, form) => {
    expect(createRedactor(["p@ss/wörd and+1"])(`(${form})`)).toBe("(***)");
  });

  it("removes a secret from the base64 of something longer", () => {
    const secret = "p@ss/wörd and+1";
    for (const user of ["", "a", "ab", "abc", "x-access-token"]) {
      const told = createRedactor([secret])(Buffer.from(`${user}:${secret}:${user}`).toString("base64"));
      const left = told.split("***").map((piece) => Buffer.from(piece, "base64").toString("latin1"));
      expect(told).toContain("***");
      expect(left.join("|")).not.toMatch(/p@s|ss\/|and\+/);
    }
  });

  it("removes each line of a key", () => {
    const key = `-----BEGIN KEY-----\n${"Q".repeat(64)}\n${"R".repeat(20)}\n-----END KEY-----\n`;
    const told = createRedactor([key])(`cannot read: ${"R".repeat(20)}; ${JSON.stringify(key)}`);
    expect(told).not.toMatch(/QQQQ|RRRR/);
  });

  it("removes the userinfo of URLs, known or not", () => {
    expect(createRedactor([])("rest:https://user:pw@host:8000/x and s3:http://h/b@c")).toBe(
      "rest:https://***@host:8000/x and s3:http://h/b@c",
    );
  });

  it("removes the userinfo of URLs anywhere in an object", () => {
    const spec = (userinfo: string) => ({
      a: [{ url: `http://${userinfo}h:1/x`, n: 1, none: null }],
      b: true,
    });
    expect(withoutUserinfo(spec("user:pw@"))).toEqual(spec("***@"));
    expect(withoutUserinfo(spec(""))).toEqual(spec(""));
  });

  it("leaves nothing of a secret that holds another one", () => {
    expect(createRedactor(["secret", "secret-and-more"])("secret-and-more")).toBe("***");
  });

  it("never lets a planted secret through", () => {
    const lengths = { minLength: 8, maxLength: 40 };
    const letters = fc.constantFrom(...Array.from("aZ09 %+/\\\"'*.()$\n\u00fc\u4e2d\u{1F600}"));
    const secrets = fc
      .array(letters, lengths)
      .map((each) => each.join(""))
      .filter((text) => !"***".includes(text.trim()));
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (secret, before, after) => {
        const text = createRedactor([secret])(before + secret + after);
        // What is left may hold the secret only where the surroundings spell it again with the mask.
        expect(text.split("***").some((piece) => piece.includes(secret))).toBe(false);
      }),
    );
  });
});
