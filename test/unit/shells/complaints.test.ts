import { expect, test } from "vitest";
import { complaintsOf } from "../../../src/shells/complaints.ts";

test.each([["PodHasBeenInPendingStateForLongerThanExpected"], ["SnapshotCleanupIncomplete"], ["Held"]])(
  "%s complains when it is True, and not when it is False",
  (type) => {
    const status = (value: string) => ({
      conditions: [{ type, status: value, reason: "Because", message: "of this" }],
    });
    expect(complaintsOf(status("True"))).toEqual(["Because: of this"]);
    expect(complaintsOf(status("False"))).toEqual([]);
  },
);

test("what is to become True complains when it is False", () => {
  const condition = { type: "BackendSecretFound", status: "False", reason: "Missing", message: "no Secret" };
  expect(complaintsOf({ conditions: [condition] })).toEqual(["Missing: no Secret"]);
  expect(complaintsOf({ conditions: [{ ...condition, status: "True" }] })).toEqual([]);
});
