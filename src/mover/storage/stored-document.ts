import { load, Schema, YAML11_SCHEMA } from "js-yaml";
import type { KubeObject } from "../../api/meta.ts";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import { isFields } from "../../base/json.ts";

const maxDepth = 100;
const onlyText = new Set(["timestamp", "merge", "binary", "omap", "pairs", "set"]);

// Kubernetes reads YAML 1.1 but leaves dates as text, and what a dump holds needs no merge keys.
const readSchema = new Schema(
  YAML11_SCHEMA.tags.filter((tag) => !onlyText.has(tag.tagName.replace("tag:yaml.org,2002:", ""))),
);

/**
 * One YAML document, without aliases (a document of ours has none, and an alias bomb is made of them).
 * `where` names it in the error `DocumentUnreadable`.
 */
export function parseYaml(text: string, where: string): unknown {
  try {
    return load(text, { schema: readSchema, maxDepth, maxAliases: 0, maxTotalMergeKeys: 0 });
  } catch (thrown) {
    // The parser's message may quote the line, which may hold a secret.
    const line = /\((\d+):\d+\)/.exec(messageOf(thrown))?.[1];
    throw new HoldfastError(
      "DocumentUnreadable",
      `${where} is not readable YAML${line === undefined ? "" : ` (line ${line})`}`,
      {
        disposition: "stall",
        next: "Look at the file and bring back an intact copy.",
      },
    );
  }
}

/** A Kubernetes object from YAML; `DocumentUnreadable` when it is none. */
export function parseObject(text: string, where: string): KubeObject {
  const value = parseYaml(text, where);
  if (isKubeObject(value)) return value;
  throw new HoldfastError(
    "DocumentUnreadable",
    `${where} is not a Kubernetes object with apiVersion, kind and metadata.name`,
    { disposition: "stall", next: "Look at the file and bring back an intact copy." },
  );
}

export function isKubeObject(value: unknown): value is KubeObject {
  if (!isFields(value)) return false;
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== "string" || typeof kind !== "string" || !isFields(metadata)) return false;
  const { name, namespace } = metadata;
  return typeof name === "string" && (namespace === undefined || typeof namespace === "string");
}
