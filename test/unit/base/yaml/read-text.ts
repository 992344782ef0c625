import { jsonText } from "../../../../src/base/exact-json.ts";
import { readYaml } from "../../../../src/base/yaml/read-yaml.ts";
import { jsonOf, type YamlNode } from "../../../../src/base/yaml/yaml-node.ts";
import type { YamlRefusal } from "../../../../src/base/yaml/yaml-text.ts";
import { limits } from "../../../../src/pass/declared/limits.ts";

/** The documents of a text, all of which must be readable. */
export function nodesOf(content: string | Uint8Array): readonly YamlNode[] {
  const { documents, refusals } = readYaml(bytesOf(content), limits);
  const [refusal] = refusals;
  if (refusal !== undefined) throw new Error(`line ${refusal.line}: ${refusal.message}`);
  return documents;
}

export function valuesOf(content: string | Uint8Array): readonly unknown[] {
  return nodesOf(content).map(jsonOf);
}

/** The first refusal of a text that must have one. */
export function refusalOf(content: string | Uint8Array): YamlRefusal {
  const { documents, refusals } = readYaml(bytesOf(content), limits);
  const [refusal] = refusals;
  if (refusal === undefined) throw new Error(`it was read as ${jsonText(documents.map(jsonOf))}`);
  return refusal;
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}
