import type { Problem } from "../../base/problem.ts";
import { type MapNode, textField, type YamlNode } from "../../base/yaml/yaml-node.ts";
import { claimOf } from "./own-kinds.ts";

/**
 * Why a document may not stand in Git at all: it holds a Secret's values, or values encrypted in a way that this
 * version cannot open. Neither the values nor their names are told.
 */
export function secretProblem(node: MapNode, path: string): Problem | undefined {
  const place = { path, line: node.line };
  const kind = textField(node, "kind");
  const isSecret =
    (kind === "Secret" || kind === "SecretList") && (textField(node, "apiVersion") ?? "v1") === "v1";
  if (node.entries.has("sops") && isSecret) {
    return {
      severity: "error",
      reason: "EncryptedSecretNotSupported",
      message: "a Secret encrypted with SOPS cannot be opened by this version; it comes in a later release",
      place,
      next: "Create the Secret in the cluster yourself, and take this document out of the folder.",
    };
  }
  const places = [
    node.entries.get("data"),
    node.entries.get("stringData"),
    node.entries.get("items"),
    lastApplied(node),
  ];
  if (!isSecret || !places.some((entry) => holdsValues(entry?.value))) return undefined;
  return {
    severity: "error",
    reason: "SecretInGit",
    message: "a Secret with values stands in Git; it was not applied",
    place,
    next: "Take it out, change its values because Git's history keeps them, and create the Secret in the cluster.",
  };
}

/** Why a document cannot be read that SOPS has encrypted, unless it is plainly of a kind that is not ours. */
export function encryptedProblem(node: MapNode, path: string): Problem | undefined {
  const sops = node.entries.get("sops")?.value;
  if (sops?.kind !== "map" || !(sops.entries.has("mac") || sops.entries.has("lastmodified")))
    return undefined;
  const [apiVersion, kind] = [textField(node, "apiVersion"), textField(node, "kind")];
  const hidden = kind === undefined || kind.startsWith("ENC[") || apiVersion?.startsWith("ENC[");
  if (!hidden && claimOf(apiVersion, kind).whose === "others") return undefined;
  return {
    severity: "error",
    reason: "EncryptedNotSupported",
    message: "a document encrypted with SOPS cannot be opened by this version",
    place: { path, line: node.line },
    next: "Keep declarations in plain text (creation_rules of .sops.yaml say what is encrypted).",
  };
}

/** kubectl keeps a whole copy of what it applied in an annotation. */
function lastApplied(node: MapNode): ReturnType<MapNode["entries"]["get"]> {
  const metadata = node.entries.get("metadata")?.value;
  const annotations = metadata?.kind === "map" ? metadata.entries.get("annotations")?.value : undefined;
  if (annotations?.kind !== "map") return undefined;
  return annotations.entries.get("kubectl.kubernetes.io/last-applied-configuration");
}

function holdsValues(value: YamlNode | undefined): boolean {
  switch (value?.kind) {
    case undefined:
      return false;
    case "map":
      return value.entries.size > 0;
    case "list":
      return value.items.length > 0;
    case "scalar":
      return value.value !== null;
  }
}
