import type { Problem } from "../../base/problem.ts";
import type { YamlNode } from "./yaml-node.ts";
import { textField } from "./yaml-node.ts";

/**
 * Why a document may not stand in Git at all: it holds a Secret's values, or values encrypted in a way that this
 * version cannot open. Neither the values nor their names are told.
 */
export function secretProblem(node: YamlNode, path: string): Problem | undefined {
  if (node.kind !== "map") return undefined;
  const place = { path, line: node.line };
  const isSecret = textField(node, "kind") === "Secret" && (textField(node, "apiVersion") ?? "v1") === "v1";
  if (node.entries.has("sops") && isSecret) {
    return {
      severity: "error",
      reason: "EncryptedSecretNotSupported",
      message: "a Secret encrypted with SOPS cannot be opened by this version; it comes in a later release",
      place,
      next: "Create the Secret in the cluster yourself, and take this document out of the folder.",
    };
  }
  if (!isSecret || !(holdsValues(node, "data") || holdsValues(node, "stringData"))) return undefined;
  return {
    severity: "error",
    reason: "SecretInGit",
    message: "a Secret with values stands in Git; it was not applied",
    place,
    next: "Take it out, change its values because Git's history keeps them, and create the Secret in the cluster.",
  };
}

function holdsValues(node: YamlNode, name: string): boolean {
  const value = node.kind === "map" ? node.entries.get(name)?.value : undefined;
  if (value === undefined) return false;
  return value.kind !== "map" ? value.kind !== "scalar" || value.value !== null : value.entries.size > 0;
}
