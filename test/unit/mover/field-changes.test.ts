import { expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { covers, fieldChanges } from "../../../src/mover/manifests/field-changes.ts";

const object = (fields: Readonly<Record<string, unknown>>, kind = "ConfigMap"): KubeObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "x", resourceVersion: "1" },
  ...fields,
});

it("tells which fields were set, changed and taken away", () => {
  const from = object({ data: { a: "1", b: "2" }, list: [{ c: 1 }, { d: 2 }] });
  const to = { ...object({ data: { a: "1", b: "3", "e.f/g": "4" }, list: [{ c: 5 }] }) };
  expect(fieldChanges(from, to)).toEqual([
    { path: ".data.b", from: "2", to: "3" },
    { path: '.data["e.f/g"]', to: "4" },
    { path: ".list[0].c", from: 1, to: 5 },
    { path: ".list[1]", from: { d: 2 } },
  ]);
});

it("does not take the server's own counting for a change", () => {
  const metadata = { name: "x", resourceVersion: "2", generation: 5, managedFields: [{}] };
  expect(fieldChanges(object({}), object({ metadata }))).toEqual([]);
});

it("shows no value of a Secret", () => {
  const changes = fieldChanges(
    object({ data: { a: "old" } }, "Secret"),
    object({ data: { a: "new" } }, "Secret"),
  );
  expect(changes).toEqual([{ path: ".data.a" }]);
});

it("tells neighbours beyond 2^53 apart", () => {
  const changes = fieldChanges(
    object({ a: 2 ** 53 }),
    object({ a: 2n ** 53n + 1n, b: { c: 2n ** 63n - 1n } }),
  );
  expect(changes).toEqual([
    { path: ".a", from: 2 ** 53, to: 2n ** 53n + 1n },
    { path: ".b", to: { c: 2n ** 63n - 1n } },
  ]);
});

it("is bounded in number and length", () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, "x".repeat(1000)]));
  const changes = fieldChanges(object({}), object(many));
  expect(changes).toHaveLength(50);
  expect(String(changes[0]?.to)).toHaveLength(201);
});

it("finds a part in a whole that has more, but not in another list", () => {
  expect(covers({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ c: 2 }], e: null })).toBe(true);
  expect(covers({ b: [{ c: 2 }, { c: 3 }] }, { b: [{ c: 2 }] })).toBe(false);
});
