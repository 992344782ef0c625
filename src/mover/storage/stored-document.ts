import type { KubeObject } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { isFields } from "../../base/json.ts";
import { readYaml, type YamlBudget } from "../../base/yaml/read-yaml.ts";
import { jsonOf } from "../../base/yaml/yaml-node.ts";

/** More than any object that an API server stores, written as YAML. */
const budget: YamlBudget = {
  fileBytes: 8 * 1024 * 1024,
  depth: 1_000,
  nodes: 2_000_000,
  characters: 16 * 1024 * 1024,
};

/** The one YAML document of a file. `where` names it in the error `DocumentUnreadable`. */
export function parseYaml(bytes: Uint8Array, where: string): unknown {
  const { documents, refusals } = readYaml(bytes, budget);
  const [refusal] = refusals;
  const [document, second] = documents;
  if (refusal !== undefined) {
    throw unreadable(`${where} is not readable YAML: line ${refusal.line}: ${refusal.message}`);
  }
  if (second !== undefined) throw unreadable(`${where} holds more than one document`);
  return document === undefined ? undefined : jsonOf(document);
}

/** A Kubernetes object from YAML; `DocumentUnreadable` when it is none. */
export function parseObject(bytes: Uint8Array, where: string): KubeObject {
  const value = parseYaml(bytes, where);
  if (isKubeObject(value)) return value;
  throw unreadable(`${where} is not a Kubernetes object with apiVersion, kind and metadata.name`);
}

function unreadable(message: string): HoldfastError {
  return new HoldfastError("DocumentUnreadable", message, {
    disposition: "stall",
    next: "Look at the file and bring back an intact copy.",
  });
}

export function isKubeObject(value: unknown): value is KubeObject {
  if (!isFields(value)) return false;
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== "string" || typeof kind !== "string" || !isFields(metadata)) return false;
  const { name, namespace } = metadata;
  return typeof name === "string" && (namespace === undefined || typeof namespace === "string");
}
