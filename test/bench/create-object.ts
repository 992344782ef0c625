import { apiVersionOf, type KubeObject, type Resource } from "../../src/api/meta.ts";
import type { KubeConnection } from "../../src/ports/kube/connect-kube.ts";

/** Makes an object as somebody other than Holdfast. */
export async function createObject(
  kube: KubeConnection,
  resource: Resource,
  object: Omit<KubeObject, "apiVersion" | "kind">,
): Promise<void> {
  await kube.create(
    resource,
    { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object } as KubeObject,
    { manager: "bench" },
  );
}
