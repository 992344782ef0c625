import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { asObservedBefore, observedFrom } from "../../../src/pass/observed/observed.ts";
import { effectiveConfiguration } from "../../../src/pass/plan/effective-configuration.ts";
import { objectOf, worldOf } from "./world-of.ts";

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

test("a configuration with default backends is the same one in each pass, until the defaults change", () => {
  const bare = objectOf("BackupConfiguration", "demo/bare", { spec: { sessions: [] } });
  const store = (name: string) => objectOf("BackupStorage", `demo/${name}`, { spec: { default: true } });
  const policy = objectOf("RetentionPolicy", "demo/keep", { spec: { default: true } });
  const world = worldOf(bare, store("one"), policy);
  const first = effectiveConfiguration(bare, world);
  expect(first["spec"]).toMatchObject({ backends: [{ storageRef: { name: "one" } }] });
  const later = (...objects: readonly KubeObject[]) => ({
    ...world,
    observed: observedFrom(objects, world.observed.clusterUid, world.observed),
  });
  expect(effectiveConfiguration(bare, later(bare, store("one"), policy))).toBe(first);
  const other = effectiveConfiguration(bare, later(bare, store("two"), policy));
  expect(other["spec"]).toMatchObject({ backends: [{ storageRef: { name: "two" } }] });
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
