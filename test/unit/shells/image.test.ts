import { expect, test } from "vitest";
import { image } from "../../../src/shells/image.ts";

test("the image of Jobs is the one that is named, with a registry's port and folders", () => {
  expect(image("localhost:5000/team/holdfast:1.2-rc.1")).toEqual({
    registry: "localhost:5000",
    repository: "team/holdfast",
    tag: "1.2-rc.1",
  });
  expect(image("")).toEqual(image(undefined));
});

test.each([
  "holdfast",
  "holdfast:1",
  "ghcr.io/team/holdfast",
  "ghcr.io/x@sha256:0a",
  "ghcr.io/x: 1",
  "a/b:c d",
])("%j is refused as the image of Jobs, and no other is taken in its place", (text) => {
  expect(() => image(text)).toThrow(
    expect.objectContaining({ reason: "ImageInvalid", exitCode: 2, message: expect.stringContaining(text) }),
  );
});
