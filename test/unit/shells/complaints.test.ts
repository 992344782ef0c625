import { expect, test } from "vitest";
import { complaintsOf, complaintsOfObject } from "../../../src/shells/complaints.ts";

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

test("a restore complains of objects that stayed as they were", () => {
  const components = { manifest: { results: { conflicts: 2 } }, dump: { results: { conflicts: 0 } } };
  expect(complaintsOf({ components })).toEqual(["2 objects exist with other content, and stayed so"]);
});

test("what is to become True complains when it is False", () => {
  const condition = { type: "BackendSecretFound", status: "False", reason: "Missing", message: "no Secret" };
  expect(complaintsOf({ conditions: [condition] })).toEqual(["Missing: no Secret"]);
  expect(complaintsOf({ conditions: [{ ...condition, status: "True" }] })).toEqual([]);
});

test("a BackupConfiguration whose target is missing says which", () => {
  const found = (targetFound: boolean) =>
    complaintsOfObject({
      apiVersion: "core.kubestash.com/v1alpha1",
      kind: "BackupConfiguration",
      metadata: { namespace: "vault", name: "web" },
      spec: { target: { apiGroup: "apps", kind: "Deployment", namespace: "shop", name: "web" } },
      status: { phase: "NotReady", targetFound },
    });
  expect(found(false)).toEqual(["TargetNotFound: Deployment shop/web does not exist"]);
  expect(found(true)).toEqual([]);
});
