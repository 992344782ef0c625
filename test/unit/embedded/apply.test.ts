import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/base/json.ts";
import {
  difference,
  emptySet,
  type FieldSet,
  FieldSetBuilder,
  fromFieldsV1,
  intersection,
  isEmpty,
  toFieldsV1,
  union,
  withNamedParents,
} from "../../../src/embedded/apply/field-set.ts";
import { compare, fieldsOf } from "../../../src/embedded/apply/field-walk.ts";
import { applied, ownedByUpdate, type Writer } from "../../../src/embedded/apply/managed-fields.ts";
import { Schema } from "../../../src/embedded/schema/schema.ts";

const schema = new Schema(
  {
    type: "object",
    properties: {
      labels: { type: "object", additionalProperties: { type: "string" } },
      items: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        items: { type: "object", properties: { name: { type: "string" }, size: { type: "integer" } } },
      },
      tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
      whole: { type: "array", items: { type: "string" } },
    },
  },
  {},
  true,
);

function writer(manager: string): Writer {
  return {
    manager,
    apiVersion: "example.com/v1",
    subresource: "",
    time: "2030-01-01T00:00:00Z",
    schema,
    resets: emptySet,
  };
}

const word = fc.constantFrom("a", "b", "c");
/** Nothing empty: an empty list or map is a value of its own, and owned as a whole. */
const config = fc.record(
  {
    labels: fc.dictionary(word, word, { minKeys: 1 }),
    items: fc.uniqueArray(fc.record({ name: word, size: fc.nat(3) }), {
      selector: (item) => item.name,
      minLength: 1,
    }),
    tags: fc.uniqueArray(word, { minLength: 1 }),
    whole: fc.array(word, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>;

const fieldSet: fc.Arbitrary<FieldSet> = fc
  .array(fc.array(word, { minLength: 1, maxLength: 3 }), { maxLength: 6 })
  .map((paths) => {
    const builder = new FieldSetBuilder();
    for (const path of paths) builder.insert(path.map((step) => `f:${step}`));
    return builder.build();
  });

const text = (set: FieldSet) => JSON.stringify(toFieldsV1(set));
const plain = (object: JsonObject): JsonObject => {
  const { metadata: _, ...rest } = object;
  return rest;
};

describe("sets of fields", () => {
  it("obey the laws of sets", () => {
    fc.assert(
      fc.property(fieldSet, fieldSet, (a, b) => {
        expect(text(union(a, b))).toBe(text(union(b, a)));
        expect(text(union(difference(a, b), intersection(a, b)))).toBe(text(a));
        expect(isEmpty(intersection(difference(a, b), b))).toBe(true);
      }),
    );
  });

  it("come back from their text", () => {
    fc.assert(
      fc.property(fieldSet, (set) => {
        expect(text(fromFieldsV1(toFieldsV1(set)))).toBe(text(set));
      }),
    );
  });
});

describe("server-side apply", () => {
  it("is idempotent", () => {
    fc.assert(
      fc.property(config, config, (live, mine) => {
        const once = applied(live, mine, writer("me"), true);
        expect(applied(once, mine, writer("me"), false)).toEqual(once);
      }),
    );
  });

  it("holds everything that was applied", () => {
    fc.assert(
      fc.property(config, config, (live, mine) => {
        const next = applied(live, mine, writer("me"), true);
        const lost = difference(fieldsOf(mine, schema), fieldsOf(next, schema));
        expect(text(lost)).toBe("{}");
      }),
    );
  });

  it("leaves nothing of a manager that applies nothing any more, and all of what the others applied", () => {
    fc.assert(
      fc.property(config, config, (theirs, mine) => {
        const both = applied(applied({}, theirs, writer("them"), false), mine, writer("me"), true);
        const left = applied(both, {}, writer("me"), false);
        const alone = plain(applied({}, theirs, writer("them"), false));
        const { removed } = compare(alone, plain(left), schema);
        const mineToo = withNamedParents(fieldsOf(mine, schema), schema);
        expect(text(difference(removed, mineToo))).toBe("{}");
        const extra = difference(fieldsOf(plain(left), schema), fieldsOf(theirs, schema));
        expect(text(extra)).toBe("{}");
      }),
    );
  });

  it("conflicts exactly where another manager's value would change", () => {
    const live = ownedByUpdate({}, { labels: { a: "1" }, items: [{ name: "x", size: 1 }] }, writer("other"));
    expect(() =>
      applied(live, { labels: { a: "2" }, items: [{ name: "x", size: 2 }] }, writer("me"), false),
    ).toThrow(
      expect.objectContaining({
        code: 409,
        details: {
          causes: [
            expect.objectContaining({ reason: "FieldManagerConflict", field: '.items[name="x"].size' }),
            expect.objectContaining({
              message: 'conflict with "other" using example.com/v1',
              field: ".labels.a",
            }),
          ],
        },
      }),
    );
    expect(plain(applied(live, { labels: { a: "1", b: "1" } }, writer("me"), false))).toEqual({
      labels: { a: "1", b: "1" },
      items: [{ name: "x", size: 1 }],
    });
  });

  it("puts managers that only update together when there are too many", () => {
    let live: JsonObject = {};
    for (let i = 0; i < 30; i++)
      live = ownedByUpdate(
        live,
        { ...live, labels: { ...(live["labels"] as JsonObject), [`l${i}`]: "x" } },
        writer(`m${i}`),
      );
    const managed = (live["metadata"] as JsonObject)["managedFields"] as readonly JsonObject[];
    expect(managed.length).toBeLessThanOrEqual(10);
    expect(managed.map((entry) => entry["manager"])).toContain("ancient-changes");
  });
});
