import { expect, test } from "vitest";
import { asObservedBefore, observedFrom } from "../../../src/pass/observed/observed.ts";
import { objectOf } from "./world-of.ts";

const before = objectOf("BackupConfiguration", "demo/web", { spec: { paused: true } });

const observed = observedFrom([before], "uid-1");

function again(metadata: object) {
  return { ...before, metadata: { ...before.metadata, ...metadata } };
}

test("an object of the same version is the one that was observed before, and any other is itself", () => {
  expect(asObservedBefore(again({}), observed)).toBe(before);
  for (const other of [
    again({ resourceVersion: "2" }),
    again({ uid: "of another one by this name" }),
    again({ name: "unknown" }),
  ])
    expect(asObservedBefore(other, observed)).toBe(other);
  expect(asObservedBefore(before, undefined)).toBe(before);
});

test("a version that nobody told is none", () => {
  const { resourceVersion: _, ...metadata } = before.metadata;
  const [first, second] = [
    { ...before, metadata },
    { ...before, metadata },
  ];
  expect(asObservedBefore(second, observedFrom([first], "uid-1"))).toBe(second);
});

test("what was worked out of an object is not worked out again in the next observation of the cluster", () => {
  let times = 0;
  const work = (object: { readonly kind: string }, clusterUid: string) =>
    `${object.kind} of ${clusterUid}, ${(times += 1)}`;
  const next = observedFrom([before], "uid-1", observed);
  expect(observed.derived.of(before, work)).toBe("BackupConfiguration of uid-1, 1");
  expect(next.derived.of(before, work)).toBe("BackupConfiguration of uid-1, 1");
  expect(next.derived.of(again({}), work)).toBe("BackupConfiguration of uid-1, 2");
  const elsewhere = observedFrom([before], "uid-2", next);
  expect(elsewhere.derived.of(before, work)).toBe("BackupConfiguration of uid-2, 3");
});

test("work that fails is tried again", () => {
  let fails = true;
  const work = () => {
    if (fails) throw new Error("it fails");
    return "done";
  };
  expect(() => observed.derived.of(before, work)).toThrow("it fails");
  fails = false;
  expect(observed.derived.of(before, work)).toBe("done");
});
