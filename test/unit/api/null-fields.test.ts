import { expect, test } from "vitest";
import { defaultObject } from "../../../src/api/defaults.ts";
import { type FieldPath, pathText } from "../../../src/api/field-error.ts";
import { findKind, kinds } from "../../../src/api/kinds.ts";
import { type KubeObject, nameOf, refOf } from "../../../src/api/meta.ts";
import { nodeOf, type SchemaNode } from "../../../src/api/schema-node.ts";
import { validateObject } from "../../../src/api/validate.ts";
import { changed, kubestashObjects } from "../../fixtures/kubestash/kubestash-objects.ts";

const objects = [...kinds.map(({ example }) => example), ...kubestashObjects().values()];

/** Every field of a value that its schema knows or that is there, without what is inside of free-form fields. */
function fieldsOf(node: SchemaNode, value: unknown, path: FieldPath): readonly FieldPath[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) => fieldsOf(node.items ?? {}, item, [...path, index]));
  if (typeof value !== "object" || value === null || node.type !== "object") return [];
  const { properties: known = {}, additionalProperties: any } = node;
  const fields = new Map<string, unknown>([
    ...Object.keys(known).map((name) => [name, undefined] as const),
    ...(any === undefined ? [] : Object.entries(value)),
  ]);
  for (const name of Object.keys(known)) fields.set(name, (value as Record<string, unknown>)[name]);
  return [...fields].flatMap(([name, inner]) => [
    [...path, name],
    ...fieldsOf(known[name] ?? (any === false || any === undefined ? {} : any), inner, [...path, name]),
  ]);
}

/** All that is said of an object, by itself and with its defaults. */
function saidOf(object: KubeObject): unknown {
  const said = validateObject(object).map(({ path, reason, message }) => [pathText(path), reason, message]);
  return [said, defaultObject(object)];
}

test.each(objects.map((object) => [nameOf(refOf(object)), object] as const))(
  "in %s a field that is null is as good as absent, whichever it is",
  (_name, object) => {
    const kind = findKind(object);
    if (kind === undefined) return;
    const fields = fieldsOf(nodeOf(kind.spec), object["spec"], ["spec"]);
    expect(fields.length).toBeGreaterThan(0);
    const uneven = fields.filter(
      (path) =>
        JSON.stringify(saidOf(changed(object, path, null))) !==
        JSON.stringify(saidOf(changed(object, path, undefined))),
    );
    expect(uneven.map(pathText)).toEqual([]);
  },
);
