import { readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { generatedFolders, schemaFiles } from "../../../scripts/schemas/schema-files.ts";
import { kinds } from "../../../src/api/kinds.ts";
import { nodeOf, type SchemaNode } from "../../../src/api/schema-node.ts";
import { kubestashObjects } from "../../fixtures/kubestash/kubestash-objects.ts";
import { refusedObjects } from "../../fixtures/kubestash/refused-objects.ts";

const root = new URL("../../../", import.meta.url);

test("what is committed is what the nouns say now (else: npm run generate)", () => {
  const stale = schemaFiles().filter(({ path, text }) => readFileSync(new URL(path, root), "utf8") !== text);
  expect(stale.map(({ path }) => path)).toEqual([]);
});

test("no file is left of a kind that is gone", () => {
  const wanted = new Set(schemaFiles().map(({ path }) => path));
  const there = generatedFolders.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(yaml|json|md)$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  expect(there.filter((path) => !wanted.has(path))).toEqual([]);
});

const validators = new Map(
  kinds.map(({ resource }) => {
    const path = `schemas/json/${resource.kind.toLowerCase()}_${resource.version}.json`;
    const ajv = new Ajv({ strict: true, allErrors: true, formats: { "date-time": /^\d{4}-\d\d-\d\dT/ } });
    return [resource.kind, ajv.compile(JSON.parse(readFileSync(new URL(path, root), "utf8")))] as const;
  }),
);

function validatorFor({ kind }: { readonly kind: string }) {
  const validator = validators.get(kind);
  if (validator === undefined) throw new Error(`there is no JSON Schema for ${kind}`);
  return validator;
}

test("an editor takes the fixtures", () => {
  for (const object of kubestashObjects().values()) {
    const validate = validatorFor(object);
    validate(object);
    expect(validate.errors ?? []).toEqual([]);
  }
});

test.each(refusedObjects())("an editor underlines $title", ({ object }) => {
  expect(validatorFor(object)(object)).toBe(false);
});

test("every field has a description that ends its sentence, and every default fits its own field", () => {
  const silent: string[] = [];
  const look = (node: SchemaNode, path: string) => {
    if (!/[.`]$/.test(node.description ?? "")) silent.push(path);
    if (node.enum !== undefined && node.default !== undefined && !node.enum.includes(String(node.default)))
      silent.push(`${path} default`);
    for (const [name, inner] of Object.entries(node.properties ?? {})) look(inner, `${path}.${name}`);
    if (node.items !== undefined) look(node.items, `${path}[]`);
    if (node.additionalProperties !== undefined && node.additionalProperties !== false)
      look(node.additionalProperties, `${path}.*`);
  };
  for (const kind of kinds) {
    look(nodeOf(kind.spec), `${kind.resource.kind}.spec`);
    if (kind.status !== undefined) look(nodeOf(kind.status), `${kind.resource.kind}.status`);
  }
  expect(silent).toEqual([]);
});
