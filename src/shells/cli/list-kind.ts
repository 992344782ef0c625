import { type KindName, resourceOf } from "../../api/kinds.ts";
import type { KubeObject } from "../../api/meta.ts";
import type { KubeConnection } from "../../ports/kube/connect-kube.ts";
import { isKubeError } from "../../ports/kube/kube-error.ts";
import { kindsNotInstalled } from "./kinds-not-installed.ts";

/** All objects of one of our kinds, in one namespace or in all of them. Throws `KindsNotInstalled`. */
export async function listKind(
  kube: KubeConnection,
  kind: KindName,
  options: { readonly namespace?: string; readonly signal: AbortSignal },
): Promise<readonly KubeObject[]> {
  const items: KubeObject[] = [];
  try {
    for await (const page of kube.list(resourceOf(kind), options)) items.push(...page.items);
    return items;
  } catch (thrown) {
    throw isKubeError(thrown, 404) ? kindsNotInstalled(kube.server) : thrown;
  }
}
