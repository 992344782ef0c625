import { type KindName, resourceOf } from "../../api/kinds.ts";
import type { KubeObject } from "../../api/meta.ts";
import type { Kube } from "../../ports/kube/kube.ts";

/** All objects of one of our kinds, in one namespace or in all of them. */
export async function listKind(
  kube: Kube,
  kind: KindName,
  options: { readonly namespace?: string; readonly signal: AbortSignal },
): Promise<readonly KubeObject[]> {
  const items: KubeObject[] = [];
  for await (const page of kube.list(resourceOf(kind), options)) items.push(...page.items);
  return items;
}
