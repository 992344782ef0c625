import type { KubeObject, Resource } from "../../api/meta.ts";
import type { Kube, ObjectName, WriteOptions } from "../../ports/kube/kube.ts";
import { moverManager } from "../job-context.ts";
import type { FieldValidation } from "./strict-fields.ts";

/** How a restore writes into the cluster; errors are those of `Kube`. */
export type ObjectWriter = {
  create(resource: Resource, object: KubeObject, fieldValidation: FieldValidation): Promise<KubeObject>;
  /** Needs `metadata.resourceVersion`. */
  replace(resource: Resource, object: KubeObject, fieldValidation: FieldValidation): Promise<KubeObject>;
  /** What `replace` would make of it; changes nothing. */
  tryReplace(resource: Resource, object: KubeObject): Promise<KubeObject>;
  patch(resource: Resource, name: ObjectName, patch: Readonly<Record<string, unknown>>): Promise<KubeObject>;
};

export function createObjectWriter(kube: Kube, signal: AbortSignal): ObjectWriter {
  const options: WriteOptions = { manager: moverManager, signal };
  return {
    create: (resource, object, fieldValidation) =>
      kube.create(resource, object, { ...options, fieldValidation }),
    replace: (resource, object, fieldValidation) =>
      kube.replace(resource, object, { ...options, fieldValidation }),
    tryReplace: (resource, object) => kube.replace(resource, object, { ...options, dryRun: true }),
    patch: (resource, name, patch) => kube.mergePatch(resource, name, patch, options),
  };
}
