import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor } from "../../../src/base/redact.ts";

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

  it("removes the userinfo of URLs, known or not", () => {
    expect(createRedactor([])("rest:https://user:pw@host:8000/x and s3:http://h/b@c")).toBe(
      "rest:https://***@host:8000/x and s3:http://h/b@c",
    );
  });

  it("leaves nothing of a secret that holds another one", () => {
    expect(createRedactor(["secret", "secret-and-more"])("secret-and-more")).toBe("***");
  });

  it("never lets a planted secret through", () => {
    const secrets = fc.string({ minLength: 8, maxLength: 40 }).filter((text) => !"***".includes(text.trim()));
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (secret, before, after) => {
        const text = createRedactor([secret])(before + secret + after);
        // What is left may hold the secret only where the surroundings spell it again with the mask.
        expect(text.split("***").some((piece) => piece.includes(secret))).toBe(false);
      }),
    );
  });
});
