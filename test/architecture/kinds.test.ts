import { loadAll } from "js-yaml";
import { describe, expect, test } from "vitest";
import { kinds } from "../../src/api/kinds.ts";
import { validateObject } from "../../src/api/validate.ts";
import { textOf, trackedFiles } from "./project-files.ts";

const schemas = trackedFiles("schemas");
const pages = trackedFiles("docs/spec");

type Definition = {
  readonly spec?: { readonly group?: string; readonly names?: { readonly kind?: string } };
};

/** `group/Kind` of every CustomResourceDefinition that is shipped. */
function definedKinds(): ReadonlySet<string> {
  const documents = schemas
    .filter((path) => /\.ya?ml$/.test(path))
    .flatMap((path) => loadAll(textOf(path)) as readonly (Definition | null)[]);
  return new Set(documents.map((document) => `${document?.spec?.group}/${document?.spec?.names?.kind}`));
}

describe.each(kinds.map((definition) => [definition.resource.kind, definition] as const))(
  "%s",
  (kind, definition) => {
    test("has a CustomResourceDefinition", () => {
      expect(definedKinds()).toContain(`${definition.resource.group}/${kind}`);
    });

    test("has a JSON Schema for editors", () => {
      const named = schemas.filter(
        (path) => path.toLowerCase().includes(kind.toLowerCase()) && path.endsWith(".json"),
      );
      expect(named).toHaveLength(1);
    });

    test("has a page in docs/spec", () => {
      expect(pages.filter((path) => textOf(path).startsWith(`# ${kind}\n`))).toHaveLength(1);
    });

    test("has an example that is in order", () => {
      expect(validateObject(definition.example).filter(({ severity }) => severity === "error")).toEqual([]);
    });
  },
);
