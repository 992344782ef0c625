import { dump } from "js-yaml";
import { catalogueAddons, catalogueFunctions } from "../../src/api/catalogue.ts";
import { kinds } from "../../src/api/kinds.ts";
import { cataloguePage } from "./catalogue-page.ts";
import { crdOf } from "./crd.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import { specPageOf } from "./spec-page.ts";

export type GeneratedFile = {
  /** From the project's root. */
  readonly path: string;
  readonly text: string;
};

/** Folders in which every file is one of these. */
export const generatedFolders = ["schemas/crds", "schemas/json", "schemas/catalogue", "docs/spec"] as const;

/** Everything that is made from the nouns; the same nouns give the same bytes. */
export function schemaFiles(): readonly GeneratedFile[] {
  const objects = [...catalogueAddons, ...catalogueFunctions];
  return [
    ...kinds.flatMap((kind) => [
      { path: `schemas/crds/${kind.resource.group}_${kind.resource.plural}.yaml`, text: yaml(crdOf(kind)) },
      {
        path: `schemas/json/${kind.resource.kind.toLowerCase()}_${kind.resource.version}.json`,
        text: `${JSON.stringify(jsonSchemaOf(kind), undefined, 2)}\n`,
      },
      { path: `docs/spec/${kebab(kind.resource.kind)}.md`, text: specPageOf(kind) },
    ]),
    ...objects.map((object) => ({
      path: `schemas/catalogue/${object.kind.toLowerCase()}-${object.metadata.name}.yaml`,
      text: yaml(object),
    })),
    { path: "docs/spec/catalogue.md", text: cataloguePage() },
  ];
}

function yaml(object: unknown): string {
  return `# Made from src/api by npm run generate; change it there.\n${dump(object, { lineWidth: 110, noRefs: true })}`;
}

function kebab(kind: string): string {
  return kind.replaceAll(/(?<=[a-z])[A-Z]/g, "-$&").toLowerCase();
}
