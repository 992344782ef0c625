import fc from "fast-check";
import { expect, test } from "vitest";
import { nearestName } from "../../../src/base/nearest-name.ts";

test.each([
  ["recrod", ["record", "poll"], "record"],
  ["BackupConfigration", ["BackupSession", "BackupConfiguration"], "BackupConfiguration"],
  ["PATH", ["path"], "path"],
  ["pth", ["path"], "path"],
  ["xyz", ["path", "poll"], undefined],
  ["a", ["b"], "b"],
  ["", ["path"], undefined],
  ["x".repeat(10_000), ["x"], undefined],
])("%s among %j is %s", (name, candidates, expected) => {
  expect(nearestName(name, candidates)).toBe(expected);
});

test("a name that is a candidate is its own nearest", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1 }), (names) => {
      const nearest = nearestName(names[0] ?? "", names);
      return nearest?.toLowerCase() === names[0]?.toLowerCase();
    }),
  );
});
