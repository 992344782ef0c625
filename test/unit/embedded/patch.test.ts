import { describe, expect, it } from "vitest";
import { definitionOf } from "../../../src/embedded/kinds.ts";
import { jsonPatched } from "../../../src/embedded/patch/json-patch.ts";
import { mergePatched } from "../../../src/embedded/patch/merge-patch.ts";
import { strategicMerged } from "../../../src/embedded/patch/strategic-merge.ts";

describe("a JSON patch", () => {
  it("adds, replaces, removes, moves, copies and tests", () => {
    const document = { a: { b: [1, 2] }, "x/y": "~" };
    expect(jsonPatched(document, [{ op: "add", path: "/a/b/1", value: 9 }])).toEqual({
      a: { b: [1, 9, 2] },
      "x/y": "~",
    });
    expect(jsonPatched(document, [{ op: "add", path: "/a/b/-", value: 9 }])["a"]).toEqual({ b: [1, 2, 9] });
    expect(jsonPatched(document, [{ op: "remove", path: "/x~1y" }])).toEqual({ a: { b: [1, 2] } });
    expect(jsonPatched(document, [{ op: "move", from: "/a/b/0", path: "/c" }])).toMatchObject({
      a: { b: [2] },
      c: 1,
    });
    expect(jsonPatched(document, [{ op: "copy", from: "/a/b", path: "/c" }])).toMatchObject({ c: [1, 2] });
    expect(jsonPatched(document, [{ op: "test", path: "/a/b", value: [1, 2] }])).toEqual(document);
    expect(document).toEqual({ a: { b: [1, 2] }, "x/y": "~" });
  });

  it.each([
    [{ op: "replace", path: "/b", value: 1 }],
    [{ op: "remove", path: "/a/1" }],
    [{ op: "test", path: "/a", value: [2] }],
    [{ op: "add", path: "/a/01", value: 1 }],
    [{ op: "add", path: "/b/c", value: 1 }],
  ])("does not apply %j", (operation) => {
    expect(() => jsonPatched({ a: [1] }, [operation])).toThrow(expect.objectContaining({ code: 422 }));
  });
});

describe("a merge patch", () => {
  it("takes out what is null, merges objects and replaces the rest", () => {
    const patched = mergePatched(
      { a: { b: 1, c: 2 }, d: [1, 2] },
      { a: { b: null, e: { f: null } }, d: [3] },
    );
    expect(patched).toEqual({ a: { c: 2, e: {} }, d: [3] });
  });
});

describe("a strategic merge patch", () => {
  const schema = definitionOf("io.k8s.api.core.v1.PodSpec");
  const spec = {
    containers: [
      { name: "a", image: "a:1", env: [{ name: "X", value: "1" }] },
      { name: "b", image: "b:1" },
    ],
    tolerations: [{ key: "one" }],
  };

  it("merges items by their key and replaces lists without one", () => {
    const patch = {
      containers: [{ name: "a", env: [{ name: "Y", value: "2" }] }],
      tolerations: [{ key: "two" }],
    };
    expect(strategicMerged(spec, patch, schema)).toEqual({
      containers: [
        {
          name: "a",
          image: "a:1",
          env: [
            // What the patch adds comes first, as on a real server.
            { name: "Y", value: "2" },
            { name: "X", value: "1" },
          ],
        },
        { name: "b", image: "b:1" },
      ],
      tolerations: [{ key: "two" }],
    });
  });

  it("deletes and replaces where a directive says so, and stores no directive", () => {
    const gone = strategicMerged(spec, { containers: [{ name: "a", $patch: "delete" }] }, schema);
    expect(gone["containers"]).toEqual([{ name: "b", image: "b:1" }]);
    const replaced = strategicMerged(spec, { containers: [{ $patch: "replace" }, { name: "c" }] }, schema);
    expect(replaced["containers"]).toEqual([{ name: "c" }]);
  });

  it("deletes from lists of plain values and orders items as it is told", () => {
    const meta = definitionOf("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
    const patch = { "$deleteFromPrimitiveList/finalizers": ["x"], finalizers: ["z"] };
    expect(strategicMerged({ finalizers: ["x", "y"] }, patch, meta)).toEqual({ finalizers: ["z", "y"] });
    const order = { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }] };
    const ordered = strategicMerged(spec, order, schema)["containers"];
    expect(ordered).toEqual([spec.containers[1], spec.containers[0]]);
  });

  it("keeps only the named fields of a union", () => {
    const strategy = definitionOf("io.k8s.api.apps.v1.DeploymentSpec");
    const live = { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } };
    const patch = { strategy: { $retainKeys: ["type"], type: "Recreate" } };
    expect(strategicMerged(live, patch, strategy)).toEqual({ strategy: { type: "Recreate" } });
  });

  it("needs the key in every item", () => {
    expect(() => strategicMerged(spec, { containers: [{ image: "x" }] }, schema)).toThrow(
      expect.objectContaining({ code: 400 }),
    );
  });
});
