import type { Json } from "../../base/json.ts";
import { canonical, isObject, without } from "../value.ts";
import { shortHash } from "./owned-pods.ts";

/** The label by which a Deployment's ReplicaSets and pods are told apart. */
export const templateHashLabel = "pod-template-hash";

const hashLength = 10;

/** Equal pod templates have equal hashes, whatever the order of their fields. */
export function templateHash(template: Json | undefined): string {
  return shortHash(canonical(withoutHash(template ?? {})), hashLength);
}

/** The template of a ReplicaSet carries the label that is made from it. */
export function withoutHash(template: Json): Json {
  if (!isObject(template) || !isObject(template["metadata"])) return template;
  const metadata = template["metadata"];
  if (!isObject(metadata["labels"])) return template;
  return { ...template, metadata: { ...metadata, labels: without(metadata["labels"], templateHashLabel) } };
}
